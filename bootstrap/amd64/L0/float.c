// Floating numbers and text, exactly: numbers of any length in 32-bit limbs, and one rounding at the end.
#include "l0.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIMBS = 4096 };

static unsigned limb[LIMBS];  // least significant first
static int limbs;

static void multiply(unsigned factor, unsigned long carry) {
    int i;
    for (i = 0; i < limbs; i++) {
        carry += (unsigned long)limb[i] * factor;
        limb[i] = (unsigned)carry;
        carry >>= 32;
    }
    if (carry && limbs < LIMBS)
        limb[limbs++] = (unsigned)carry;
}

static unsigned divide(unsigned divisor) {
    unsigned long rest = 0;
    int i;
    for (i = limbs - 1; i >= 0; i--) {
        rest = rest << 32 | limb[i];
        limb[i] = (unsigned)(rest / divisor);
        rest %= divisor;
    }
    while (limbs && limb[limbs - 1] == 0)
        limbs--;
    return (unsigned)rest;
}

static int bit(int i) { return i < 0 ? 0 : limb[i / 32] >> (i % 32) & 1; }

// Rounds limb * 2^scale (plus something smaller if sticky) to `bits` bits, halves to even.
static void round_limbs(int scale, int sticky, int bits, int least, int most, struct l0_float *result) {
    int length = limbs * 32, keep, i;
    unsigned long mantissa = 0;
    if (limbs == 0)
        return;
    while (!bit(length - 1))
        length--;
    keep = bits;
    if (length - 1 + scale < least)
        keep = bits - (least - (length - 1 + scale));
    if (keep < 0)
        return;
    for (i = 0; i < keep; i++)
        mantissa = mantissa << 1 | (unsigned long)bit(length - 1 - i);
    for (i = length - keep - 2; i >= 0 && !sticky; i--)
        sticky = bit(i);
    result->exponent = length - keep + scale;
    if (bit(length - keep - 1) && (sticky || mantissa & 1)) {
        mantissa++;
        if (mantissa == 0) {
            mantissa = 1ul << 63;
            result->exponent++;
        }
    }
    result->mantissa = mantissa;
    // The exponent of the value's top bit must not pass the greatest.
    for (i = result->exponent - 1; mantissa; mantissa >>= 1)
        i++;
    if (result->mantissa && i > most)
        result->is_infinite = 1;
}

static int digit(int c) { return isdigit(c) ? c - '0' : isalpha(c) ? tolower(c) - 'a' + 10 : 99; }

static int word(const char *text, const char *word) {
    int n = 0;
    while (word[n] && tolower(text[n]) == word[n])
        n++;
    return word[n] ? 0 : n;
}

void l0_read_float(const char *text, char **end, int bits, int least, int most, struct l0_float *result) {
    const char *t = text, *after;
    int base = 10, scale = 0, point = 0, digits = 0, sticky = 0, exponent = 0, sign, n, shift = 0;
    memset(result, 0, sizeof *result);
    limbs = 0;
    while (isspace(*t))
        t++;
    if (*t == '+' || *t == '-')
        result->negative = *t++ == '-';
    if ((n = word(t, "infinity")) || (n = word(t, "inf")) || (n = word(t, "nan"))) {
        result->is_nan = tolower(*t) == 'n';
        result->is_infinite = !result->is_nan;
        if (end)
            *end = (char *)t + n;
        return;
    }
    if (t[0] == '0' && (t[1] | 32) == 'x' && (digit(t[2]) < 16 || (t[2] == '.' && digit(t[3]) < 16))) {
        base = 16;
        t += 2;
    }
    for (; digit(*t) < base || (*t == '.' && !point); t++) {
        if (*t == '.') {
            point = 1;
            continue;
        }
        digits++;
        scale -= point;
        if (limbs < LIMBS / 4)
            multiply((unsigned)base, (unsigned long)digit(*t));
        else {
            // Digits past 30,000 can only tip the rounding.
            sticky |= *t != '0';
            scale++;
        }
    }
    if (digits == 0) {
        if (end)
            *end = (char *)text;
        result->negative = 0;
        return;
    }
    if ((*t | 32) == (base == 16 ? 'p' : 'e')) {
        after = t + 1;
        sign = 1;
        if (*after == '+' || *after == '-')
            sign = *after++ == '-' ? -1 : 1;
        if (isdigit(*after)) {
            for (; isdigit(*after); after++)
                if (exponent < 100000)
                    exponent = exponent * 10 + *after - '0';
            exponent *= sign;
            t = after;
        }
    }
    if (end)
        *end = (char *)t;
    if (base == 16) {
        round_limbs(scale * 4 + exponent, sticky, bits, least, most, result);
        return;
    }
    scale += exponent;
    if (limbs == 0 || scale < -6000 - digits)
        return;
    if (scale > 5200)
        scale = 5200;
    for (n = scale; n > 0; n--)
        multiply(5, 0);
    if (scale < 0) {
        // Grow first, so that the quotient keeps more than 64 bits.
        shift = (-scale * 7 / 3 + 96) / 32;
        memmove(limb + shift, limb, (size_t)limbs * sizeof *limb);
        memset(limb, 0, (size_t)shift * sizeof *limb);
        limbs += shift;
        for (n = -scale; n > 0; n--)
            if (divide(5))
                sticky = 1;
    }
    round_limbs(scale - shift * 32, sticky, bits, least, most, result);
}

