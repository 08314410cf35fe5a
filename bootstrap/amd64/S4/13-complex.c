// Complex numbers. A complex value is two floating ones: N_PAIR has their nodes, so most operations are done here on trees, part by part,
// and what is constant stays so. In memory the real part comes first; a value is represented by its address, like a struct.
//
// Multiplication and division are those of the C standard without its annex G: when a part becomes infinite, NaNs are not repaired. Division
// scales by the larger part of the divisor (Smith's method), so it does not overflow early; that of float is computed as double.

long part_real;               // of parts_of: nodes that can be used any number of times
long part_imaginary;          // 0: the number is real
long part_first;              // evaluates what they need, or 0

long complex_of(long real_type) {
    return real_type - TY_FLOAT + TY_FCOMPLEX;
}

long real_of(long type) {
    if (is_complex(type)) return t_base[type];
    return type;
}

long is_number(long type) {
    return is_arithmetic(type) || is_complex(type);
}

long pair(long re, long im) {
    return new_node(N_PAIR, complex_of(n_type[re]), re, im, 0);
}

// The value of n, which may be used more than once then; the node that sets it goes to `prepare`.
long keep_value(long n) {
    long type = n_type[n];
    prepare = 0;
    if (n_op[n] == N_CONST || n_op[n] == N_FLOAT) return n;
    long place = new_local(round_up(t_size[type], 16), 16);
    place = new_node(N_LOCAL, type, 0, 0, place);
    prepare = new_node(N_ASSIGN, type, place, n, 0);
    return place;
}

// One part of a complex number in memory.
long part_of(long n, long is_imaginary) {
    long base = t_base[n_type[n]];
    long p = address_of(n, pointer_to(base));
    p = move_address(p, is_imaginary * t_size[base], n_type[p]);
    if (n_op[p] == N_ADDRESS && is_lvalue(n_a[p])) {
        n = n_a[p];
        return new_node(n_op[n], base, n_a[n], 0, n_value[n]);
    }
    return new_node(N_DEREF, base, p, 0, 0);
}

// Takes n apart into part_real and part_imaginary, converted to the floating type `base`.
long parts_of(long n, long base) {
    long first = 0;
    if (n_op[n] == N_PAIR) {
        long im = n_b[n];
        long re = keep_value(cast(n_a[n], base));
        first = prepare;
        im = keep_value(cast(im, base));
        part_first = with_prepared(first, prepare);
        part_real = re;
        part_imaginary = im;
        return 0;
    }
    if (!is_complex(n_type[n])) {
        part_real = keep_value(cast(n, base));
        part_imaginary = 0;
        part_first = prepare;
        return 0;
    }
    n = keep_value(n);
    part_first = prepare;
    part_real = cast(part_of(n, 0), base);
    part_imaginary = cast(part_of(n, 1), base);
    return 0;
}

long zero_of(long type) {
    return float_constant(0, 0, type);
}

// Conversion from or to a complex type.
long cast_complex(long n, long type) {
    long from = n_type[n];
    long base = real_of(type);
    if (!is_number(from) || !is_number(type)) fail("these types cannot be converted");
    if (is_complex(type)) {
        parts_of(n, base);
        long first = part_first;
        if (part_imaginary == 0) part_imaginary = zero_of(base);
        long made = pair(part_real, part_imaginary);
        return with_prepared(first, made);
    }
    if (type == TY_BOOL) return cast(truth(n), type);
    parts_of(n, t_base[from]);
    long before = part_first;
    long v = cast(part_real, type);
    return with_prepared(before, v);
}

// |x|
long magnitude(long n) {
    if (n_op[n] == N_FLOAT) return float_constant(n_value[n], n_a[n] & 32767, n_type[n]);
    return new_node(N_FABS, n_type[n], n, 0, 0);
}

// a * b op c * d
long products(long op, long a, long b, long c, long d) {
    long t = n_type[a];
    long x = operate(N_MUL, t, a, b);
    long y = operate(N_MUL, t, c, d);
    return operate(op, t, x, y);
}

// If `first`: a * s op b, else b * s op a.
long scaled(long first, long op, long a, long b, long s) {
    long t = n_type[a];
    long x = operate(N_MUL, t, a, s);
    long y = operate(N_MUL, t, b, s);
    x = operate(op, t, x, b);
    y = operate(op, t, y, a);
    return choose(first, x, y);
}

