// Numbers: integer, floating and character literals, and string contents.
//
// A floating value is kept as the x87 keeps it: a 64-bit mantissa whose top bit is 1 (or 0 for zero) and an exponent word (sign in bit 15,
// bias 16383). Decimal digits are converted exactly, with as many 32-bit limbs as that takes, and rounded once, to the precision of the type.

enum {
    LIMB_MAX = 4096,
    BIAS = 16383,

    // Kinds of number.
    NUM_INT = 0, NUM_UINT, NUM_LONG, NUM_ULONG, NUM_LLONG, NUM_ULLONG, NUM_FLOAT, NUM_DOUBLE, NUM_LDOUBLE
};

long num_kind;
long num_imaginary;           // a floating number with the suffix i
long num_exponent;            // of a floating number: the exponent word; the value returned is the mantissa

long limb[LIMB_MAX];          // a big number, least significant limb first, 32 bits each
long limbs;

long number_unsigned() {
    return num_kind == NUM_UINT || num_kind == NUM_ULONG || num_kind == NUM_ULLONG;
}

long number_is_float() {
    return num_kind >= NUM_FLOAT;
}

// limb = limb * m + a, for m and a below 2^32.
long big_multiply(long m, long a) {
    long i = 0;
    while (i < limbs) {
        long low = limb[i] * (m & 65535) + a;
        long high = limb[i] * ((m >> 16) & 65535) + (low >> 16);
        limb[i] = (low & 65535) | ((high & 65535) << 16);
        a = high >> 16;
        i = i + 1;
    }
    if (a) {
        if (limbs >= LIMB_MAX - 2) fail("floating number too long");
        limb[limbs] = a;
        limbs = limbs + 1;
    }
    return 0;
}

// limb = limb / d for d below 2^31; the remainder.
long big_divide(long d) {
    long rest = 0;
    long i = limbs - 1;
    while (i >= 0) {
        long v = (rest << 32) | limb[i];
        limb[i] = v / d;
        rest = v % d;
        i = i - 1;
    }
    while (limbs > 0 && limb[limbs - 1] == 0) limbs = limbs - 1;
    return rest;
}

// limb = the 64-bit number v.
long big_set(long v) {
    limb[0] = v & 0xffffffff;
    limb[1] = ushr(v, 32);
    limbs = 2;
    while (limbs > 0 && limb[limbs - 1] == 0) limbs = limbs - 1;
    return 0;
}

long big_shift_limbs(long n) {
    if (limbs + n >= LIMB_MAX - 2) fail("floating number too long");
    long i = limbs - 1;
    while (i >= 0) {
        limb[i + n] = limb[i];
        i = i - 1;
    }
    i = 0;
    while (i < n) {
        limb[i] = 0;
        i = i + 1;
    }
    limbs = limbs + n;
    return 0;
}

long big_bits() {
    if (limbs == 0) return 0;
    long top = limb[limbs - 1];
    long n = limbs * 32 - 32;
    while (top) {
        n = n + 1;
        top = top >> 1;
    }
    return n;
}

long big_bit(long i) {
    if (i < 0) return 0;
    return (limb[i / 32] >> (i % 32)) & 1;
}

// Rounds mantissa (top bit set) for a type, halves to even; guard: the next bit below the mantissa, sticky: any bit below that.
// Sets num_exponent for the binary exponent e of the top bit and returns the mantissa.
long round_mantissa(long mantissa, long guard, long sticky, long e, long kind) {
    long bits = 64;           // precision, and smallest and largest normal exponent
    long least = -16382;
    long most = 16383;
    if (kind == NUM_DOUBLE) {
        bits = 53;
        least = -1022;
        most = 1023;
    }
    if (kind == NUM_FLOAT) {
        bits = 24;
        least = -126;
        most = 127;
    }
    long keep = bits;
    if (e < least) keep = bits - (least - e);
    long drop = 64 - keep;
    long one = 1;
    if (drop > 64) {
        num_exponent = 0;
        return 0;
    }
    long half = guard;
    if (drop > 0) {
        sticky = sticky || guard;
        if (drop == 64) {
            half = 1;
            sticky = sticky || mantissa << 1;
            mantissa = 0;
        } else {
            half = (mantissa >> (drop - 1)) & 1;
            sticky = sticky || mantissa & ((one << (drop - 1)) - 1);
            mantissa = mantissa & ~((one << drop) - 1);
        }
    }
    if (half) {
        long odd = 0;
        if (drop == 64) {
            if (sticky) {
                mantissa = one << 63;
                e = e + 1;
            }
        } else {
            odd = (mantissa >> drop) & 1;
            if (sticky || odd) {
                mantissa = mantissa + (one << drop);
                if (mantissa == 0) {
                    // The addition carried out of the top bit.
                    mantissa = one << 63;
                    e = e + 1;
                }
            }
        }
    }
    if (mantissa == 0) {
        num_exponent = 0;
        return 0;
    }
    num_exponent = e + BIAS;
    if (e > most) {
        num_exponent = 32767;
        return one << 63;
    }
    if (num_exponent < 1) {
        // A subnormal long double: exponent word 0, and the mantissa moves down.
        mantissa = ushr(mantissa, 1 - num_exponent);
        num_exponent = 0;
    }
    return mantissa;
}

