#include <stdio.h>
#include <string.h>
struct point { int x, y; };
struct line { struct point from, to; const char *name; };
static int grid[3][4] = {{1}, {2, 3}, 4, 5, [1][3] = 9};
static char text[] = "text", exact[4] = "four", longer[10] = "ab", braced[] = {"braced"};
static const char *words[] = {"zero", "one", [4] = "four", "five"};
static struct line lines[] = {{{1, 2}, {3, 4}, "a"}, 5, 6, 7, 8, "b", {.to.y = 9, .name = "c"}, [5] = {.from = {.y = 1}}};
static struct { int n; char tail[6]; } mixed = {3, {'x', 'y'}};
static union { char c[8]; long l; } u = {.l = 0x4142434445464748};
static int *pointers[] = {&grid[1][1], grid[2], (int *)((char *)grid + 4), 0};
static double doubles[] = {1, -2.5, 1e300, 0x1.8p3, .5f};
static long double wide = -1.25L;
static int sized[sizeof(words) / sizeof *words], negative = -(3), expression = (5 > 3 ? 10 : 20) * 2 + (1 << 3) % 5;
static struct point *literal = &(struct point){11, 12};
static const struct point constant = {1, 2}, *to_constant = &constant;
static int (*table[2])(const char *, const char *) = {strcmp, &strcmp};
static int count(void) { static int calls = 40; return ++calls; }
int main(void) {
    int i, j, local[5] = {1, 2, i = 7}, flexible[] = {[2] = 5, 6};
    struct line l = {.name = "local", .from = lines[0].to}, copy = l;
    char buffer[16] = "abc", *p = buffer + 1;
    struct { struct point p[2]; int z; } nested = {{[1] = {count(), count()}}, count()};
    for (i = 0; i < 3; i++) for (j = 0; j < 4; j++) printf("%d ", grid[i][j]);
    printf("\n%d %d %d %d %s %.4s %s\n", (int)sizeof text, (int)sizeof exact, (int)sizeof braced, (int)sizeof words / 8, text, exact, longer);
    for (i = 0; i < 6; i++) printf("%s %d%d%d%d %s|", words[i] ? words[i] : "-", lines[i].from.x, lines[i].from.y, lines[i].to.x, lines[i].to.y, lines[i].name ? lines[i].name : "-");
    printf("\n%d %s %c %d %d %d \n", mixed.n, mixed.tail, u.c[0], *pointers[0], *pointers[1], *pointers[2]);
    for (i = 0; i < 5; i++) printf("%g %d ", doubles[i], local[i]);
    printf("\n%Lg %d %d %d %d %d\n", wide, (int)sizeof sized, negative, expression, literal->y, to_constant->x);
    printf("%d %d %d %s %d %s %s\n", flexible[2], flexible[3], (int)sizeof flexible, copy.name, copy.from.y, p, buffer + 3);
    printf("%d %d %d %d %d\n", nested.p[0].x, nested.p[1].x, nested.p[1].y, nested.z, table[0]("a", "a") == table[1]("b", "b"));
    for (i = 3; i < 16; i++) if (buffer[i]) puts("not cleared");
    return count() - 44;
}
