#include <stdio.h>
#include <string.h>
static int calls;
int f(int x) { calls++; return x; }
static int real(int x) { return x * 3; }
extern __typeof(real) other __attribute__((__weak__, __alias__("real")));
extern int missing(void) __attribute__((weak));
extern int gone __attribute__((weak));
int __attribute__((weak)) soft(void) { return 1; }
int value = 42;
extern int same_value __attribute__((alias("value")));
extern int again __attribute__((alias("same_value")));
/* L0 has better ones. */
size_t __attribute__((weak)) strlen(const char *s) { return 1000; }
static int wrong(const char *a, const char *b) { return 77; }
int strcmp(const char *a, const char *b) __attribute__((weak, alias("wrong")));
int old(a, b, s, c) char *s; long b; char c; { return a + (int)b + s[0] + c; }
static double mixed(x, n) double x; int n; { return x * n; }
int old2(p, q) int *p, q[]; { return *p + q[1]; }
static const int wide[] = L"wide", fixed[8] = L"ab" "cd", cut[3] = L"xyz";
static int *p = (int *)L"pointer";
struct w { int name[6]; int n; } ws = { L"five", 3 }, wt[] = { { L"a", 1 }, { { 'b', 0 }, 2 } };
struct big { unsigned long a : 52, b : 12; long c : 40; unsigned long d : 24; long e : 64; unsigned long long f : 33; };
static struct big g = { 0xfffffffffffffUL, 0xabc, -5, 77, -1, 1UL << 32 };
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define call(...) JOIN(call, 2)(__VA_ARGS__)
#define call2(a, b) ((a) * 10 + (b))
struct s { int a : 5; int x; };
static void types(void) {
    int x = 5; long y = 1L << 40; typeof(x) z = 7; __typeof__(y + 1) w = y; typeof(int *) p = &z;
    struct s st = {3, 9}; typeof(st) su = st; typeof("abc") text = "abc"; typeof(&f) fp = f; typeof(x) *q = &x, r = 3; int pair[] = {1, 2};
    printf("%d %ld %d %d %d\n", z, (long)w, *p, su.x, (int)sizeof text);
    printf("%d %d %d %d\n", f(0) ?: 8, f(3) ?: 8, 0 ?: 4, 5 ?: f(9));
    printf("%d\n", calls);
    printf("%.1f %s %d\n", 0.0 ?: 2.5, (char *)0 ?: "none", st.a ?: 2);
    printf("%d %d %d\n", other(5), missing ? 1 : 0, &gone != 0);
    same_value++; again++;
    printf("%d %d %d %d\n", value, old(1, 2L, "A", 'b'), (int)mixed(2.5, 4), soft());
    printf("%d %d %d %d\n", old2(&x, pair), *q + r, fp(3), (int)sizeof(typeof(x += 1)));
    printf("%d %d\n", (int)strlen("four"), strcmp("a", "a"));
}
int main(void) {
    int i, local[] = L"local"; struct big b = g, *q = &b;
    types();
    for (i = 0; wide[i]; i++) printf("%c", wide[i]);
    for (i = 0; i < 8; i++) printf(" %d", fixed[i]);
    for (i = 0; i < 3; i++) printf(" %d", cut[i]);
    printf(" %d %d %d %d\n", (int)sizeof wide, (int)sizeof L"abc", p[6], local[4]);
    printf("%d %d %d %d %d\n", ws.name[3], ws.n, wt[0].n, wt[1].name[0], L"q"[0]);
    printf("%d %lx %lx %ld %lu %ld %lx\n", (int)sizeof b, (unsigned long)b.a, (unsigned long)b.b, (long)b.c, (unsigned long)b.d, (long)b.e, (unsigned long)b.f);
    q->a -= 5; q->b++; b.c = b.c * 1000000L; q->d <<= 3; b.e ^= 0x55; q->f--;
    printf("%lx %lx %ld %lu %ld %lx\n", (unsigned long)b.a, (unsigned long)b.b, (long)b.c, (unsigned long)b.d, (long)b.e, (unsigned long)b.f);
    printf("%ld\n", (long)(b.c = 1L << 39));
    printf("%ld\n", (long)b.c++);
    printf("%ld %d\n", (long)b.c, b.c < 0);
    printf("%ld\n", (long)(b.a = -1));
    printf("%d\n", b.a > 5);
    printf("%d\n", call(4, 2));
    return 0;
}