// Rounds a value for the type of num_kind `kind`. It is limb * 2^scale, and more if sticky.
long big_round(long scale, long sticky, long kind) {
    long n = big_bits();
    if (n == 0) {
        num_exponent = 0;
        return 0;
    }
    long mantissa = 0;
    long i = 0;
    while (i < 64) {
        mantissa = (mantissa << 1) | big_bit(n - 1 - i);
        i = i + 1;
    }
    long guard = big_bit(n - 65);
    i = n - 66;
    while (i >= 0 && !sticky) {
        sticky = big_bit(i);
        i = i - 1;
    }
    return round_mantissa(mantissa, guard, sticky, n - 1 + scale, kind);
}

// The same rounding for a value already in x87 form.
long round_to_kind(long mantissa, long exponent, long kind) {
    long e = (exponent & 32767) - BIAS;
    num_exponent = exponent;
    if (mantissa == 0 || e == 16384) return mantissa;
    if (kind == NUM_LDOUBLE) return mantissa;
    long m = round_mantissa(mantissa, 0, 0, e, kind);
    num_exponent = num_exponent | (exponent & 32768);
    return m;
}

// The bits of a value (rounded to kind before) as the type stores it; for long double the mantissa.
long float_bits(long mantissa, long exponent, long kind) {
    long sign = (exponent >> 15) & 1;
    long e = (exponent & 32767) - BIAS;
    if (kind == NUM_LDOUBLE) return mantissa;
    long width = 52;
    long bias = 1023;
    if (kind == NUM_FLOAT) {
        width = 23;
        bias = 127;
    }
    long one = 1;
    long bits = 0;
    if (mantissa) {
        bits = ushr(mantissa, 63 - width) & ((one << width) - 1);
        if (e == 16384) e = bias + 1;
        if (e > -bias) bits = bits | ((e + bias) << width);
        else bits = ushr(mantissa, 64 - width - bias - e);
    }
    if (kind == NUM_FLOAT) return bits | (sign << 31);
    return bits | (sign << 63);
}

// The other way: the mantissa of the float or double with these bits.
long float_of_bits(long bits, long kind) {
    long width = 52;
    long bias = 1023;
    long sign = ushr(bits, 63);
    if (kind == NUM_FLOAT) {
        width = 23;
        bias = 127;
        sign = (bits >> 31) & 1;
    }
    long one = 1;
    long e = ushr(bits, width) & (bias * 2 + 1);
    long mantissa = bits & ((one << width) - 1);
    long top = one << width;
    if (e == 0 && mantissa == 0) {
        num_exponent = sign << 15;
        return 0;
    }
    if (e) mantissa = mantissa | top;
    else e = 1;
    while ((mantissa & top) == 0) {
        mantissa = mantissa << 1;
        e = e - 1;
    }
    num_exponent = e - bias + BIAS;
    if (e == bias * 2 + 1) num_exponent = 32767;
    num_exponent = num_exponent | (sign << 15);
    return mantissa << (63 - width);
}

long mantissa_of_integer(long v, long is_unsigned, long kind) {
    long sign = 0;
    if (v < 0 && !is_unsigned) {
        sign = 32768;
        v = 0 - v;
    }
    big_set(v);
    long m = big_round(0, 0, kind);
    num_exponent = num_exponent | sign;
    return m;
}

