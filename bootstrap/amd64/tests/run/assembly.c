#include <stdio.h>
static int cas(volatile int *p, int t, int s) { __asm__ __volatile__ ("lock ; cmpxchg %3, %1" : "=a"(t), "=m"(*p) : "a"(t), "r"(s) : "memory"); return t; }
static void *casp(volatile void *p, void *t, void *s) { __asm__("lock ; cmpxchg %3, %1" : "=a"(t), "=m"(*(void *volatile *)p) : "a"(t), "r"(s) : "memory"); return t; }
static int swap(volatile int *p, int v) { __asm__ __volatile__("xchg %0, %1" : "=r"(v), "=m"(*p) : "0"(v) : "memory"); return v; }
static int fetch_add(volatile int *p, int v) { __asm__ __volatile__("lock ; xadd %0, %1" : "=r"(v), "=m"(*p) : "0"(v) : "memory"); return v; }
static void and(volatile int *p, int v) { __asm__ __volatile__("lock ; and %1, %0" : "=m"(*p) : "r"(v) : "memory"); }
static void or64(volatile unsigned long *p, unsigned long v) { __asm__ __volatile__("lock ; or %1, %0" : "=m"(*p) : "r"(v) : "memory"); }
static void inc(volatile int *p) { __asm__ __volatile__("lock ; incl %0" : "=m"(*p) : "m"(*p) : "memory"); }
static void dec(volatile int *p) { __asm__ __volatile__("lock ; decl %0" : "=m"(*p) : "m"(*p) : "memory"); }
static void store(volatile int *p, int x) { __asm__ __volatile__("mov %1, %0 ; lock ; orl $0,(%%rsp)" : "=m"(*p) : "r"(x) : "memory"); }
static int ctz(unsigned long x) { __asm__("bsf %1,%0" : "=r"(x) : "r"(x)); return x; }
static int clz(unsigned long x) { __asm__("bsr %1,%0 ; xor $63,%0" : "=r"(x) : "r"(x)); return x; }
static long sys6(long n, long a1, long a2, long a3, long a4, long a5, long a6) {
    unsigned long ret;
    register long r10 __asm__("r10") = a4;
    register long r8 __asm__("r8") = a5;
    register long r9 __asm__("r9") = a6;
    __asm__ __volatile__ ("syscall" : "=a"(ret) : "a"(n), "D"(a1), "S"(a2), "d"(a3), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return ret;
}
static double fabs_(double x) { double t; __asm__ ("pcmpeqd %0, %0" : "=x"(t)); __asm__ ("psrlq   $1, %0" : "+x"(t)); __asm__ ("andps   %1, %0" : "+x"(x) : "x"(t)); return x; }
static float fabsf_(float x) { float t; __asm__ ("pcmpeqd %0, %0" : "=x"(t)); __asm__ ("psrld   $1, %0" : "+x"(t)); __asm__ ("andps   %1, %0" : "+x"(x) : "x"(t)); return x; }
static long double fabsl_(long double x) { __asm__ ("fabs" : "+t"(x)); return x; }
static double sqrt_(double x) { __asm__ ("sqrtsd %1, %0" : "=x"(x) : "x"(x)); return x; }
static float sqrtf_(float x) { __asm__ ("sqrtss %1, %0" : "=x"(x) : "x"(x)); return x; }
static long double sqrtl_(long double x) { __asm__ ("fsqrt" : "+t"(x)); return x; }
static long double fmodl_(long double x, long double y) { unsigned short fpsr; do __asm__ ("fprem; fnstsw %%ax" : "+t"(x), "=a"(fpsr) : "u"(y)); while (fpsr & 0x400); return x; }
static long lrint_(double x) { long r; __asm__ ("cvtsd2si %1, %0" : "=r"(r) : "x"(x)); return r; }
static long lrintf_(float x) { long r; __asm__ ("cvtss2si %1, %0" : "=r"(r) : "x"(x)); return r; }
static long long llrintl_(long double x) { long long r; __asm__ ("fistpll %0" : "=m"(r) : "t"(x) : "st"); return r; }
static long double rintl_(long double x) { __asm__ ("frndint" : "+t"(x)); return x; }
int global = 5; long wide[4];
struct s { int a; unsigned b : 7; struct s *next; };
static int wrap(int a, int b) { int r; __asm__("mov %[left], %[result]\n\tadd %[right], %[result]" : [result] "=&r"(r) : [left] "r"(a), [right] "r"(b) : "cc"); return r; }
int main(void) {
    volatile int v = 3; volatile unsigned long w = 0xf0f0; void *p = (void *)&v; struct s st = {1, 2}, *q = &st; st.next = q;
    int r; unsigned char c = 200; short h = -5; unsigned cw; unsigned lo, hi;
    r = cas(&v, 3, 9); printf("%d %d\n", r, v); r = cas(&v, 4, 1); printf("%d %d\n", r, v);
    printf("%d %d\n", casp(&p, (void *)&v, &w) == (void *)&v, p == (void *)&w);
    r = swap(&v, -4); printf("%d %d\n", r, v); r = fetch_add(&v, 10); printf("%d %d\n", r, v);
    and(&v, 12); printf("%d\n", v); or64(&w, 0x0f0000000000000f); printf("%lx\n", w); inc(&v); inc(&v); dec(&v); printf("%d\n", v); store(&v, 77); printf("%d\n", v);
    printf("%d %d %d %d\n", ctz(40), clz(40), ctz(1L << 63), clz(1));
    printf("%ld\n", sys6(1, 1, (long)"", 0, 0, 0, 0));
    printf("%ld\n", sys6(39 + 1000, 0, 0, 3, 0x22, -1, 0));
    printf("%.3f %.3f %.3f %.6f %.6f\n", fabs_(-2.5), fabsf_(-1.25f), (double)fabsl_(-7.5L), sqrt_(2), sqrtf_(2));
    printf("%.9Lf %.5Lf %.5Lf\n", sqrtl_(3), fmodl_(1e20L, 7.25L), fmodl_(-9.5L, 4));
    printf("%ld %ld %ld %lld %lld %.1Lf\n", lrint_(2.5), lrint_(-3.7), lrintf_(1e6f), llrintl_(-2.5L), llrintl_(1e15L), rintl_(3.5L));
    __asm__("addl $7, %0" : "+m"(global)); __asm__ volatile ("negq %0" : "+m"(wide[2]) : : "cc"); wide[1] = 3; __asm__("shl $4, %0\n sub $1, %0" : "+r"(wide[1]));
    printf("%d %ld %ld\n", global, wide[1], wide[2]);
    __asm__("add %b1, %b0" : "+q"(c) : "q"((unsigned char)100)); __asm__("neg %w0" : "+r"(h));
    printf("%d %d %d\n", c, h, st.a == (int)(long)&st || 1);
    q = &st; q->b = 3; __asm__("add %1, %0" : "+r"(q->a) : "i"(1000)); { unsigned t = q->b; __asm__("not %0" : "+r"(t)); q->b = t; }
    printf("%u %d\n", st.b, wrap(40, 2));
    __asm__ volatile ("" : : : "memory"); __asm__ volatile ("pause" ::: "memory"); __asm__("nop");
    lo = 7; __asm__("mull %3" : "=a"(lo), "=d"(hi) : "0"(lo), "rm"(0x80000000u)); printf("%u %u\n", lo, hi);
    __asm__("" : "+r"(r) : : "memory"); printf("%d\n", r);
    { long base; __asm__("lea 8(%1), %0" : "=r"(base) : "r"(100L)); printf("%ld\n", base); }
    { unsigned short x; __asm__("fnstcw %0" : "=m"(x)); printf("%x\n", x); }
    { register int e __asm__("r12") = 5; __asm__("imul %1, %0" : "+r"(e) : "r"(9)); printf("%d\n", e); }
    return 0;
}
