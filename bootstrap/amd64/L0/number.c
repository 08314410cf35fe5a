// Characters and integers.
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

int isdigit(int c) { return c >= '0' && c <= '9'; }
int isupper(int c) { return c >= 'A' && c <= 'Z'; }
int islower(int c) { return c >= 'a' && c <= 'z'; }
int isalpha(int c) { return isupper(c) || islower(c); }
int isalnum(int c) { return isalpha(c) || isdigit(c); }
int isspace(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
int isxdigit(int c) { return isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
int isprint(int c) { return c >= ' ' && c < 127; }
int toupper(int c) { return islower(c) ? c - 32 : c; }
int tolower(int c) { return isupper(c) ? c + 32 : c; }

int abs(int value) { return value < 0 ? -value : value; }

static int digit(int c) {
    if (isdigit(c))
        return c - '0';
    if (isalpha(c))
        return tolower(c) - 'a' + 10;
    return 99;
}

// The magnitude, at most `most`; *overflow is set if it was more.
static unsigned long magnitude(const char *text, char **end, int base, unsigned long most, int *negative, int *overflow) {
    const char *t = text;
    const char *begin;
    unsigned long value = 0;
    int d;
    *negative = *overflow = 0;
    while (isspace(*t))
        t++;
    if (*t == '+' || *t == '-')
        *negative = *t++ == '-';
    if ((base == 0 || base == 16) && t[0] == '0' && (t[1] | 32) == 'x' && digit(t[2]) < 16) {
        t += 2;
        base = 16;
    }
    if (base == 0)
        base = *t == '0' ? 8 : 10;
    begin = t;
    while ((d = digit(*t)) < base) {
        if (value > (most - (unsigned long)d) / (unsigned long)base)
            *overflow = 1;
        else
            value = value * (unsigned long)base + (unsigned long)d;
        t++;
    }
    if (end)
        *end = (char *)(t == begin ? text : t);
    if (*overflow) {
        errno = ERANGE;
        value = most;
    }
    return value;
}

long strtol(const char *text, char **end, int base) {
    int negative, overflow;
    unsigned long value = magnitude(text, end, base, (unsigned long)LONG_MAX + 1, &negative, &overflow);
    if (negative)
        return (long)-value;
    if (value > LONG_MAX) {
        errno = ERANGE;
        return LONG_MAX;
    }
    return (long)value;
}

unsigned long strtoul(const char *text, char **end, int base) {
    int negative, overflow;
    unsigned long value = magnitude(text, end, base, ULONG_MAX, &negative, &overflow);
    return negative && !overflow ? -value : value;
}

long long strtoll(const char *text, char **end, int base) { return strtol(text, end, base); }
unsigned long long strtoull(const char *text, char **end, int base) { return strtoul(text, end, base); }
int atoi(const char *text) { return (int)strtol(text, NULL, 10); }
long atol(const char *text) { return strtol(text, NULL, 10); }