// The integer part of a value, towards zero.
long integer_of_float(long mantissa, long exponent) {
    long e = (exponent & 32767) - BIAS;
    if (e < 0 || mantissa == 0) return 0;
    if (e > 63) fail("floating constant does not fit the integer type");
    long v = ushr(mantissa, 63 - e);
    if (exponent & 32768) return 0 - v;
    return v;
}

// The order of two values: -1, 0 or 1, and 2 if one is a NaN.
long float_order(long a, long exponent_a, long b, long exponent_b) {
    long ea = exponent_a & 32767;
    long eb = exponent_b & 32767;
    long negative_a = (exponent_a >> 15) & 1;
    long negative_b = (exponent_b >> 15) & 1;
    if ((ea == 32767 && a << 1) || (eb == 32767 && b << 1)) return 2;
    if (a == 0 && b == 0) return 0;
    if (a == 0) return 1 - 2 * !negative_b;
    if (b == 0 || negative_a != negative_b) return 1 - 2 * negative_a;
    long order = 1;
    if (ea == eb && a == b) return 0;
    if (ea < eb || (ea == eb && below(a, b))) order = -1;
    if (negative_a) return -order;
    return order;
}

// Can a op b be computed here? Infinities, NaNs, subnormals and division by zero are left to the program itself.
long float_computable(long op, long a, long exponent_a, long b, long exponent_b) {
    if ((exponent_a & 32767) == 32767 || (exponent_b & 32767) == 32767) return 0;
    if ((a > 0) || (b > 0)) return 0;
    return op != '/' || b != 0;
}

// a op b where float_computable says no, as gcc computes it in an initialiser: with infinities, NaNs and division by zero. num_special
// says whether it could.
long num_special;

long float_special(long op, long a, long exponent_a, long b, long exponent_b) {
    long one = 1;
    long top = one << 63;
    long infinite_a = (exponent_a & 32767) == 32767;
    long infinite_b = (exponent_b & 32767) == 32767;
    long sign_a = exponent_a & 32768;
    long sign_b = exponent_b & 32768;
    long sign = sign_a ^ sign_b;
    num_special = 1;
    num_exponent = exponent_a;
    if (infinite_a && a != top) return a;
    num_exponent = exponent_b;
    if (infinite_b && b != top) return b;
    num_exponent = 32767 | sign;
    if (op == '*' && ((infinite_a && b) || (infinite_b && a))) return top;
    if (op == '/' && infinite_a && !infinite_b) return top;
    if (op == '/' && b == 0 && a) return top;
    num_exponent = sign;
    if (op == '/' && infinite_b && !infinite_a) return 0;
    if (op == '-') sign_b = 32768 - sign_b;
    if (op == '+' || op == '-') {
        num_exponent = 32767 | sign_a;
        if (infinite_a && (!infinite_b || sign_a == sign_b)) return top;
        num_exponent = 32767 | sign_b;
        if (infinite_b && !infinite_a) return top;
    }
    num_exponent = 32767;
    num_special = infinite_a || infinite_b || (op == '/' && b == 0);
    return top | one << 62;
}

// The product. The middle of a 128-bit product of 32-bit halves is added in two steps.
long float_multiply(long a, long b, long e, long kind) {
    long a_low = a & 0xffffffff;
    long a_high = ushr(a, 32);
    long i = 0;
    long rest = 0;
    big_set(b);
    big_multiply(a_high, 0);
    big_shift_limbs(1);
    // limb = a_high * b * 2^32; add a_low * b, which is made of two 64-bit products.
    long b_low = b & 0xffffffff;
    long b_high = ushr(b, 32);
    while (limbs < 5) {
        limb[limbs] = 0;
        limbs = limbs + 1;
    }
    long first = a_low * b_low;
    long second = a_low * b_high;
    rest = limb[0] + (first & 0xffffffff);
    limb[0] = rest & 0xffffffff;
    rest = (rest >> 32) + limb[1] + ushr(first, 32) + (second & 0xffffffff);
    limb[1] = rest & 0xffffffff;
    rest = (rest >> 32) + limb[2] + ushr(second, 32);
    limb[2] = rest & 0xffffffff;
    i = 3;
    while (i < limbs) {
        rest = (rest >> 32) + limb[i];
        limb[i] = rest & 0xffffffff;
        i = i + 1;
    }
    while (limbs > 0 && limb[limbs - 1] == 0) limbs = limbs - 1;
    return big_round(e, 0, kind);
}

