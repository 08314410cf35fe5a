#include <stdio.h>
#include <stddef.h>
#include <string.h>
struct bits { unsigned a : 3, b : 7; int c : 5; unsigned : 0; unsigned char d : 4; _Bool e : 1; short f : 9; unsigned long g : 30; int : 3; unsigned h : 32; };
struct inner { char c; union { long l; double d; struct { int x, y; }; }; };
struct outer { struct inner in[2]; struct outer *next; int (*function)(int); char name[5]; };
struct big { long v[5]; };
struct small { char a, b; };
struct __attribute__((packed)) packed { char a; int b; short c; };
typedef struct node node;
struct node { int value; node *left, *right; };
static int twice(int x) { return 2 * x; }
static struct big make(int n) { struct big b = {{n, n + 1, [4] = n + 4}}; return b; }
static struct small swap(struct small s) { struct small t; t.a = s.b; t.b = s.a; return t; }
static long total(struct big b, int k, struct small s) { b.v[0] += k; return b.v[0] + b.v[1] + b.v[2] + b.v[3] + b.v[4] + s.a; }
static struct outer o = {{{'a', {5}}, {.c = 'b', .d = 2.5}}, &o, twice, "abcde"};
static struct bits sb = {1, 100, -3, 9, 1, -7, 12345, 0xffffffffu};
static node tree[] = {{1, &tree[1], &tree[2]}, {2}, {3, tree}};
static int insert(node **at, int value, node *fresh) {
    while (*at) at = value < (*at)->value ? &(*at)->left : &(*at)->right;
    fresh->value = value;
    fresh->left = fresh->right = 0;
    *at = fresh;
    return value;
}
static void walk(node *n) { if (n) { walk(n->left); printf("%d ", n->value); walk(n->right); } }
int main(void) {
    struct bits b = sb, *p = &b;
    struct big x, *y = &x;
    struct small s = {1, 2};
    node pool[8], *root = NULL;
    int i, values[] = {5, 2, 8, 1, 9, 3};
    printf("%d %d %d %d %d %d\n", (int)sizeof(struct bits), (int)sizeof(struct inner), (int)sizeof(struct outer), (int)sizeof(struct packed), (int)offsetof(struct outer, name), (int)offsetof(struct packed, c));
    printf("%u %u %d %u %d %d %lu %u\n", b.a, b.b, b.c, b.d, b.e, b.f, (unsigned long)b.g, b.h);
    b.a += 9; p->b--; b.c *= 5; p->d <<= 1; b.e = 4; b.f -= 300; p->g ^= 0x3fffffff; b.h++;
    printf("%u %u %d %u %d %d %lu %u\n", b.a, b.b, b.c, b.d, b.e, b.f, (unsigned long)b.g, b.h);
    printf("%d %d %d %d\n", b.a++, ++b.c, p->f = 300, (b.a - 8) < 0);
    printf("%c %ld %c %.1f %d %.5s %d\n", o.in[0].c, o.in[0].l, o.in[1].c, o.in[1].d, o.next->function(21), o.name, (*o.function)(4));
    o.in[0].y = 7; o.next->in[1].x = -1;
    printf("%d %d %d\n", o.in[0].x, o.in[0].y, o.in[1].x);
    x = make(10); *y = make(total(x, 3, s));
    printf("%ld %ld %ld %d\n", x.v[0], y->v[1], make(1).v[4], swap(swap(swap(s))).a);
    printf("%ld\n", (i = 1 ? total((x = make(2), x), 1, (struct small){9, 9}) : 0, (long)i));
    printf("%d %d\n", tree[2].left->right->value, (int)(sizeof tree / sizeof *tree));
    for (i = 0; i < 6; i++) insert(&root, values[i], &pool[i]);
    walk(root);
    puts("");
    printf("%d %d\n", memcmp(&b, &sb, sizeof b) != 0, ((struct small[]){{1, 2}, {3, 4}})[1].b);
    return 0;
}
