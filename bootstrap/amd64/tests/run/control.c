#include <stdio.h>
#include <setjmp.h>
#include <stdlib.h>
static jmp_buf outer, inner;
static int depth;
static void dive(int n) { if (n == 0) longjmp(inner, 3); depth++; dive(n - 1); }
static int classify(long c) {
    switch (c) {
    case 'a': case 'b': return 1;
    case -1: return 2;
    case 0x123456789aL: return 3;
    case 100: c++; /* falls through */
    case 101: return (int)c;
    default:
        if (c > 1000) { case 7: return 7; }
        break;
    case -9000000000000: return 4;
    }
    return 0;
}
static int duff(const char *s, int n) {
    int sum = 0, k = (n + 3) / 4;
    switch (n % 4) { case 0: do { sum += *s++; case 3: sum += *s++; case 2: sum += *s++; case 1: sum += *s++; } while (--k > 0); }
    return sum;
}
static int state(const char *s) {
start:
    if (!*s) goto end;
    if (*s == 'x') goto found;
    s++;
    goto start;
found: {
        int n = 0;
    again:
        if (*s++ == 'x') { n++; goto again; }
        return n;
    }
end:
    return -1;
}
static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static int compare(const void *a, const void *b) { return *(const char *)a - *(const char *)b; }
static int apply(int (*f)(int), int x) { return f ? f(x) : (*fib)(x); }
int main(void) {
    volatile int n = 0;
    int i, j;
    char letters[] = "the quick brown fox";
    long cases[] = {'a', 'b', -1, 0x123456789aL, 100, 101, 5, 1001, 7, -9000000000000, 0x23456789a};
    for (i = 0; i < 11; i++) printf("%d ", classify(cases[i]));
    printf("\n%d %d %d %d\n", duff("abcdefghij", 10), duff("abcdefghij", 7), state("abxxxc"), state("abc"));
    for (i = 0, j = 10; i < j; i++, j--) { if (i == 2) continue; if (j == 6) break; printf("%d%d ", i, j); }
    do printf("once "); while (0);
    while (1) { if (++n > 5) break; for (;;) { if (n++ & 1) break; } }
    printf("%d\n", n);
    if ((i = setjmp(outer)) == 0) {
        if (setjmp(inner) == 3) { n = depth; longjmp(outer, 0); }
        dive(5);
    }
    printf("%d %d %d\n", i, n, depth);
    qsort(letters, sizeof letters - 1, 1, compare);
    printf("[%s] %d %d\n", letters, apply(fib, 15), apply(0, 10));
    printf("%d %d %d\n", 0 && printf("no"), 1 || printf("no"), (n = 4, n++ + 1));
    for (int k = 3; k--;) printf("%d", k);
    ;
    puts("");
    if (i) if (!i) puts("dangling"); else puts("else");
    return 3;
}
