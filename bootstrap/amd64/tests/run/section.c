#include <stdio.h>
/* Assembly outside functions, and names in it. */
__asm__(
".text\n"
".global add_three, count_down\n"
".type add_three,@function\n"
"add_three:            # three arguments\n"
"	lea (%rdi,%rsi,2),%rax\n"
"	add %rdx,%rax /* and the third */\n"
"	ret\n"
"count_down:\n"
"	xor %eax,%eax\n"
"	mov %edi,%ecx\n"
"1:	add %rcx,%rax\n"
"	dec %rcx\n"
"	jnz 1b\n"
"	cmp $55,%rax\n"
"	je 1f\n"
"	neg %rax\n"
"1:	ret\n"
".size count_down,.-count_down\n"
"own:	push %rbx\n"
"	mov $0x123456789abcdef0,%rbx\n"
"	mov %rbx,%rax\n"
"	pop %rbx\n"
"	ret\n"
".globl through\n"
"through:\n"
"	sub $8,%rsp\n"
"	call own\n"
"	add $8,%rsp\n"
"	mov counter(%rip),%rdx\n"
"	incq counter(%rip)\n"
"	incl counter+8(%rip)\n"
"	add %rdx,%rax\n"
"	jmp twice\n"
".weak nowhere\n"
".weak surely\n"
"surely:	mov $3,%eax\n"
"	ret\n"
);
long add_three(long, long, long), count_down(int), through(void);
int maybe(void), surely(void);
int maybe(void) { return 2; }
extern int nowhere(void) __attribute__((weak));
long counter[2] = {7, 20};
__attribute__((used)) long twice(void) { long r; __asm__("add %%rax,%0" : "=r"(r) : "0"(1L) : "memory"); return 5; }
static long sum(long *p, long n) {
    long s = 0;
    __asm__("1: test %1,%1\n jz 2f\n add -8(%2,%1,8),%0\n dec %1\n jmp 1b\n2:" : "+r"(s), "+r"(n) : "r"(p) : "memory", "cc");
    return s;
}
static void *where(void) { void *p; __asm__("lea counter(%%rip),%0" : "=r"(p)); return p; }
int main(void) {
    long a[5] = {1, 20, 300, 4000, 50000};
    printf("%ld %ld %ld\n", add_three(1, 2, 3), count_down(10), count_down(4));
    printf("%ld %ld %ld\n", through(), counter[0], counter[1]);
    printf("%d %d %d\n", maybe(), surely(), nowhere == 0);
    printf("%ld %d\n", sum(a, 5), where() == counter);
    return 0;
}
