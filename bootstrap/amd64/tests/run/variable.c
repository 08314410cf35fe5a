#include <stdio.h>
#include <string.h>
static int calls;
static int f(int n, int m, int a[n][m], char (*p)[m + 1], int b[*][m]) ;
static int f(int n, int m, int a[n][m], char (*p)[m + 1], int b[][m]) {
    int i, j, s = 0;
    for (i = 0; i < n; i++) for (j = 0; j < m; j++) s = s * 3 + a[i][j] + b[i][j];
    return s + sizeof a[0] * 1000 + sizeof *p * 100000 + (int)((char *)(p + 1) - (char *)p) * 7 + (int)(&a[2] - &a[0]);
}
static int g(int n, int a[static n], int w[n+1]) { return a[n - 1] + sizeof a + w[0] + n; }
static void *lfind(const void *key, const void *base, int n, int width) {
    char (*p)[width] = (void *)base; int i;
    for (i = 0; i < n; i++) if (memcmp(key, p[i], width) == 0) return p[i];
    return 0;
}
static int jumps(int n) {
    int s = 0, k = 0;
    char *low = 0;
again:
    if (k > 20) goto out;
    {
        char a[n + k];
        a[0] = k;
        if (low == 0) low = a;
        if (low - a > 4096) return -1;
        k++;
        if (k % 3 == 0) goto again;
        {
            int b[k];
            b[k - 1] = a[0];
            if (k % 3 == 1) goto skip;
            s += b[k - 1] * 5;
            if (k % 5 == 0) goto inner;
            s++;
inner:
            s += sizeof b + b[k - 1];
            if (k == 17) goto out;
            goto again;
        }
skip:
        s += a[0] + sizeof a;
        if (k % 2) goto tail;
    }
tail:
    goto again;
out:
    return s;
}
static int threaded(const char *code) {
    static const void *const table[] = { &&op_add, &&op_dbl, &&op_end, &&op_neg };
    int acc = 1;
    void *t;
#define NEXT goto *table[*code++ - '0']
    NEXT;
op_add: acc += 3; NEXT;
op_dbl: acc *= 2; NEXT;
op_neg: acc = -acc; t = &&op_dbl; goto *t;
op_end: return acc;
}
int main(void) {
    int n = 3, m = 5, i, j;
    int a[n][m], b[n + 1][m];
    char c[2][m + 1], (*q)[m] = 0;
    typedef int row[m];
    row r, *rp = a;
    int (*cube)[n][m];
    int space[2][3][5];
    m = 100;
    for (i = 0; i < 3; i++) for (j = 0; j < 5; j++) { a[i][j] = i * j + 1; b[i][j] = i - j; }
    for (i = 0; i < 5; i++) r[i] = rp[2][i];
    printf("%d %d %d %d %d %d\n", (int)sizeof a, (int)sizeof a[1], (int)sizeof b, (int)sizeof c, (int)sizeof *q, (int)sizeof(row));
    printf("%d\n", f(3, 5, a, c, b));
    printf("%d %d\n", r[4], g(4, (int[]){1, 2, 3, 4, 5}, (int[]){9}));
    cube = space; memset(space, 0, sizeof space);
    m = 5; cube[1][2][4] = 77; printf("%d %d %d\n", space[1][2][4], (int)sizeof *cube, (int)sizeof cube[0][0]);
    { int (*again)[n][m] = space; again[0][1][2] = 5; printf("%d %d\n", space[0][1][2], (int)(again + 1 == space + 1)); }
    printf("%s\n", (char *)lfind("cd", "abcdef", 3, 2));
    printf("%d %d %d\n", (int)sizeof(char[n + 2]), (int)sizeof(int[n][m]), (n = 7, (int)sizeof(short[n])));
    printf("%d\n", (*(int (*)[n])&space[0][1][2])[0]);
    printf("%d %d\n", jumps(3), jumps(40));
    printf("%d %d\n", threaded("0110132"), threaded("2"));
    for (int v[n], k = 0; k < n; k++) { v[k] = k; if (k == n - 1) printf("%d\n", v[k] + (int)sizeof v); }
    switch (n) { case 7: { char z[n]; z[6] = 1; if (z[6]) break; printf("no\n"); } default: printf("no\n"); }
    return 0;
}
