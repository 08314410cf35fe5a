#include <stdio.h>
#include <string.h>
#pragma pack(push, 4)
struct p29 { short f30 : 12; short f31 : 9; short f32 : 11; unsigned short f33; long last; };
#pragma pack(2)
struct p33 { long f34; unsigned char f35 : 4; int f36 : 10; unsigned char f37 : 4; long last; };
#pragma pack(pop)
static void dump(void *p, int n) { unsigned char *q = p; while (n--) printf("%02x", *q++); printf("\n"); }
int main(void) {
    struct p29 s; struct p33 t;
    memset(&s, 0, sizeof s); memset(&t, 0, sizeof t);
    s.f30 = 0x123; dump(&s, sizeof s); s.f31 = 0x55; dump(&s, sizeof s); s.f32 = 0x155; s.f33 = 9; dump(&s, sizeof s);
    printf("%d %d\n", s.f30++, --s.f30);
    printf("%d\n", s.f31++); printf("%d\n", --s.f31); printf("%d\n", s.f32++);
    t.f35 = 5; t.f36 = 99; t.f37 = 3; dump(&t, sizeof t); printf("%d\n", t.f36++); printf("%d\n", --t.f36); printf("%d %d\n", (int)sizeof s, (int)sizeof t);
    printf("%d\n", t.f35 -= 7); printf("%d\n", t.f35++);  printf("%d\n", --t.f35); printf("%d\n", t.f36 ^= 1023);
    return 0;
}
