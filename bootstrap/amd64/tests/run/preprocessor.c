#include <stdio.h>
#include <string.h>
#define EMPTY
#define STR(x) #x
#define XSTR(x) STR(x)
#define CAT(a, b) a##b
#define XCAT(a, b) CAT(a, b)
static int SELF = 3, G = 5;
#define SELF SELF + 1
#define F(x) (x) + G
#define G(x) F(x)
#define VAR(fmt, ...) printf(fmt "\n", ##__VA_ARGS__)
#define ARGS(...) #__VA_ARGS__
#define SWAP(a, b) b a
#define NEST(x) x(2) NEST
#define TWICE(x) (2 * (x))
#define NAMED(first, rest...) first rest
#define hash_hash # ## #
#define mkstr(a) # a
#define in_between(a) mkstr(a)
#define join(c, d) in_between(c hash_hash d)
#define LONG_ONE \
    1 + \
    2
static int SELF_is_no_macro = 4;
#if defined(EMPTY) && !defined NOTHING && (1 ? 2 : 0) == 2 && -1 < 0 && (0 - 1u) > 0 && 'a' == 97 && ~0 == -1
#define YES 1
#elif 1 / 0
#error never read
#else
#error "wrong branch"
#endif
#if 0
do not look here; /* nor
#endif
#else in a comment
*/
#endif
#if 1
#else
#if 1
#error nested in a skipped group
#endif
#endif
#ifdef EMPTY /* a comment */
#undef EMPTY
#endif
#ifndef EMPTY
#define EMPTY nothing
#endif
int main(void) {
    puts(XSTR(SELF) "|" XSTR(F(1)) "|" XSTR(F (2)));
    puts(XSTR(EMPTY) STR( a  "b\n" 'c\'' \\ ) STR());
    printf("%d %d %s\n", XCAT(SELF_is, _no_macro), LONG_ONE, join(x, y));
    VAR("none");
    VAR("%d %s", 1, "two");
    puts(ARGS(a, (b, c), "d,e"));
    puts(XSTR(SWAP(1, 2)) XSTR(NAMED(a)) ARGS(NAMED(a, b, c)));
    printf(NAMED("%d %d\n", , 5, 6));
    puts(XSTR(TWICE(TWICE(1))) XSTR(NEST(TWICE)));
    printf("%d %s %d\n", __LINE__, strrchr(__FILE__, 'p'), YES);
    printf("%s\n", STR(
        over several
        lines));
#define LATE(x) x
    printf("%d\n", LATE
        (7));
    printf("%d %d\n", CAT(1, 2), CAT(, 3));
    return G - 5 + SELF - 4;
}
