#include <stdio.h>
static const int three = 3; const double dd = 2.5; static const float ff = 1e-40f; const long double ll = -7.25L; static const unsigned char uc = 200;
int a = three * 2 + 1, b = three == 3 ? 10 : 20, c = -three, d = ~three, e = (signed char)uc;
double x = dd * 2 + three, y = -dd, z = ff; long double w = ll / 2;
double inf = 1.0 / 0.0, ninf = -1.0 / 0.0, sum = 1e300 * 1e10, i2 = 1e500 + 1, zero = 5 / (1.0 / 0.0);
float finf = 1e30f * 1e30f; long double linf = -1e4900L * 1e4900L;
double nans[] = { 0.0 / 0.0, 1e500 - 1e500, 1e500 * 0.0, 1e500 / 1e500 };
int main(void) {
    static const unsigned long t = 0xc0000000; static const struct { unsigned long hi, lo; } s = {.hi = t << 32, .lo = 0}; static unsigned long *p = (unsigned long *)&t;
    int i;
    printf("%d %d %d %d %d %g %g %g %g\n", a, b, c, d, e, x, y, z, (double)w);
    printf("%g %g %g %g %g %g %g\n", inf, ninf, sum, i2, zero, finf, (double)linf);
    for (i = 0; i < 4; i++) printf("%d ", nans[i] != nans[i]);
    printf("%lx %lx\n", s.hi, *p);
    return 0;
}
