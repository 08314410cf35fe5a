#include <stdio.h>
#include <string.h>
#include <stdarg.h>
typedef float _Complex fc; typedef double _Complex dc; typedef long double _Complex lc;
#define I (__extension__ (0.0f+1.0fi))
#define CMPLX(x, y) ((union { double _Complex z; double xy[2]; }){.xy = {(x),(y)}}.z)
static unsigned long sum(void *p, int n) { unsigned long h = 5381; unsigned char *q = p; while (n--) h = h * 33 + *q++; return h; }
static int quiet; static unsigned long hash;
static void say(unsigned long a, unsigned long b) { if (quiet) hash = (hash * 31 + a) * 31 + b; else printf("%lx,%lx ", a, b); }
static void pf(fc z) { unsigned a[2]; memcpy(a, &z, 8); say(a[0], a[1]); }
static void pd(dc z) { unsigned long a[2]; memcpy(a, &z, 16); say(a[0], a[1]); }
static void pl(lc z) { long double a[2]; memcpy(a, &z, 32); say(sum(a, 10), sum(a + 1, 10)); }
#define show(z) _Generic((z), fc: pf, dc: pd, lc: pl)(z)
static fc gf = 1.5f + 2.0f * I; static dc gd = -2.5 + 3.25 * I, gz = 3, gi = I; lc gl = 1.0L / 3 - 7.0L * I; static dc table[3] = {1, I, 2.0 - I}; static double gr = 2 * 3.0i * 1.0i == -6.0;
static int effects; static dc next(void) { effects++; return effects + 2.0i * effects; }
#define OPS(T, R) static void ops_##T(T a, T b, R r) { T c = a; R x; \
    show(a + b); show(a - b); show(a * b); show(a / b); show(a + r); show(r - a); show(r + a); show(a * r); show(r * a); show(a / r); show(r / a); show(-a); show(~a); show(a - r); \
    printf("%d%d%d%d%d%d%d%d ", a == b, a != b, a == a, a == r, !a, a && b, a ? 1 : 0, r == b); \
    c += b; show(c); c -= r; show(c); c *= b; show(c); c /= a; show(c); c++; show(c); --c; show(c); show(c++); show(c--); \
    __real__ c = 7; __imag__ c += 1; show(c); x = __real__ a + __imag__ b; show((T)x); show((T)(a ? b : r)); x = a; show(x + 0 * a); show(a * 3 + 2u - 'a'); printf("%lx\n", hash); }
OPS(fc, float) OPS(dc, double) OPS(lc, long double)
static fc rf(int k, fc a, float x, fc b) { return k ? a : b + x; }
static dc rd(int k, dc a, double x, dc b, dc c, dc d, dc e) { return k ? e : b + x + c + d + a; }
static lc rl(int k, lc a, long double x, lc b) { return k ? a : b + x; }
static dc va(int n, ...) { dc s = 0; va_list l; va_start(l, n); while (n--) { s += va_arg(l, dc); s *= va_arg(l, fc); s -= (dc)va_arg(l, lc); s += va_arg(l, int); } va_end(l); return s; }
static double two(double a, double b) { return a * 10 + b; }
struct pair { double re, im; };
static dc give(double a) { return CMPLX(a, a + 1); }
struct s { char c; dc z; fc f; lc l; } sv = {1, 2 + 3.0i, 4 - 1.0fi, 5};
int main(void) {
    static float fs[] = {0.0f, -0.0f, 1.0f, -2.5f, 3e30f, 1e-30f}; static double ds[] = {0.0, -0.0, 1.0, -2.5, 3e100, 1e-100}; int i, j;
    show(gf); show(gd); show(gz); show(gi); show(gl); show(table[0]); show(table[1]); show(table[2]); printf("%g\n", gr);
    quiet = 1;
    for (i = 0; i < 6; i++) for (j = 2; j < 6; j++) {
        ops_fc(fs[i] + fs[j] * I, fs[j] - fs[(i + j) % 6] * I, fs[j]);
        ops_dc(ds[i] + ds[j] * I, ds[j] - ds[(i + j) % 6] * I, ds[j]);
        ops_lc(ds[i] + ds[j] * I, ds[j] - (long double)ds[(i + j) % 6] * I, ds[j]);
    }
    quiet = 0;
    show(rf(0, gf, 2, gf)); show(rf(1, gf, 2, gf + 1)); show(rd(0, gd, 2, gd, gz, gi, gd)); show(rd(1, gd, 2, gd, gz, gi, gd)); show(rl(0, gl, 2, gl)); show(rl(1, gl, 2, gl)); printf("\n");
    show(va(3, gd, gf, gl, 1, gi, gf, gl, 2, gz, gf, gl, 3)); show(next() * next() + next()); printf("%d\n", effects);
    printf("%g %g\n", ((double (*)(dc))two)(CMPLX(4, 5)), ((struct pair (*)(double))give)(6).im);
    show(sv.z); show(sv.f); show(sv.l); sv.z *= sv.f; show(sv.z); printf("%d %d %d\n", (int)sizeof sv, (int)sizeof(fc), (int)_Alignof(lc));
    { dc a[4] = {1, 2.0i, [3] = 4}, *p = a; *p++ += I; (*p)++; show(a[0]); show(a[1]); show(a[3]); p[1] = p[2] = 9; show(a[2]); printf("%d\n", (int)(p - a)); }
    { dc z = i ? 3 : 2.0i; float f = gd; int n = gd; _Bool b = 0.5i; printf("%g %d %d %g\n", f, n, b, __real__ z); printf("%g %g %d\n", __real__ 3.5, __imag__ 3.5, (int)__imag__ 3); }
    { lc z = ({ lc t = gl; t * t; }); show(z); show((fc)z); show((dc)gf); show((0, gf)); printf("\n"); }
    return 0;
}