// (a + bi) / (c + di), all four usable more than once.
long divide_complex(long a, long b, long c, long d) {
    long t = n_type[a];
    long first = 0;
    if (t == TY_FLOAT) {
        a = cast(a, TY_DOUBLE);
        b = cast(b, TY_DOUBLE);
        c = cast(c, TY_DOUBLE);
        d = cast(d, TY_DOUBLE);
        long squares = keep_value(products(N_ADD, c, c, d, d));
        first = prepare;
        long re = products(N_ADD, a, c, b, d);
        long im = products(N_SUB, b, c, a, d);
        re = cast(operate(N_DIV, TY_DOUBLE, re, squares), t);
        im = cast(operate(N_DIV, TY_DOUBLE, im, squares), t);
        return with_prepared(first, pair(re, im));
    }
    // s is the smaller part of the divisor over the larger one.
    long size_c = magnitude(c);
    long size_d = magnitude(d);
    long smaller = keep_value(operate(N_LT, TY_INT, size_c, size_d));
    first = prepare;
    size_c = operate(N_DIV, t, c, d);
    size_d = operate(N_DIV, t, d, c);
    long s = keep_value(choose(smaller, size_c, size_d));
    first = with_prepared(first, prepare);
    long by = keep_value(scaled(smaller, N_ADD, c, d, s));
    first = with_prepared(first, prepare);
    long x = scaled(smaller, N_ADD, a, b, s);
    // b * s - a, or b - a * s.
    long y = operate(N_MUL, t, b, s);
    y = operate(N_SUB, t, y, a);
    long z = operate(N_MUL, t, a, s);
    z = operate(N_SUB, t, b, z);
    y = choose(smaller, y, z);
    x = operate(N_DIV, t, x, by);
    y = operate(N_DIV, t, y, by);
    return with_prepared(first, pair(x, y));
}

// a op b, one of them complex at least. A real operand stays real, as with gcc, which tells zeros of both signs apart.
long binary_complex(long op, long a, long b) {
    if (!is_number(n_type[a]) || !is_number(n_type[b])) fail("this operator does not take pointers");
    long t = common_type(real_of(n_type[a]), real_of(n_type[b]));
    parts_of(a, t);
    long first = part_first;
    long re = part_real;
    long im = part_imaginary;
    parts_of(b, t);
    first = with_prepared(first, part_first);
    long re_b = part_real;
    long im_b = part_imaginary;
    long zero = zero_of(t);
    if (op == N_EQ || op == N_NE) {
        if (im == 0) im = zero;
        if (im_b == 0) im_b = zero;
        re = operate(op, TY_INT, re, re_b);
        im = operate(op, TY_INT, im, im_b);
        if (op == N_EQ) return with_prepared(first, operate(N_AND, TY_INT, re, im));
        return with_prepared(first, operate(N_OR, TY_INT, re, im));
    }
    if (op == N_ADD || op == N_SUB) {
        re = operate(op, t, re, re_b);
        if (im && im_b) im = operate(op, t, im, im_b);
        else if (im_b && op == N_SUB) im = negate(im_b);
        else if (im_b) im = im_b;
        return with_prepared(first, pair(re, im));
    }
    if (op == N_MUL || op == N_DIV) {
        if (im_b == 0) {
            re = operate(op, t, re, re_b);
            im = operate(op, t, im, re_b);
            return with_prepared(first, pair(re, im));
        }
        if (op == N_DIV) {
            if (im == 0) im = zero;
            return with_prepared(first, divide_complex(re, im, re_b, im_b));
        }
        if (im == 0) {
            im = operate(N_MUL, t, re, im_b);
            re = operate(N_MUL, t, re, re_b);
            return with_prepared(first, pair(re, im));
        }
        long x = products(N_SUB, re, re_b, im, im_b);
        long y = products(N_ADD, re, im_b, im, re_b);
        return with_prepared(first, pair(x, y));
    }
    return fail("this operator does not take complex numbers");
}

// -n, and ~n: the conjugate.
long negate_complex(long n, long is_conjugate) {
    parts_of(n, t_base[n_type[n]]);
    long first = part_first;
    long re = part_real;
    long im = negate(part_imaginary);
    if (!is_conjugate) re = negate(re);
    return with_prepared(first, pair(re, im));
}

// __real__ n and __imag__ n. Of something in memory it is in memory.
long complex_part(long n, long is_imaginary) {
    long type = n_type[n];
    if (!is_number(type)) fail("expected a number after __real__ or __imag__");
    if (is_complex(type) && is_lvalue(n)) return part_of(n, is_imaginary);
    if (is_complex(type)) {
        parts_of(n, t_base[type]);
        if (is_imaginary) return with_prepared(part_first, part_imaginary);
        return with_prepared(part_first, part_real);
    }
    if (!is_imaginary) return promote(n);
    long zero = constant(0, TY_INT);
    zero = cast(zero, type);
    return new_node(N_COMMA, type, n, zero, 0);
}

// Puts both parts of a pair into a hidden local; rax is its address.
long generate_pair(long n) {
    long base = t_base[n_type[n]];
    long size = t_size[base];
    long place = new_local(size * 2, 16);
    long target = new_node(N_LOCAL, base, 0, 0, place);
    target = new_node(N_ASSIGN, base, target, n_a[n], 0);
    generate_discard(target);
    target = new_node(N_LOCAL, base, 0, 0, place + size);
    target = new_node(N_ASSIGN, base, target, n_b[n], 0);
    generate_discard(target);
    x86(0x488d85);            // lea rax, [rbp + d]
    return word(place);
}
