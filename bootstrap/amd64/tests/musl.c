#include <complex.h>
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
static void z(const char *name, double complex v) { printf("%s %.17g %.17g\n", name, creal(v), cimag(v)); }
static void zf(const char *name, float complex v) { printf("%s %.9g %.9g\n", name, crealf(v), cimagf(v)); }
static void zl(const char *name, long double complex v) { printf("%s %.21Lg %.21Lg\n", name, creall(v), cimagl(v)); }
#define Z(n) z(#n, n(v)); zf(#n "f", n##f(v));
#define D(n) printf(#n " %.17g %.9g\n", n(x), n##f(x));
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long total;
static void *thread(void *p) { int i; for (i = 0; i < 1000; i++) { pthread_mutex_lock(&lock); total += (long)p; pthread_mutex_unlock(&lock); } return (char *)p + 1; }
static int compare(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
static volatile sig_atomic_t caught;
static void handler(int s) { caught = s; }
static jmp_buf env; static sigjmp_buf senv;
int main(int argc, char **argv) {
    static const double xs[] = {0.5, -0.75, 1.0, 2.5, -3.25, 10.125, 0.001, 100.5}; int i, j;
    for (i = 0; i < 8; i++) for (j = 0; j < 8; j += 3) {
        double complex v = xs[i] + xs[j] * I;
        Z(cexp) Z(clog) Z(csqrt) Z(csin) Z(ccos) Z(ctan) Z(csinh) Z(ccosh) Z(ctanh) Z(casin) Z(cacos) Z(catan) Z(casinh) Z(cacosh) Z(catanh) Z(conj) Z(cproj)
        z("cpow", cpow(v, 1.5 - 0.5 * I)); printf("cabs %.17g carg %.17g %.9g\n", cabs(v), carg(v), cabsf(v));
        zl("csqrtl", csqrtl(v)); z("mul", v * (2 - 3 * I)); z("div", v / (2 - 3 * I)); zf("divf", (float complex)v / (2 - 3 * I));
    }
    for (i = 0; i < 8; i++) { double x = xs[i]; D(sin) D(cos) D(tan) D(exp) D(expm1) D(log) D(log1p) D(log2) D(log10) D(sqrt) D(cbrt) D(asin) D(atan) D(sinh) D(tanh) D(asinh) D(erf) D(tgamma) D(lgamma) D(floor) D(ceil) D(rint) D(round) D(trunc) D(fabs) D(exp2)
        printf("%.17g %.17g %.17g %.21Lg %ld %d\n", pow(fabs(x), 2.3), fmod(x, 0.3), atan2(x, 2), sqrtl(fabs(x)), lrint(x), ilogb(x)); }
    { pthread_t t[4]; void *r; for (i = 0; i < 4; i++) pthread_create(t + i, 0, thread, (void *)(long)(i + 1)); for (i = 0; i < 4; i++) { pthread_join(t[i], &r); printf("%ld ", (long)r); } printf("%ld\n", total); }
    { char *w[] = {"pear", "fig", "apple", "cherry", "date"}; qsort(w, 5, sizeof *w, compare); for (i = 0; i < 5; i++) printf("%s ", w[i]); printf("%s\n", *(char **)bsearch(&w[2], w, 5, sizeof *w, compare)); }
    { regex_t r; regmatch_t m[3]; regcomp(&r, "([a-z]+)-([0-9]+)", REG_EXTENDED); i = regexec(&r, "xx foo-123 yy", 3, m, 0); printf("%d %d %d\n", i, (int)m[1].rm_so, (int)m[2].rm_eo); regfree(&r); }
    signal(SIGUSR1, handler); raise(SIGUSR1); printf("caught %d\n", caught == SIGUSR1);
    if ((i = setjmp(env)) == 0) longjmp(env, 42); printf("%d\n", i);
    if ((i = sigsetjmp(senv, 1)) == 0) siglongjmp(senv, 7); printf("%d\n", i);
    { struct tm tm; time_t t = 1234567890; char b[64]; gmtime_r(&t, &tm); strftime(b, sizeof b, "%Y-%m-%d %H:%M:%S %a", &tm); printf("%s\n", b); }
    { double d; int n; char s[20], *p = malloc(100000); sscanf("3.25 17 word", "%lf %d %19s", &d, &n, s); memset(p, 'x', 99999); p[99999] = 0; printf("%g %d %s %zu\n", d, n, s, strlen(p)); free(p); p = realloc(malloc(10), 100000); printf("%d\n", p != 0); free(p); }
    printf("%ls %d %s\n", L"wide", (int)wcslen(L"four"), setlocale(LC_ALL, "C")); printf("%.40g %a %Lf %e\n", 0.1, 1.0 / 3, 2.5L, 12345.678);
    errno = ENOENT; printf("%s %s %ld %d\n", strerror(errno), strsignal(SIGSEGV), strtol("-0x1f", 0, 0), isalpha('q') != 0);
    { char buf[3][8] = {"aa", "bb", "cc"}; size_t n = 3; printf("%s\n", (char *)lfind("bb", buf, &n, 8, (int (*)(const void *, const void *))strcmp)); }
    if (argc > 5) fflush(0);
    return 3;
}
