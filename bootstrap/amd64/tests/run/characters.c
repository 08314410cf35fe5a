#include <stdio.h>
#define S(x) #x
unsigned short a[] = u"aé€😀\u20ac\x1234";
unsigned b[] = U"aé€😀" "ü";
int c[] = L"aé€😀" L"\377";
char d[] = "aé€😀\u00e9\U0001f600";
char e[] = u8"é\xff";
struct { int n[4]; } f = { L"é" };
int main(void) {
    int i;
    for (i = 0; i < sizeof a / sizeof *a; i++) printf("%x ", a[i]);
    for (i = 0; i < sizeof b / sizeof *b; i++) printf("%x ", b[i]);
    for (i = 0; i < sizeof c / sizeof *c; i++) printf("%x ", c[i]);
    for (i = 0; i < sizeof d / sizeof *d; i++) printf("%x ", d[i] & 255);
    for (i = 0; i < sizeof e / sizeof *e; i++) printf("%x ", e[i] & 255);
    printf("\n%d %d %d %d %d %d\n", L'é', u'€', U'😀', L'\xff', '\xff', f.n[0]);
    printf("%d %d %d %d\n", (int)sizeof L'x', (int)sizeof u'x', (int)sizeof U'x', (int)sizeof 'x');
    printf("%s %d %d\n", S(L"a\n" 'x' L'\''), L"abc"[1], (int)sizeof u"ab");
    printf("%d\n", U'\xffffffff' > 0);
    printf("%d\n", (int)(L'\xffffffff' < 0));
    return 0;
}