// The quotient: 66 bits of it by long division, the rest only as "something follows".
long float_divide(long a, long b, long e, long kind) {
    long n = 0;
    long rest = 0;
    limbs = 0;
    while (n < 64 + 66) {
        long carry = rest < 0;
        rest = rest << 1;
        if (n < 64) rest = rest | ((a >> (63 - n)) & 1);
        long fits = carry || !below(rest, b);
        if (fits) rest = rest - b;
        big_multiply(2, fits);
        n = n + 1;
    }
    return big_round(e - 66, rest != 0, kind);
}

// The sum of two positive values or their difference, a the larger one with exponent e, b with e - distance.
long float_combine(long a, long b, long e, long distance, long subtract, long kind) {
    long sticky = 0;
    long one = 1;
    // 64 more bits hold all of b unless it is much smaller; then only that there is something matters.
    long b_high = b;
    long b_low = 0;
    if (distance >= 128) {
        sticky = b != 0;
        b_high = 0;
    } else if (distance >= 64) {
        b_low = ushr(b, distance - 64);
        if (distance > 64) sticky = (b & ((one << (distance - 64)) - 1)) != 0;
        b_high = 0;
    } else if (distance > 0) {
        b_low = b << (64 - distance);
        b_high = ushr(b, distance);
    }
    long low = b_low;
    long high = a + b_high;
    long carry = below(high, a);
    if (subtract) {
        // What was cut off b makes the difference smaller: take one more and let something follow.
        low = 0 - b_low;
        high = a - b_high - (b_low != 0);
        carry = 0;
        if (sticky) {
            if (low == 0) high = high - 1;
            low = low - 1;
        }
    }
    limb[0] = low & 0xffffffff;
    limb[1] = ushr(low, 32);
    limb[2] = high & 0xffffffff;
    limb[3] = ushr(high, 32);
    limb[4] = carry;
    limbs = 5;
    while (limbs > 0 && limb[limbs - 1] == 0) limbs = limbs - 1;
    return big_round(e - 64, sticky, kind);
}

long num_negative;            // the sign of the result of float_sum

long float_sum(long a, long exponent_a, long b, long exponent_b, long kind) {
    long ea = exponent_a & 32767;
    long eb = exponent_b & 32767;
    long subtract = ((exponent_a ^ exponent_b) >> 15) & 1;
    num_negative = exponent_a & 32768;
    if (a == 0) ea = 0;
    if (b == 0) eb = 0;
    if (ea < eb || (ea == eb && below(a, b))) {
        num_negative = exponent_b & 32768;
        return float_combine(b, a, eb - BIAS - 63, eb - ea, subtract, kind);
    }
    if (subtract && ea == eb && a == b) num_negative = 0;
    return float_combine(a, b, ea - BIAS - 63, ea - eb, subtract, kind);
}

// a op b for two values in x87 form and op one of + - * /: computed exactly and rounded once, for the type. Returns the mantissa.
long float_calculate(long op, long a, long exponent_a, long b, long exponent_b) {
    long kind = num_kind;
    long sign = (exponent_a ^ exponent_b) & 32768;
    long ea = exponent_a & 32767;
    long eb = exponent_b & 32767;
    long m = 0;
    if (op == '*') m = float_multiply(a, b, ea + eb - 2 * (BIAS + 63), kind);
    else if (op == '/') m = float_divide(a, b, ea - eb, kind);
    else {
        if (op == '-') exponent_b = exponent_b ^ 32768;
        m = float_sum(a, exponent_a, b, exponent_b, kind);
        sign = num_negative;
    }
    num_exponent = num_exponent | sign;
    return m;
}

long digit_value(long c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'z') return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
    return 99;
}

