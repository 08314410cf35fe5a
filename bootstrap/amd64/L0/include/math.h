#ifndef L0_MATH_H
#define L0_MATH_H
double ldexp(double value, int exponent);
long double ldexpl(long double value, int exponent);
double fabs(double value);
#endif
