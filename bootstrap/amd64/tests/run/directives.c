#include <stdio.h>
#pragma once
#define F(a, ...) f(a __VA_OPT__(,) __VA_ARGS__)
#define G(x, ...) { x __VA_OPT__(, 5, __VA_ARGS__) }
#define H(x) x##__COUNTER__
#define TWICE 1
#define TWICE 2
static int f(int a, ...) { return a; }
#ifdef __has_include
#if __has_include(<stdio.h>) && !__has_include("nothing.h") && defined(__has_include)
int hi = 1;
#endif
#endif
#define E
#define STR(x) #x
#define XSTR(x) STR(x)
_Pragma("GCC diagnostic ignored \"-Wall\"") int q = 3;
int main(void) {
    int a[] = G(1), b[] = G(1, 2, 3), c[] = G(7, E);
    printf("%d %d %d %d\n", F(3), F(4, 5), F(5, E), hi);
    printf("%d %d %d\n", (int)sizeof a, (int)sizeof b, (int)sizeof c);
    printf("%d %d %d %s\n", __COUNTER__, __COUNTER__, q, XSTR(F(1, 2)));
#line 100 "other.c"
    printf("%s %d\n", __FILE__, __LINE__);
# 7 "x"
    printf("%s %d\n", __FILE__, __LINE__);
#pragma pack(push, 1)
    struct { char c; int i; } p;
    struct { char c; int i : 3; int j : 30; short k; } bb = {1, -2, 77777777, 5};
#pragma pack(2)
    struct { char c; int i; long l; } p2;
#pragma pack(pop)
    struct { char c; int i; } p3;
    printf("%d %d %d %d\n", (int)sizeof p, (int)sizeof p2, (int)sizeof p3, (int)sizeof bb);
    printf("%d\n", TWICE);
    return 0;
}