union x87 {
    long double value;
    struct {
        unsigned long mantissa;
        unsigned short exponent;
    } parts;
};

long double l0_make_float(const struct l0_float *f) {
    union x87 u;
    unsigned long mantissa = f->mantissa;
    int exponent = f->exponent + 16383 + 63;
    u.value = 0;
    if (f->is_nan || f->is_infinite) {
        exponent = 32767;
        mantissa = f->is_nan ? 3ul << 62 : 1ul << 63;
    } else if (mantissa == 0)
        exponent = 0;
    else {
        while (!(mantissa >> 63)) {
            mantissa <<= 1;
            exponent--;
        }
        if (exponent < 1) {
            mantissa >>= 1 - exponent;
            exponent = 0;
        }
    }
    u.parts.mantissa = mantissa;
    u.parts.exponent = (unsigned short)(exponent | f->negative << 15);
    return u.value;
}

void l0_take_float(long double value, struct l0_float *f) {
    union x87 u;
    int exponent;
    u.value = value;
    exponent = u.parts.exponent & 32767;
    memset(f, 0, sizeof *f);
    f->negative = u.parts.exponent >> 15;
    f->mantissa = u.parts.mantissa;
    if (exponent == 32767) {
        f->is_nan = f->mantissa << 1 != 0;
        f->is_infinite = !f->is_nan;
    }
    f->exponent = (exponent ? exponent : 1) - 16383 - 63;
}

long double strtold(const char *text, char **end) {
    struct l0_float f;
    l0_read_float(text, end, 64, -16382, 16383, &f);
    return l0_make_float(&f);
}

double strtod(const char *text, char **end) {
    struct l0_float f;
    l0_read_float(text, end, 53, -1022, 1023, &f);
    return (double)l0_make_float(&f);
}

float strtof(const char *text, char **end) {
    struct l0_float f;
    l0_read_float(text, end, 24, -126, 127, &f);
    return (float)l0_make_float(&f);
}

long double ldexpl(long double value, int exponent) {
    struct l0_float f;
    l0_take_float(value, &f);
    if (f.is_nan || f.is_infinite || f.mantissa == 0)
        return value;
    if (exponent > 40000)
        exponent = 40000;
    if (exponent < -40000)
        exponent = -40000;
    // Through limbs, for the rounding of what becomes subnormal.
    limb[0] = (unsigned)f.mantissa;
    limb[1] = (unsigned)(f.mantissa >> 32);
    limbs = limb[1] ? 2 : 1;
    exponent += f.exponent;
    f.mantissa = 0;
    round_limbs(exponent, 0, 64, -16382, 16383, &f);
    return l0_make_float(&f);
}

double ldexp(double value, int exponent) {
    struct l0_float f;
    l0_take_float(value, &f);
    if (f.is_nan || f.is_infinite || f.mantissa == 0)
        return value;
    if (exponent > 40000)
        exponent = 40000;
    if (exponent < -40000)
        exponent = -40000;
    limb[0] = (unsigned)f.mantissa;
    limb[1] = (unsigned)(f.mantissa >> 32);
    limbs = limb[1] ? 2 : 1;
    exponent += f.exponent;
    f.mantissa = 0;
    round_limbs(exponent, 0, 53, -1022, 1023, &f);
    return (double)l0_make_float(&f);
}

double fabs(double value) { return value < 0 ? -value : value == 0 ? 0 : value; }

const char *l0_digits(const struct l0_float *value, int *count, int *point) {
    static char text[20000];
    int n = sizeof text - 1, i, e = value->exponent;
    limb[0] = (unsigned)value->mantissa;
    limb[1] = (unsigned)(value->mantissa >> 32);
    limbs = limb[1] ? 2 : limb[0] ? 1 : 0;
    for (i = 0; i < e; i++)
        multiply(2, 0);
    // m * 2^-k = m * 5^k / 10^k.
    for (i = 0; i > e; i--)
        multiply(5, 0);
    while (limbs)
        text[--n] = (char)('0' + divide(10));
    *count = (int)sizeof text - 1 - n;
    *point = e < 0 ? *count + e : *count;
    return text + n;
}
