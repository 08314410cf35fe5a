// What the files of L0 share and programs do not see.
#ifndef L0_H
#define L0_H

#ifdef __S4__
#define __l0_syscall __s4_syscall
#else
long __l0_syscall(long number, long a, long b, long c, long d, long e, long f);
#endif

// A Linux result: a negative one becomes errno and -1.
long l0_result(long result);

// A number read from or made into text, see float.c.
struct l0_float {
    int negative;
    int is_infinite, is_nan;
    unsigned long mantissa;  // value = mantissa * 2^exponent
    int exponent;
};

// Reads a floating number whose result has `bits` bits and exponents from `least` to `most`; *end is where it ends.
void l0_read_float(const char *text, char **end, int bits, int least, int most, struct l0_float *result);
long double l0_make_float(const struct l0_float *parts);
void l0_take_float(long double value, struct l0_float *parts);

// All decimal digits of a finite value. *point: how many of them stand before the decimal point.
const char *l0_digits(const struct l0_float *value, int *count, int *point);

void l0_flush_all(void);
#endif
