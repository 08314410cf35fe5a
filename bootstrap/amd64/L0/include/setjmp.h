#ifndef L0_SETJMP_H
#define L0_SETJMP_H
typedef long jmp_buf[8];
#ifdef __S4__
#define setjmp(buffer) __s4_setjmp(buffer)
#else
int setjmp(jmp_buf buffer);
#endif
void longjmp(jmp_buf buffer, int value);
#endif
