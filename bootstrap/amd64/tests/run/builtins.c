#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#define TYPE(x) _Generic((x), int: "int", unsigned: "unsigned", char *: "char *", double: "double", float: "float", long double: "long double", struct s: "s", int (*)(void): "fn", default: "other")
struct s { int a; } sv;
_Static_assert(sizeof(int) == 4, "int");
_Static_assert(1);
static int zero(void) { return 0; }
static long add(long a, long b, long c, long d) { return a + b * 10 + c * 100 + d * 1000; }
static int usealloca(int n) {
    int i, s = 0;
    for (i = 1; i < n; i++) {
        char *p = __builtin_alloca(i * 7);
        memset(p, i, i * 7);
        s += p[i] + ((unsigned long)p % 16 != 0) * 1000;
    }
    s += add(1, *(char *)memset(__builtin_alloca(33), 3, 33), *(char *)memset(__builtin_alloca(40), 4, 40), 2);
    return s;
}
int main(void) {
    _Static_assert(2 > 1, "two");
    int i; unsigned long v = 0x123456789abcdef0;
    char c = 3; short sh = 2;
    printf("%s %s %s %s %s %s %s %s %s %s\n", TYPE(1), TYPE(1u), TYPE("x"), TYPE(1.0), TYPE(1.f), TYPE(1.L), TYPE(sv), TYPE(zero), TYPE(c), TYPE(c + sh));
    for (i = 0; i < 9; i++) {
        printf("%d %d %d %d %d %d %d ", __builtin_clz((unsigned)v | 1), __builtin_clzl(v), __builtin_ctz((unsigned)v | 0x80000000), __builtin_ctzll(v), __builtin_ffs((int)v), __builtin_ffsl(v), __builtin_popcount(v));
        printf("%d %d %d ", __builtin_popcountll(v), __builtin_parity(v), __builtin_parityl(v));
        printf("%x %x %lx\n", __builtin_bswap16(v), __builtin_bswap32(v), __builtin_bswap64(v));
        v = v * 0x9e3779b97f4a7c15 + i;
    }
    printf("%d %d\n", __builtin_ffs(0), __builtin_ffsl(0));
    { double d = -2.5, n = __builtin_nan(""); float f = -1.5f; long double l = -3.25L;
      printf("%g %g %g\n", __builtin_fabs(d), __builtin_fabsf(f), (double)__builtin_fabsl(l));
      printf("%d %d %d %d\n", __builtin_isnan(n), __builtin_isnan(d), __builtin_isunordered(n, d), __builtin_isunordered(d, d));
      printf("%d %d %d %d %d\n", __builtin_isless(d, 3.0), __builtin_isgreater(d, 3.0), __builtin_islessequal(n, d), __builtin_isgreaterequal(d, n), __builtin_isgreaterequal(d, d));
      printf("%g %g %g\n", __builtin_inf(), -__builtin_huge_valf(), (double)__builtin_infl()); }
    printf("%d %d %d\n", __builtin_constant_p(3 + 4), __builtin_constant_p(i), __builtin_constant_p("a"));
    printf("%d %d\n", __builtin_types_compatible_p(int, int), __builtin_types_compatible_p(int *, char *));
    printf("%d\n", (int)sizeof(__builtin_choose_expr(1, c, 3.0)));
    if (__builtin_expect(i == 9, 1)) printf("nine\n"); else __builtin_unreachable();
    printf("%d\n", (int)__builtin_strlen("abc"));
    printf("%d %d\n", usealloca(10), usealloca(3));
    __builtin_prefetch(&i, 0, 1);
    switch (i) { case 0 ... 5: printf("low\n"); break; case 7: case 8 ... 12: printf("high\n"); break; default: printf("no\n"); }
    for (i = -5; i < 300; i += 13) switch ((unsigned char)i) { case 0 ... 9: printf("a"); break; case 10 ... 10: printf("b"); break; case 200 ... 255: printf("c"); break; case 11 ... 100: printf("d"); break; default: printf("e"); }
    printf("\n%d\n", __builtin_return_address(0) != 0 && __builtin_frame_address(0) != 0);
    return 0;
}