// The floating number text[i .. end).
long parse_float(long i, long end, long base) {
    long scale = 0;
    long seen = 0;
    long digits = 0;
    limbs = 0;
    while (i < end && (digit_value(text[i]) < base || text[i] == '.')) {
        if (text[i] == '.') {
            if (seen) fail("two points in a number");
            seen = 1;
        } else {
            big_multiply(base, digit_value(text[i]));
            scale = scale - seen;
            digits = digits + 1;
        }
        i = i + 1;
    }
    if (digits == 0) fail("a floating number without digits");
    long c = 0;
    if (i < end) c = text[i] | 32;
    long e = 0;
    if ((base == 10 && c == 'e') || (base == 16 && c == 'p')) {
        i = i + 1;
        long sign = 1;
        if (i < end && (text[i] == '+' || text[i] == '-')) {
            if (text[i] == '-') sign = -1;
            i = i + 1;
        }
        if (i >= end || !is_digit(text[i])) fail("an exponent without digits");
        while (i < end && is_digit(text[i])) {
            e = e * 10 + text[i] - '0';
            if (e > 100000) e = 100000;
            i = i + 1;
        }
        e = e * sign;
    } else if (base == 16) fail("a hexadecimal floating number needs an exponent");
    num_kind = NUM_DOUBLE;
    num_imaginary = 0;
    while (i < end) {
        c = text[i] | 32;
        if (c == 'f' && num_kind == NUM_DOUBLE) num_kind = NUM_FLOAT;
        else if (c == 'l' && num_kind == NUM_DOUBLE) num_kind = NUM_LDOUBLE;
        else if ((c == 'i' || c == 'j') && !num_imaginary) num_imaginary = 1;
        else fail("bad suffix of a floating number");
        i = i + 1;
    }
    if (base == 16) return big_round(scale * 4 + e, 0, num_kind);
    scale = scale + e;
    if (scale > 5200) scale = 5200;
    if (limbs == 0) scale = 0;
    if (scale < -6000 - digits) {
        num_exponent = 0;
        return 0;
    }
    // 10^scale = 5^scale * 2^scale. For a negative scale the number first grows until the quotient keeps more than 64 bits.
    long n = scale;
    while (n > 0) {
        big_multiply(5, 0);
        n = n - 1;
    }
    long sticky = 0;
    long shift = 0;
    if (scale < 0) {
        shift = (-scale * 7 / 3 + 96) / 32;
        big_shift_limbs(shift);
        n = -scale;
        while (n > 0) {
            long d = 5;
            long k = 1;
            while (k < 13 && k < n) {
                d = d * 5;
                k = k + 1;
            }
            if (big_divide(d)) sticky = 1;
            n = n - k;
        }
    }
    return big_round(scale - shift * 32, sticky, num_kind);
}

// The value of a number token; sets num_kind.
long parse_number(long name) {
    long i = name_start[name];
    long end = i + name_len[name];
    long base = 10;
    if (text[i] == '0' && (text[i + 1] | 32) == 'x') {
        base = 16;
        i = i + 2;
    }
    long j = i;
    while (j < end) {
        long c = text[j] | 32;
        if (text[j] == '.' || (base == 10 && c == 'e') || (base == 16 && c == 'p')) return parse_float(i, end, base);
        j = j + 1;
    }
    if (base == 10 && text[i] == '0') base = 8;
    long v = 0;
    j = i;
    while (j < end && digit_value(text[j]) < base) {
        long next_value = v * base + digit_value(text[j]);
        if (udiv(next_value, base) != v) fail_name("integer too large", name);
        v = next_value;
        j = j + 1;
    }
    if (j == i) fail_name("bad number", name);
    long u = 0;
    long l = 0;
    while (j < end) {
        long s = text[j] | 32;
        if (s == 'u' && !u) u = 1;
        else if (s == 'l' && !l) {
            l = 1;
            if (j + 1 < end && text[j + 1] == text[j]) {
                l = 2;
                j = j + 1;
            }
        } else fail_name("bad number", name);
        j = j + 1;
    }
    num_kind = l * 2;
    long fits_int = v >= 0 && v <= 0x7fffffff;
    long fits_uint = v >= 0 && v <= 0xffffffff;
    if (l == 0) {
        if (u && !fits_uint) num_kind = NUM_LONG;
        if (!u && !fits_int) {
            num_kind = NUM_LONG;
            if (base != 10 && fits_uint) num_kind = NUM_UINT;
        }
    }
    if (u && num_kind != NUM_UINT) num_kind = num_kind + 1;
    if (v < 0 && !number_unsigned()) {
        if (base == 10) fail_name("integer too large for its type", name);
        num_kind = num_kind + 1;
    }
    return v;
}
