#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>
static void bits(const char *name, double d) { unsigned long u; memcpy(&u, &d, 8); printf("%s %016lx\n", name, u); }
static void fbits(const char *name, float f) { unsigned u; memcpy(&u, &f, 4); printf("%s %08x\n", name, u); }
static void lbits(const char *name, long double l) { unsigned char b[16] = {0}; int i; memcpy(b, &l, 10); printf("%s ", name); for (i = 9; i >= 0; i--) printf("%02x", b[i]); puts(""); }
#define B(x) bits(#x, x)
#define F(x) fbits(#x, x)
#define L(x) lbits(#x, x)
static double d = 1.0 / 3;
static float f = 0.1f;
static long double l = 3.14159265358979323846264338327950288L;
static unsigned long huge = 18446744073709551615ul, odd = 9223372036854775809ul;
static double average(int n, ...) { va_list v; double sum = 0; int i; va_start(v, n); for (i = 0; i < n; i++) sum += i % 3 == 2 ? (double)va_arg(v, long double) : va_arg(v, double); va_end(v); return sum / n; }
static float half(float x) { return x / 2; }
static long double mixed(float a, double b, long double c, int i, char e) { return a + b * c - i + e; }
int main(void) {
    B(0.1); B(1e23); B(9007199254740993.0); B(2.2250738585072011e-308); B(5e-324); B(2.4703282292062328e-324); B(1.7976931348623157e308); B(1e400); B(123456789012345678901234567890.0); B(0x1.fffffffffffffp-1023); B(0.5e-323); B(8.41e21);
    F(0.1f); F(16777217.0f); F(1e-45f); F(3.4028235e38f); F(1e39f); F(1.17549429e-38f); F(0x1.000001p0f); F(7.0e-46f);
    L(0.1L); L(1e4932L); L(1.18973149535723176502e+4932L); L(3.6e-4951L); L(1e-4940L); L(1e5000L); L(18446744073709551616.0L); L(123.456e-7L); L(0x1.8p-16400L);
    B(d); B(d * 3 - 1); B(f); B((float)d); B(f + d); F(f * f); F(d); L(l); B(l); L(l * d); L(f - l); B(-d); F(-f); L(-l); B(0.0 * -1); B(d / 1e-300 / 1e-300);
    B(huge); F(huge); L(huge); B(odd); F(odd); B(-1l); F(16777217); B(1u << 31); L(odd); B((double)(float)16777219);
    printf("%ld %ld %d %u %lu %lu %lu %d\n", (long)1e18, (long)-2.9f, (int)-3.99L, (unsigned)4e9, (unsigned long)1.8e19, (unsigned long)1.8e19L, (unsigned long)1.5f, (signed char)-100.7);
    printf("%d %d %d %d %d %d %d\n", d < f, d >= f, l == 3.14159265358979323846264338327950288L, f != 0.1, f == 0.1f, !d, d && f);
    d = 0.0 / (d - d);
    printf("%d %d %d %d %d\n", d == d, d != d, d < 1, d > 1, !(d >= 1));
    printf("%.3f %.4f %.6Lf\n", average(5, 1.5, 2.5, 3.5L, 4.5, f), half(3), mixed(1.5f, 2.5, 3.5L, 7, 'a'));
    d = 2.5; d++; d += 1; --d; d *= 3; f += 1; f /= 3; l -= f; l *= 2;
    printf("%g %g %Lg %g\n", d, f, l, 5 ? d : 1);
    printf("%f|%10.3f|%-10.2e|%+g|%G|%.0f|%.0f|%.0f|%#.0f|%015.4f|%g|%g|%g\n", 1.5, -2.25, 12345.678, 1.0, 1e-10, 0.5, 1.5, 2.5, 3.0, -3.14159, 1e15, 123456789.0, 0.0001);
    printf("%.20g|%.15g|%e|%Le|%Lg|%f|%g\n", 0.1, 0.3, 0.0, 1e4000L, 1e-4000L, 1e22, 1e-5);
    printf("%.17g %.17g %.9g %.21Lg %g %g\n", strtod("0.30000000000000004", NULL), strtod("-1.5e-10x", NULL), (double)strtof("16777217", NULL), strtold("1.1", NULL), strtod("0x1.8p1", NULL), strtod("inf", NULL));
    return 0;
}
