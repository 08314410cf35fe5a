#include <stdio.h>
#include <string.h>
struct pair { int a; char b; };
static int sum(int n, int *p) { int t = 0; while (n--) t += *p++; return t; }
static int fill(int n) { int a[n + 1], i; for (i = 0; i <= n; i++) a[i] = i * i; return sum(n + 1, a) + (int)sizeof a + (int)sizeof a[0]; }
static long depth(int n) { char pad[n * 8 + 1]; pad[n] = (char)n; return n ? depth(n - 1) + pad[n] : sizeof pad; }
static int loops(int n) {
    int total = 0, i, k = n;
    char *low = 0;
    for (i = 0; i < 200000; i++) {
        char buffer[1000 + (i & 7)];
        if (!low) low = buffer;
        buffer[i & 511] = (char)i;
        if (i % 3 == 0) continue;
        { long inner[k]; inner[k - 1] = i; if (i % 5 == 0) continue; total += (int)(inner[k - 1] & 1); }
        if (i == 150000) break;
        total += buffer[i & 511] & 1;
    }
    while (k-- > 0) { struct pair p[k + 1]; p[k].a = k; p[k].b = 'x'; if (k == 2) { int deep[3 + k]; deep[4] = 9; total += deep[4]; continue; } total += p[k].a + (int)sizeof p; }
    do { short s[total & 15]; total++; if (sizeof s > 20) break; } while (total < 100000000);
    switch (n) { case 3: { char c[n]; c[2] = 7; total += c[2]; break; } case 4: total = 0; }
    return total;
}
static int early(int n) { int a[n]; a[0] = n; if (n > 2) { int b[n * 2]; b[1] = 5; return a[0] + b[1]; } return a[0]; }
static int matrix(int n) { int m[n][3], i, j, t = 0; for (i = 0; i < n; i++) for (j = 0; j < 3; j++) m[i][j] = i * 10 + j; for (i = 0; i < n; i++) t += m[i][2]; return t + (int)sizeof m; }
static int words(int n, ...) { char *v[n + 1]; __builtin_va_list l; int i; __builtin_va_start(l, n); for (i = 0; i < n; i++) v[i] = __builtin_va_arg(l, char *); v[n] = 0; __builtin_va_end(l); for (i = 0; v[i]; i++) printf("%s ", v[i]); puts(""); return i; }
static void name(const char *a, const char *b) { size_t x = strlen(a), y = strlen(b); char all[x + y + 2]; sprintf(all, "%s-%s", a, b); printf("%s %d\n", all, (int)sizeof all); }
int main(void) {
    printf("%d %ld %d %d %d %d\n", fill(9), depth(20), loops(3), early(2), early(7), matrix(4));
    printf("%d\n", words(3, "one", "two", "three"));
    name("left", "right");
    return 0;
}
