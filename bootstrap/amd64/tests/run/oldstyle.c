#include <stdio.h>
static double f(a, x, b) int a; float x; short b; { x += 0.5f; return x * a + b + sizeof x; }
static long g(c, p, u) char c; char *p[]; unsigned char u; { return c + u + (p[1] - p[0]); }
double h();
int main(void) { char s[9], *q[2]; q[0] = s; q[1] = s + 4; printf("%g %g %ld\n", f(2, 1.25f, 7), f(3, 2.0, 9), g('a', q, 300)); printf("%g\n", h(1.5f, 2.5)); return 0; }
double h(x, y) float x, y; { float *p = &x; *p *= 2; return x + y; }
