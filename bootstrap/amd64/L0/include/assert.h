#ifndef L0_ASSERT_H
#define L0_ASSERT_H
// The file's name is left out: a program with assertions has the same bytes wherever its sources lie.
void __assert_fail(const char *what, unsigned line, const char *function);
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) ((condition) ? (void)0 : __assert_fail(#condition, __LINE__, __func__))
#endif
#endif
