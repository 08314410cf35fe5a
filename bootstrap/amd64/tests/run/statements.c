#include <stdio.h>
#include <stdlib.h>
#define max(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a > _b ? _a : _b; })
#define SAFE(x) ({ int _old = depth; depth++; (void)(x); depth = _old; })
struct point { int x, y; long more[3]; };
static int depth, steps;
static int note(int x) { steps = steps * 10 + x; return x; }
static long double wide(int n) { return ({ long double w = n; w *= 1.5L; w; }) + ({ 2.25L; }); }
static int early(int n) { int r = ({ if (n > 3) return 100; n * 2; }); return r + 1; }
static int sum(int n, ...) { __builtin_va_list v; int t = 0; __builtin_va_start(v, n); while (n--) t += __builtin_va_arg(v, int); __builtin_va_end(v); return t; }
int main(void) {
    int i, k = 3; struct point p; double d = 2.5; char *s;
    printf("%d %d %.1f\n", max(3, 4), max(k, max(7, note(2))), max(d, 1.5));
    SAFE(printf("in %d\n", depth)); printf("%d\n", depth);
    p = ({ struct point q = {k, k + 1, {1, 2, 3}}; q.more[2] += k; q; }); printf("%d %d %ld\n", p.x, p.y, p.more[2]);
    printf("%d\n", ({ struct point q = {8, 9}; q; }).y);
    printf("%.2f %d %d\n", (double)wide(3), early(2), early(9));
    k = ({ int t = 0; for (i = 0; i < 10; i++) { if (i == 3) continue; if (i == 8) break; t += i; } t; }); printf("%d\n", k);
    k = ({ int r; switch (k) { case 25: r = 1; break; default: r = 2; } r; }); printf("%d\n", k);
    steps = 0; k = note(1) + ({ note(2); }) * ({ note(3); note(4); }) + sum(3, ({ note(5); }), 1, ({ printf("deep %d\n", steps); 2; })); printf("%d\n", k);
    for (i = ({ 0; }); ({ i < 3; }); ({ i++; })) printf("%d", i); puts("");
    while (({ int c = k--; c > 28; })) printf("."); puts("");
    s = ({ static char text[] = "static"; text; }); printf("%s %c\n", s, ({ "array"; })[1]);
    if (({ ; }), ({ int x = 5; x; }) == 5) puts("yes");
    k = 1 ? ({ 7; }) : ({ puts("never"); 8; }); printf("%d %d\n", k, (int)sizeof(({ long z; z; })));
    printf("%d\n", ({ ({ ({ 1; }) + 1; }) + ({ k ?: 4; }); }));
    for (i = 0; i < 300000; i++) k += ({ int t = i; t & 1; }); printf("%d\n", k);
    return ({ 5; });
}
