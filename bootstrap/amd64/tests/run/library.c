#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <math.h>
static int by_int(const void *a, const void *b) { int x = *(const int *)a, y = *(const int *)b; return (x > y) - (x < y); }
int main(int argc, char **argv) {
    char buffer[64], *end;
    int i, n[200];
    unsigned seed = 1;
    time_t when[] = {0, 951782399, 951868800, 1700000000, 4102444800, -86401};
    char *blocks[50];
    FILE *file;
    for (i = 0; i < 200; i++) n[i] = (int)((seed = seed * 1103515245 + 12345) >> 16) % 1000 - 500;
    qsort(n, 200, sizeof *n, by_int);
    for (i = 1; i < 200; i++) if (n[i - 1] > n[i]) puts("not sorted");
    printf("%d %d %d\n", n[0], n[100], n[199]);
    i = (int)strtol("-42abc", &end, 10);
    printf("%d %ld %ld %lu %ld %s\n", i, strtol("0x1F", NULL, 0), strtol("077", NULL, 0), strtoul("18446744073709551615", NULL, 10), strtol("zz", NULL, 36), end);
    errno = 0;
    printf("%ld %d\n", strtol("99999999999999999999", NULL, 10) == LONG_MAX, errno == ERANGE);
    printf("%d %d %d %d %d\n", atoi("  12x"), isalpha('a') != 0, isdigit('a') != 0, toupper('x'), isspace('\t') != 0);
    strcpy(buffer, "hello");
    strcat(buffer, " world");
    printf("%s %d %s %s %s %d %d\n", buffer, (int)strlen(buffer), strchr(buffer, 'o'), strrchr(buffer, 'o'), strstr(buffer, "wor"), strcmp("a", "b") < 0, strncmp("abc", "abd", 2));
    memmove(buffer + 2, buffer, 8);
    printf("%s %d %d %s\n", buffer, (int)strspn("aabbc", "ab"), (int)strcspn("xyz", "z"), strpbrk("key=value", "=") + 1);
    for (i = 0; i < 6; i++) { struct tm *t = gmtime(&when[i]); printf("%d-%02d-%02d %02d:%02d:%02d %d %d|", t->tm_year + 1900, t->tm_mon + 1, t->tm_mday, t->tm_hour, t->tm_min, t->tm_sec, t->tm_wday, t->tm_yday); }
    puts("");
    for (i = 0; i < 50; i++) { blocks[i] = malloc((size_t)i * 1000 + 1); memset(blocks[i], i, (size_t)i * 1000 + 1); }
    for (i = 0; i < 50; i += 2) blocks[i] = realloc(blocks[i], (size_t)i * 3000 + 2);
    for (i = 0; i < 50; i++) { if (blocks[i][0] != i || blocks[i][i * 1000] != i) puts("memory damaged"); free(blocks[i]); }
    end = calloc(1000, 3);
    for (i = 0; i < 3000; i++) if (end[i]) puts("not cleared");
    file = fopen("scratch", "w+");
    if (!file) return 1;
    for (i = 0; i < 3000; i++) fprintf(file, "line %d\n", i);
    printf("%ld ", ftell(file));
    fseek(file, 8, SEEK_SET);
    printf("%s", fgets(buffer, sizeof buffer, file));
    fseek(file, -10, SEEK_END);
    i = (int)fread(buffer, 1, 64, file);
    buffer[10] = 0;
    printf("%d %s", i, buffer);
    i = fgetc(file) == EOF;
    printf("%d %d\n", i, feof(file) != 0);
    fseek(file, 5, SEEK_SET);
    fputs("X", file);
    fclose(file);
    file = fopen("scratch", "r");
    printf("%s", fgets(buffer, sizeof buffer, file));
    fclose(file);
    i = remove("scratch");
    printf("%d %d\n", i, fopen("scratch", "r") == NULL && errno == ENOENT);
    printf("%g %g %d %d\n", ldexp(0.75, 10), ldexp(1.0, -1074), argc, argv[argc] == NULL);
    fflush(stdout);
    fputs("to stderr\n", stderr);
    exit(5);
}
