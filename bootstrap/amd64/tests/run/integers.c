#include <stdio.h>
#define SHOW(x) printf("%s = %lld, %d bytes\n", #x, (long long)(x), (int)sizeof(x))
static signed char sc = -100;
static unsigned char uc = 200;
static short s = -30000;
static unsigned short us = 60000;
static int i = -2000000000;
static unsigned u = 4000000000u;
static long l = -8000000000000000000;
static unsigned long ul = 16000000000000000000ul;
static _Bool b = 7;
enum small { A, B = 5, C };
enum negative { M = -1, N };
int main(void) {
    enum small e = C;
    enum negative n = M;
    SHOW(sc + uc); SHOW(uc << 4); SHOW(us * us); SHOW(s * s); SHOW(i + u); SHOW(i < u); SHOW(l < ul); SHOW((l < (long)u));
    SHOW(sc / 7); SHOW(sc % 7); SHOW(u / 7); SHOW(i / 7); SHOW(i % -7); SHOW(ul / 3); SHOW(ul % 1000); SHOW(l / -3); SHOW(l % 1000007);
    SHOW(i >> 3); SHOW(u >> 3); SHOW(l >> 40); SHOW(ul >> 60); SHOW(sc >> 1); SHOW(u << 1); SHOW(1l << 40); SHOW(sc ^ us); SHOW(~uc); SHOW(~u);
    SHOW(-u); SHOW(-uc); SHOW(!u); SHOW(b + b); SHOW((char)us); SHOW((short)u); SHOW((unsigned short)i); SHOW((unsigned)sc); SHOW((unsigned long)sc);
    SHOW((long)u); SHOW((_Bool)256); SHOW((_Bool)0.25); SHOW(e); SHOW(n < 0); SHOW(N); SHOW(e - 7 > 0);
    SHOW(0x7fffffff); SHOW(0x80000000); SHOW(2147483648); SHOW(0xffffffffffffffff > 0); SHOW(077); SHOW('\377'); SHOW('ab'); SHOW('\x41');
    SHOW(1 ? sc : u); SHOW(0 ? 1l : 2u); SHOW((uc, s)); SHOW(sizeof(char[7])); SHOW(sizeof 1); SHOW(1 && 0 || 3 && 4);
    sc += 300; uc -= 201; s <<= 3; us >>= 2; i *= 3; u += u; l -= 1; ul |= 1; b += 1;
    SHOW(sc); SHOW(uc); SHOW(s); SHOW(us); SHOW(i); SHOW(u); SHOW(l); SHOW(ul); SHOW(b);
    SHOW(sc++); SHOW(--uc); SHOW(s--); SHOW(++us); SHOW(b--); SHOW(b); SHOW(sc); SHOW(s); uc *= 1.5; SHOW(uc); i /= 2.5; SHOW(i); i %= 1000; SHOW(i);
    return 0;
}
