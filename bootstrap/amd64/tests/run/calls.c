#include <stdio.h>
#include <stdarg.h>
#include <string.h>
struct ii { long a, b; }; struct dd { double a, b; }; struct id { int a; double b; }; struct di { double a; int b; }; struct ff { float a, b; }; struct fff { float a, b, c; };
struct c3 { char c[3]; }; struct c7 { char c[7]; }; struct c13 { char c[13]; }; struct big { long a[3]; }; struct ld { long double x; }; struct fi { float f; int i; };
struct empty {}; struct bits { unsigned a : 5; long b : 40; int c : 20; }; union u { double d; long l; }; union v { float f; double d; }; struct nest { struct ff f; union u u; };
struct __attribute__((packed)) pk { char c; double d; };
#define V(T) struct T T##_v;
#define STRUCTS(X) X(ii) X(dd) X(id) X(di) X(ff) X(fff) X(c3) X(c7) X(c13) X(big) X(fi) X(bits) X(nest) X(pk)
STRUCTS(V) V(ld)
static unsigned long sum(void *p, int n) { unsigned long h = 5381; unsigned char *q = p; while (n--) h = h * 33 + *q++; return h; }
#define S(v) sum(&(v), sizeof(v))
/* functions whose pieces are parameters of their own: the ABI makes them the same */
static long take_ii(long a, long b) { return a * 3 + b; }
static double take_dd(double a, double b) { return a * 3 + b; }
static double take_id(long a, double b) { return (int)a * 3 + b; }
static double take_di(double a, long b) { return a * 3 + (int)b; }
static double take_ff(double packed) { struct ff f; memcpy(&f, &packed, 8); return f.a * 3 + f.b; }
static long take_fi(long packed) { struct fi f; memcpy(&f, &packed, 8); return f.f * 3 + f.i; }
static double take_u(long l) { union u u; u.l = l; return u.d; }
static double take_v(double d) { union v u; u.d = d; return u.f; }
static double take_mixed(long a, long b, long c, long d, long e, double x, long f, long stack1, long stack2) { return a + b * 2 + c * 3 + d * 4 + e * 5 + x + f * 6 + stack1 * 7 + stack2 * 8; }
static struct ii give_ii(long a) { struct ii r = {a, a + 1}; return r; }
static struct dd give_dd(double a) { struct dd r = {a, a + 1}; return r; }
static struct id give_id(double a) { struct id r = {a, a + 1}; return r; }
static struct di give_di(double a) { struct di r = {a, a + 1}; return r; }
static struct ld give_ld(double a) { struct ld r = {a * 2}; return r; }
static struct c7 give_c7(int a) { struct c7 r = {{a, a + 1, 3, 4, 5, 6, a}}; return r; }
static struct big *big_place;
static struct big give_big(long a) { struct big r = {{a, a + 1, a + 2}}; return r; }
static struct pk give_pk(double a) { struct pk r = {a, a}; return r; }
#define GIVE(T) static struct T copy_##T(int n, struct T a, struct T b, double d, struct T c) { return n == 0 ? a : n == 1 ? b : d > 1 ? c : a; }
STRUCTS(GIVE)
static unsigned long many(const char *k, ...) {
    va_list l; unsigned long h = 0;
    va_start(l, k);
    for (; *k; k++) switch (*k) {
#define C(ch, T) case ch: { struct T t = va_arg(l, struct T); h = h * 31 + S(t); break; }
    case 'c': { struct id t = va_arg(l, struct id); h = h * 31 + t.a + (long)t.b; break; }
    case 'd': { struct di t = va_arg(l, struct di); h = h * 31 + t.b + (long)t.a; break; }
    C('a', ii) C('b', dd) C('e', ff) C('f', fff) C('g', c3) C('h', c7) C('i', c13) C('j', big) C('l', fi) C('n', nest) C('p', pk)
    case 'x': h = h * 31 + va_arg(l, int); break;
    case 'y': h = h * 31 + (long)va_arg(l, double); break;
    case 'k': { struct ld t = va_arg(l, struct ld); h = h * 31 + (long)(t.x * 8); break; }
    }
    va_end(l);
    return h;
}
static int emp(int a, struct empty e, int b) { return a * 10 + b; }
int main(void) {
    unsigned seed = 12345; int i, k;
#define FILL(T) { unsigned char *q = (void *)&T##_v; for (i = 0; i < sizeof(struct T); i++) { seed = seed * 1103515245 + 12345; q[i] = seed >> 16 & 63; } printf(#T " %lx", S(T##_v)); T##_v = copy_##T(1, T##_v, T##_v, 0, T##_v); printf(" %lx", S(T##_v)); T##_v = copy_##T(2, T##_v, T##_v, 2, T##_v); printf(" %lx\n", S(T##_v)); }
    memset(&ld_v, 0, sizeof ld_v);
    STRUCTS(FILL)
    ld_v.x = 3.5; memset(&fff_v, 0, sizeof fff_v); id_v.a = 7; id_v.b = 2.5; dd_v.a = 1.25; dd_v.b = 8; di_v.a = 9; di_v.b = 4; ff_v.a = 1.5; ff_v.b = 2; fi_v.f = 3; fi_v.i = 11; ii_v.a = 5; ii_v.b = 6; pk_v.d = 1;
    nest_v.f = ff_v; nest_v.u.d = 1.5;
    printf("%ld %g %g %g %g %ld\n", ((long (*)(struct ii))take_ii)(ii_v), ((double (*)(struct dd))take_dd)(dd_v), ((double (*)(struct id))take_id)(id_v), ((double (*)(struct di))take_di)(di_v), ((double (*)(struct ff))take_ff)(ff_v), ((long (*)(struct fi))take_fi)(fi_v));
    { union u u; union v v; u.d = 4.5; v.f = 2.25f; printf("%g %g\n", ((double (*)(union u))take_u)(u), ((double (*)(union v))take_v)(v)); }
    printf("%g\n", ((double (*)(struct ii, struct ii, long, struct dd, struct ii, long))take_mixed)(ii_v, ii_v, 3, dd_v, ii_v, 100));
    printf("%ld %ld\n", ((long (*)(long))give_ii)(41), give_ii(3).b);
    printf("%g %g\n", ((double (*)(double))give_dd)(41), give_dd(3).b);
    printf("%g %ld %g %ld\n", ((double (*)(double))give_id)(41), ((long (*)(double))give_id)(41) & 255, ((double (*)(double))give_di)(41), (long)give_di(6).b);
    printf("%g %ld\n", (double)((long double (*)(double))give_ld)(41), ((long (*)(int))give_c7)(3) & 0xffffffffffffff);
    { struct big b; struct big *(*f)(struct big *, long) = (struct big *(*)(struct big *, long))give_big; printf("%d %ld\n", f(&b, 8) == &b, b.a[2]); }
    { struct pk b; struct pk *(*f)(struct pk *, double) = (struct pk *(*)(struct pk *, double))give_pk; printf("%d %g\n", f(&b, 8) == &b, b.d); }
    { memset(&id_v, 0, sizeof id_v); memset(&di_v, 0, sizeof di_v); id_v.a = 7; id_v.b = 2.5; di_v.a = 9; di_v.b = 4; }
    printf("a %lx b %lx c %lx d %lx\n", many("a", ii_v), many("b", dd_v), many("c", id_v), many("d", di_v));
    printf("%lx %lx %lx %lx %lx\n", many("e", ff_v), many("f", fff_v), many("g", c3_v), many("h", c7_v), many("i", c13_v));
    printf("%lx %lx %lx %lx %lx\n", many("j", big_v), many("l", fi_v), many("n", nest_v), many("p", pk_v), many("k", ld_v));
    for (k = 0; k < 3; k++) {
        printf("%lx\n", many("abxycdefghxijlpny", ii_v, dd_v, 3, 2.0, id_v, di_v, ff_v, fff_v, c3_v, c7_v, 77, c13_v, big_v, fi_v, pk_v, nest_v, 9.0));
        printf("%lx\n", many("kxkbbbbbbyaaaay", ld_v, 1, ld_v, dd_v, dd_v, dd_v, dd_v, dd_v, dd_v, 5.0, ii_v, ii_v, ii_v, ii_v, 6.0));
    }
    { struct empty e; printf("%d\n", emp(1, e, 2)); }
    return 0;
}
