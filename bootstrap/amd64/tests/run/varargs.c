#include <stdio.h>
#include <stdarg.h>
struct pair { long a; double b; };
static void show(const char *kinds, ...) {
    va_list v, w;
    va_start(v, kinds);
    va_copy(w, v);
    for (; *kinds; kinds++)
        switch (*kinds) {
        case 'i': printf("%d ", va_arg(v, int)); break;
        case 'u': printf("%u ", va_arg(v, unsigned)); break;
        case 'l': printf("%ld ", va_arg(v, long)); break;
        case 'd': printf("%g ", va_arg(v, double)); break;
        case 'L': printf("%Lg ", va_arg(v, long double)); break;
        case 's': printf("%s ", va_arg(v, char *)); break;
        case 'p': { struct pair p = va_arg(v, struct pair); printf("(%ld %g) ", p.a, p.b); break; }
        }
    va_end(v);
    printf("first %d\n", va_arg(w, int));
    va_end(w);
}
static int deliver(char *to, const char *format, va_list list) { return vsprintf(to, format, list); }
static int format(char *to, const char *text, ...) { int n; va_list v; va_start(v, text); n = deliver(to, text, v); va_end(v); return n; }
static int many(int a, char b, short c, long d, unsigned e, int f, int g, char h, float i, double j, float k, float l, float m, float n, float o, double p, float q, long double r, int s) {
    return a + b + c + d + e + f + g * 2 + h * 3 + (int)(i + j + k + l + m + n + o + p * 4 + q * 5 + r * 6) + s * 7;
}
int main(void) {
    char buffer[200], c = 'c';
    short s = -5;
    float f = 1.5f;
    struct pair p = {7, 2.5};
    show("iiiiiiii", 1, 2, 3, 4, 5, 6, 7, 8);
    show("iddddddddddi", c, 1.0, 2.0, 3.0, f, 5.0, 6.0, 7.0, 8.0, 9.0, f * 7, s);
    show("iLiLdL", 1, 2.5L, 3, 4.5L, 5.5, 6.5L);
    show("ilpspulpd", 1, -2l, p, "text", p, 4000000000u, 3l, p, 9.5);
    printf("%d ", format(buffer, "%s-%d-%g-%c-%ld", "x", 1, 2.5, 'y', 1234567890123));
    puts(buffer);
    printf("%d\n", many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19));
    printf("[%5d|%-5d|%05d|%+d|% d|%x|%X|%#x|%o|%#o|%c|%5s|%-5s|%.2s|%%|%5.3d|%ld|%lx|%hd|%hhd|%zu|%*d|%-*d|%.*s|%i]\n", 42, 42, 42, 42, 42, 255, 255, 255, 8, 8, 'c', "ab", "ab", "abc", 7, -1l, -1l, 70000, 300, sizeof(int), 4, 7, 4, 7, 2, "xyz", -3);
    printf("%s %d %d\n", (char *)"end", snprintf(buffer, 5, "%s", "too long"), sscanf("12 abc", "%d %s", &(int){0}, buffer));
    puts(buffer);
    return 0;
}
