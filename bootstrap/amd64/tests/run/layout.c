#include <stdio.h>
#include <string.h>
struct __attribute__((packed)) a { unsigned a : 3; int b : 7; unsigned c : 19; char d; long e : 40; unsigned f : 9; };
struct b { char c; int x __attribute__((packed)); short y __attribute__((aligned(8))); };
struct c { _Alignas(16) char c; char d; __attribute__((aligned(4))) char e; };
#pragma pack(1)
struct d { char c; int i : 31; int j : 2; long k : 33; _Bool l : 1; unsigned char m : 4; };
#pragma pack(2)
struct e { char c; long l; int x : 5; struct { char q; int r; } in; };
#pragma pack()
struct f { char c; long l; struct __attribute__((packed)) { char q; int r; } in; };
union __attribute__((packed)) g { int x : 3; unsigned y : 11; char z; };
struct h { unsigned long long a : 33; unsigned b : 31; int : 0; short c : 9; char d : 8; };
struct __attribute__((packed)) i { char a; int b : 32; long c; };
struct __attribute__((packed, aligned(4))) j { char a; short b; };
static void dump(void *p, int n) { unsigned char *q = p; while (n--) printf("%02x", *q++); printf("\n"); }
struct a ga = {5, -3, 0x5aaaa, 'x', -12345678901, 300};
struct d gd = {'q', -5, 1, 4000000000, 1, 9};
struct i gi = {1, -2, 3};
int r1[10] = {[2 ... 5] = 7, 8, [0] = 1};
struct { int a; int b[4]; } r2[4] = {[1 ... 2] = {3, {[0 ... 1] = 4, 5}}, {9}, [0].b[1 ... 3] = 6};
char *r3[] = {[0 ... 2] = "ab", "c"};
int r4[2][3] = {[0 ... 1][1] = 5, [1] = {[2] = 9}};
struct { struct { int x, y; } a; int z; } r5 = {.a = {1, 2}, .z = 3, .a = {4}};
#define T(s) { struct s v; memset(&v, 0, sizeof v); printf(#s " %d %d\n", (int)sizeof v, (int)_Alignof(struct s)); }
int main(void) {
    int i, k;
    T(a) T(b) T(c) T(d) T(e) T(f) T(h) T(i) T(j)
    printf("%d\n", (int)sizeof(union g));
    dump(&ga, sizeof ga); dump(&gd, sizeof gd); dump(&gi, sizeof gi);
    { struct a v; struct d w; struct i x; memset(&v, 0, sizeof v); memset(&w, 0, sizeof w); memset(&x, 0, sizeof x);
      for (i = -3; i < 4; i++) {
        v.a += i; v.b = v.b * 3 + i; v.c ^= i * 99991; v.d++; v.e -= 77777777777 * i; v.f = i;
        w.i = w.i * 7 + i; w.j = i; w.k -= 123456789 + i; w.l = i; w.m += 5; w.c--;
        x.b = x.b * 5 - i; x.b++; x.c = x.b--;
        dump(&v, sizeof v); dump(&w, sizeof w); dump(&x, sizeof x);
        printf("%d %d %d %ld %d %d %d %ld %d\n", v.a, v.b, v.c, (long)v.e, v.f, w.i, w.j, (long)w.k, x.b);
      } }
    for (i = 0; i < 10; i++) printf("%d ", r1[i]);
    for (i = 0; i < 4; i++) { printf("| %d:", r2[i].a); for (k = 0; k < 4; k++) printf(" %d", r2[i].b[k]); }
    printf("\n%d %s %s %s\n", (int)sizeof r3, r3[0], r3[2], r3[3]);
    dump(r4, sizeof r4); dump(&r5, sizeof r5);
    { struct { struct { int x, y; } a; int z; } v = {.a = {1, 2}, .z = 3, .a = {4}}; dump(&v, sizeof v); }
    { struct { int *p, q; } w = {(int[]){1, 2, 3, 4, 5}, 6}, *x = &w; int guard = 9, *y[2] = {(int[3]){7}, (int[]){8, 9}}; printf("%d %d %d %d %d %d\n", w.p[4], x->q, guard, y[0][0], y[0][2], y[1][1]); }
    { int v[6] = {[0 ... 1] = 2, [4 ... 5] = -1}; dump(v, sizeof v); }
    return 0;
}
