// Nodes: an expression is a tree, built with its types and implicit conversions complete and with constants folded. Code is generated from
// the finished tree, so an expression that only has its size or type taken generates none.
//
// An lvalue is N_LOCAL, N_GLOBAL, N_DEREF or N_BITS; all other nodes are values. Assignments with an operator and ++ are taken apart here
// into simpler nodes, with the address in a hidden local where evaluating it twice would be wrong.

enum {
    NODE_MAX = 1048576,

    N_CONST = 1,              // value
    N_FLOAT,                  // value: mantissa, a: exponent word
    N_LOCAL,                  // value: distance from rbp
    N_GLOBAL,                 // a: object, value: distance from its beginning
    N_DEREF,                  // a: address
    N_BITS,                   // a: lvalue of the unit, b: lowest bit, value: width
    N_ADDRESS,                // a: lvalue
    N_CAST, N_NEG, N_NOT, N_ZERO,
    N_ADD, N_SUB, N_MUL, N_DIV, N_MOD, N_AND, N_OR, N_XOR, N_SHL, N_SHR,
    N_LT, N_LE, N_EQ, N_NE,
    N_BOTH, N_EITHER,         // && and ||
    N_CHOOSE,                 // a ? b : value
    N_COMMA, N_ASSIGN,
    N_CALL,                   // a: function address, b: first argument, value: its function type
    N_ARG,                    // a: value, b: next argument
    N_CLEAR,                  // a local (value) of b bytes becomes zero
    N_VA_START, N_VA_ARG, N_SETJMP, N_LONGJMP, N_SYSCALL,
    N_STATEMENTS,             // value: label of the code of a statement expression
    N_LABEL,                  // value: the label whose address it is
    N_ALLOCA,                 // a: bytes
    N_TRAP,
    N_FRAME,                  // rbp, or with value 1 the address of the caller's code
    N_BIT_COUNT,              // a: integer, value: which count
    N_SWAP,                   // a: integer whose bytes are turned round
    N_FABS,                   // a: floating number
    N_PAIR                    // a: real part, b: imaginary part of a complex number
};

long node_count;
long n_op[NODE_MAX];
long n_type[NODE_MAX];
long n_a[NODE_MAX];
long n_b[NODE_MAX];
long n_value[NODE_MAX];

long frame;                   // bytes of locals in the current function
long in_function;

long new_node(long op, long type, long a, long b, long value) {
    node_count = node_count + 1;
    if (node_count >= NODE_MAX) fail("expression too large");
    n_op[node_count] = op;
    n_type[node_count] = type;
    n_a[node_count] = a;
    n_b[node_count] = b;
    n_value[node_count] = value;
    return node_count;
}

long new_local(long size, long align) {
    if (!in_function) fail("expected a constant expression");
    frame = round_up(frame + size, maximum(align, 8));
    if (align > 16) fail("a local variable aligned to more than 16 bytes is not supported");
    if (frame > 0x7fffff00) fail("too many bytes of local variables");
    return 0 - frame;
}

// v as a value of the integer type: cut to its size and extended to 64 bits.
long fit(long v, long type) {
    long size = t_size[type];
    if (type == TY_BOOL) return v != 0;
    if (size == 8) return v;
    long bits = 64 - size * 8;
    if (t_unsigned[type]) return ushr(v << bits, bits);
    return (v << bits) >> bits;
}

long constant(long v, long type) {
    return new_node(N_CONST, type, 0, 0, fit(v, type));
}

long float_constant(long mantissa, long exponent, long type) {
    return new_node(N_FLOAT, type, exponent, 0, mantissa);
}

long is_lvalue(long n) {
    return n_op[n] == N_LOCAL || n_op[n] == N_GLOBAL || n_op[n] == N_DEREF || n_op[n] == N_BITS;
}

long cast(long n, long type);

long address_of(long n, long type) {
    if (n_op[n] == N_BITS) fail("the address of a bit-field");
    if (n_op[n] == N_DEREF) {
        return cast(n_a[n], type);
    }
    if (n_op[n] == N_COMMA) {
        long right = address_of(n_b[n], type);
        return new_node(N_COMMA, type, n_a[n], right, 0);
    }
    // A struct value (of a call, an assignment or a choice) is represented by its address.
    return new_node(N_ADDRESS, type, n, 0, 0);
}

// An array used as a value is the address of its first element; a function likewise its address.
long decay(long n) {
    long t = n_type[n];
    if (t_kind[t] == K_ARRAY) return address_of(n, pointer_to(t_base[t]));
    if (t_kind[t] == K_FUNCTION) return address_of(n, pointer_to(t));
    return n;
}

long is_constant(long n) {
    return n_op[n] == N_CONST;
}

long is_null(long n) {
    while (n_op[n] == N_CAST) n = n_a[n];
    return is_constant(n) && n_value[n] == 0;
}

long num_kind_of(long type) {
    return type - TY_INT;
}

long truth(long n);
long cast_complex(long n, long type);  // 13-complex.c
long binary_complex(long op, long a, long b);
long negate_complex(long n, long is_conjugate);

// Conversion to an arithmetic or pointer type, or to void.
long cast(long n, long type) {
    long from = n_type[n];
    if (from == type) return n;
    if (type == TY_VOID) return new_node(N_CAST, type, n, 0, 0);
    if (is_complex(from) || is_complex(type)) return cast_complex(n, type);
    if (!is_scalar(from) || !is_scalar(type)) fail("these types cannot be converted");
    if ((is_float(from) && is_pointer(type)) || (is_pointer(from) && is_float(type))) fail("a pointer cannot be converted to or from a floating type");
    long v = n_value[n];
    if (n_op[n] == N_CONST) {
        if (!is_float(type)) return constant(v, type);
        v = mantissa_of_integer(v, t_unsigned[from], num_kind_of(type));
        return float_constant(v, num_exponent, type);
    }
    if (n_op[n] == N_FLOAT) {
        if (type == TY_BOOL) return constant(v != 0, type);
        if (is_integer(type)) {
            v = integer_of_float(v, n_a[n]);
            return constant(v, type);
        }
        v = round_to_kind(v, n_a[n], num_kind_of(type));
        return float_constant(v, num_exponent, type);
    }
    // Address constants may change their type freely among 8-byte types.
    if (n_op[n] == N_ADDRESS && t_size[type] == 8 && !is_float(type)) return new_node(N_ADDRESS, type, n_a[n], 0, 0);
    if (n_op[n] == N_LABEL && t_size[type] == 8 && !is_float(type)) return new_node(N_LABEL, type, 0, 0, n_value[n]);
    return new_node(N_CAST, type, n, 0, 0);
}

// The integer promotions. A bit-field promotes to int if int holds all its values.
long promote(long n) {
    long t = n_type[n];
    if (!is_integer(t)) return n;
    if (n_op[n] == N_BITS && t_size[t] >= 4) {
        // Of more than 32 bits: the declared type, as with clang and tcc. Of fewer: what does not fit int fits unsigned int.
        if (n_value[n] > 32) return n;
        if (n_value[n] == 32 && t_unsigned[t]) return cast(n, TY_UINT);
        return cast(n, TY_INT);
    }
    if (t < TY_INT) return cast(n, TY_INT);
    return n;
}

// The common type of two arithmetic operands after promotion.
long common_type(long a, long b) {
    long high = maximum(a, b);
    if (is_float(high)) return high;
    long low = minimum(a, b);
    // A signed type that ranks higher but is as large as the unsigned one becomes unsigned.
    if (!t_unsigned[high] && t_unsigned[low] && t_size[high] == t_size[low]) return high + 1;
    return high;
}

long require_scalar(long n) {
    if (!is_scalar(n_type[n])) fail("expected a number or pointer");
    return 0;
}

// n != 0 as int.
long truth(long n) {
    if (is_complex(n_type[n])) {
        long none = float_constant(0, 0, TY_FLOAT);
        return binary_complex(N_NE, n, none);
    }
    require_scalar(n);
    if (n_op[n] == N_CONST) return constant(n_value[n] != 0, TY_INT);
    if (n_op[n] == N_FLOAT) return constant(n_value[n] != 0, TY_INT);
    if (n_op[n] == N_ADDRESS) {
        long x = n_a[n];
        // A weak object may be missing.
        if (n_op[x] == N_LOCAL || (n_op[x] == N_GLOBAL && !g_weak[n_a[x]])) return constant(1, TY_INT);
    }
    long zero = 0;
    if (is_float(n_type[n])) zero = float_constant(0, 0, n_type[n]);
    else zero = constant(0, n_type[n]);
    return new_node(N_NE, TY_INT, n, zero, 0);
}

// The token of an arithmetic node, for calculate().
long token_of(long op) {
    if (op == N_ADD) return '+';
    if (op == N_SUB) return '-';
    if (op == N_MUL) return '*';
    if (op == N_DIV) return '/';
    if (op == N_MOD) return '%';
    if (op == N_AND) return '&';
    if (op == N_OR) return '|';
    if (op == N_XOR) return '^';
    if (op == N_SHL) return T_SHL;
    if (op == N_SHR) return T_SHR;
    if (op == N_LT) return '<';
    if (op == N_LE) return T_LE;
    if (op == N_EQ) return T_EQ;
    return T_NE;
}

long is_comparison(long op) {
    return op >= N_LT && op <= N_NE;
}

// a op b for operands that already have their common type.
long operate(long op, long type, long a, long b) {
    long u = t_unsigned[n_type[a]];
    if (n_op[a] == N_FLOAT && n_op[b] == N_FLOAT && op <= N_DIV) {
        long t = token_of(op);
        if (float_computable(t, n_value[a], n_a[a], n_value[b], n_a[b])) {
            num_kind = num_kind_of(type);
            long m = float_calculate(t, n_value[a], n_a[a], n_value[b], n_a[b]);
            return float_constant(m, num_exponent, type);
        }
    }
    if (n_op[a] == N_FLOAT && n_op[b] == N_FLOAT && is_comparison(op)) {
        long order = float_order(n_value[a], n_a[a], n_value[b], n_a[b]);
        if (op == N_EQ) return constant(order == 0, type);
        if (op == N_NE) return constant(order != 0, type);
        if (op == N_LE) return constant(order <= 0, type);
        return constant(order < 0, type);
    }
    if (n_op[a] == N_CONST && n_op[b] == N_CONST) {
        long divides = op == N_DIV || op == N_MOD;
        if (!divides || n_value[b] != 0) {
            long count = n_value[b];
            if (op == N_SHL || op == N_SHR) {
                if (count < 0 || count >= t_size[type] * 8) return new_node(op, type, a, b, 0);
            }
            long v = calculate(token_of(op), n_value[a], count, u);
            return constant(v, type);
        }
    }
    return new_node(op, type, a, b, 0);
}

// An address moved by a constant: stays an address constant if it is one.
long move_address(long p, long distance, long type) {
    if (n_op[p] == N_CONST) return constant(n_value[p] + distance, type);
    if (n_op[p] == N_ADDRESS) {
        long x = n_a[p];
        if (n_op[x] == N_LOCAL || n_op[x] == N_GLOBAL) {
            x = new_node(n_op[x], n_type[x], n_a[x], 0, n_value[x] + distance);
            return new_node(N_ADDRESS, type, x, 0, 0);
        }
    }
    if (n_op[p] == N_ADD && is_constant(n_b[p])) {
        distance = distance + n_value[n_b[p]];
        p = n_a[p];
    }
    if (distance == 0) return cast(p, type);
    long d = constant(distance, TY_LONG);
    return new_node(N_ADD, type, p, d, 0);
}

// The size of an array of variable length.
long variable_size(long type) {
    if (t_place[type] == 0) fail("the size of an array of variable length is not known here");
    long n = new_node(N_LOCAL, TY_LONG, 0, 0, t_place[type]);
    return new_node(N_CAST, TY_LONG, n, 0, 0);
}

long step_of(long pointer) {
    long base = t_base[pointer];
    if (base == TY_VOID || t_kind[base] == K_FUNCTION) return 1;
    if (t_size[base] < 0) fail("arithmetic on a pointer to an incomplete type");
    return t_size[base];
}

// pointer + index, or minus.
long move_pointer(long p, long index, long sign) {
    long type = n_type[p];
    index = cast(index, TY_LONG);
    if (t_variable[t_base[type]]) {
        long size = variable_size(t_base[type]);
        index = operate(N_MUL, TY_LONG, index, size);
        return new_node(N_ADD + (sign < 0) * (N_SUB - N_ADD), type, p, index, 0);
    }
    long step = step_of(type);
    if (is_constant(index)) return move_address(p, n_value[index] * step * sign, type);
    long op = N_ADD;
    if (sign < 0) op = N_SUB;
    if (step != 1) {
        long s = constant(step, TY_LONG);
        index = new_node(N_MUL, TY_LONG, index, s, 0);
    }
    return new_node(op, type, p, index, 0);
}

long check_pointers(long a, long b) {
    long ta = t_base[n_type[a]];
    long tb = t_base[n_type[b]];
    if (!same_type(ta, tb) && ta != TY_VOID && tb != TY_VOID && t_size[ta] != t_size[tb]) fail("pointers to different types");
    return 0;
}

long binary(long op, long a, long b) {
    a = decay(a);
    b = decay(b);
    if (is_complex(n_type[a]) || is_complex(n_type[b])) return binary_complex(op, a, b);
    require_scalar(a);
    require_scalar(b);
    a = promote(a);
    b = promote(b);
    long ta = n_type[a];
    long tb = n_type[b];
    if (op == N_ADD && is_pointer(ta) && is_integer(tb)) return move_pointer(a, b, 1);
    if (op == N_ADD && is_pointer(tb) && is_integer(ta)) return move_pointer(b, a, 1);
    if (op == N_SUB && is_pointer(ta) && is_integer(tb)) return move_pointer(a, b, -1);
    if (op == N_SUB && is_pointer(ta) && is_pointer(tb)) {
        check_pointers(a, b);
        long x = cast(a, TY_LONG);
        long y = cast(b, TY_LONG);
        x = operate(N_SUB, TY_LONG, x, y);
        if (t_variable[t_base[ta]]) {
            y = variable_size(t_base[ta]);
            return operate(N_DIV, TY_LONG, x, y);
        }
        long step = step_of(ta);
        y = constant(step, TY_LONG);
        if (step == 1) return x;
        return operate(N_DIV, TY_LONG, x, y);
    }
    if (is_comparison(op) && (is_pointer(ta) || is_pointer(tb))) {
        if (is_pointer(ta) && is_pointer(tb)) check_pointers(a, b);
        else if (is_float(ta) || is_float(tb)) fail("a pointer is compared with a floating number");
        a = cast(a, TY_ULONG);
        b = cast(b, TY_ULONG);
        return operate(op, TY_INT, a, b);
    }
    if (!is_arithmetic(ta) || !is_arithmetic(tb)) fail("this operator does not take pointers");
    if (op == N_SHL || op == N_SHR) {
        if (!is_integer(ta) || !is_integer(tb)) fail("a shift of a floating number");
        b = cast(b, TY_INT);
        return operate(op, ta, a, b);
    }
    long t = common_type(ta, tb);
    if (is_float(t) && (op == N_MOD || op == N_AND || op == N_OR || op == N_XOR)) fail("this operator does not take floating numbers");
    a = cast(a, t);
    b = cast(b, t);
    if (is_comparison(op)) return operate(op, TY_INT, a, b);
    return operate(op, t, a, b);
}

long negate(long n) {
    n = promote(n);
    if (is_complex(n_type[n])) return negate_complex(n, 0);
    if (!is_arithmetic(n_type[n])) fail("expected a number after '-'");
    if (n_op[n] == N_CONST) return constant(0 - n_value[n], n_type[n]);
    if (n_op[n] == N_FLOAT) return float_constant(n_value[n], n_a[n] ^ 32768, n_type[n]);
    return new_node(N_NEG, n_type[n], n, 0, 0);
}

long invert(long n) {
    n = promote(n);
    if (is_complex(n_type[n])) return negate_complex(n, 1);
    if (!is_integer(n_type[n])) fail("expected an integer after '~'");
    if (n_op[n] == N_CONST) return constant(~n_value[n], n_type[n]);
    return new_node(N_NOT, n_type[n], n, 0, 0);
}

// !n
long not(long n) {
    n = truth(decay(n));
    if (n_op[n] == N_CONST) return constant(!n_value[n], TY_INT);
    return new_node(N_ZERO, TY_INT, n, 0, 0);
}

// a && b, a || b.
long logical(long op, long a, long b) {
    a = truth(decay(a));
    b = truth(decay(b));
    if (n_op[a] == N_CONST) {
        if (n_value[a] != 0 && op == N_BOTH) return b;
        if (n_value[a] == 0 && op == N_EITHER) return b;
        return a;
    }
    return new_node(op, TY_INT, a, b, 0);
}

// Conversion as if by assignment, with its checks.
long convert(long n, long type) {
    n = decay(n);
    long from = n_type[n];
    if (t_kind[type] == K_STRUCT) {
        if (from != type) fail("a struct or union of another type is assigned");
        return n;
    }
    if (t_kind[from] == K_STRUCT || from == TY_VOID) fail("a value of this type cannot be assigned");
    if (is_pointer(type) && is_integer(from) && !is_null(n)) fail("an integer becomes a pointer without a cast");
    if (is_integer(type) && type != TY_BOOL && is_pointer(from)) fail("a pointer becomes an integer without a cast");
    return cast(n, type);
}

long assign(long target, long n) {
    if (!is_lvalue(target)) fail("this cannot be assigned to");
    long t = n_type[target];
    if (t_kind[t] == K_ARRAY || t_kind[t] == K_FUNCTION || t == TY_VOID) fail("this cannot be assigned to");
    n = convert(n, t);
    return new_node(N_ASSIGN, t, target, n, 0);
}

// An lvalue that may be evaluated twice: n itself, or one through a hidden pointer. The node that sets the pointer goes to `prepare`.
long prepare;

long twice(long n) {
    prepare = 0;
    long unit = n;
    if (n_op[n] == N_BITS) unit = n_a[n];
    if (n_op[unit] == N_LOCAL || n_op[unit] == N_GLOBAL) return n;
    if (n_op[unit] != N_DEREF) fail("this cannot be assigned to");
    long p = pointer_to(n_type[unit]);
    long hidden = new_local(8, 8);
    hidden = new_node(N_LOCAL, p, 0, 0, hidden);
    long a = address_of(unit, p);
    prepare = new_node(N_ASSIGN, p, hidden, a, 0);
    unit = new_node(N_DEREF, n_type[unit], hidden, 0, 0);
    if (n_op[n] == N_BITS) return new_node(N_BITS, n_type[n], unit, n_b[n], n_value[n]);
    return unit;
}

// n behind what must be evaluated first; either may be missing.
long with_prepared(long first, long n) {
    if (first == 0) return n;
    if (n == 0) return first;
    return new_node(N_COMMA, n_type[n], first, n, 0);
}

// target op= n
long assign_with(long op, long target, long n) {
    long twin = twice(target);
    long first = prepare;
    long v = binary(op, twin, n);
    v = assign(twin, v);
    return with_prepared(first, v);
}

// target++ and target--: the old value.
long post_step(long target, long op) {
    long one = constant(1, TY_INT);
    long t = n_type[target];
    if (is_float(t) || is_complex(t) || t == TY_BOOL) {
        long twin = twice(target);
        long first = prepare;
        long place = new_local(round_up(t_size[t], 16), 16);
        place = new_node(N_LOCAL, t, 0, 0, place);
        long keep = new_node(N_ASSIGN, t, place, twin, 0);
        long v = binary(op, twin, one);
        v = assign(twin, v);
        v = new_node(N_COMMA, t, v, place, 0);
        v = new_node(N_COMMA, t, keep, v, 0);
        return with_prepared(first, v);
    }
    long changed = assign_with(op, target, one);
    if (n_op[target] == N_BITS) {
        // The old value of a bit-field: cut to its width again.
        long shift = constant(t_size[t] * 8 - n_value[target], TY_INT);
        changed = binary(N_ADD + N_SUB - op, changed, one);
        changed = cast(changed, t);
        changed = new_node(N_SHL, t, changed, shift, 0);
        return new_node(N_SHR, t, changed, shift, 0);
    }
    changed = binary(N_ADD + N_SUB - op, changed, one);
    return cast(changed, t);
}

// The complex type for a real type beside a complex one whose parts have the type `base`.
long cast_common(long real_type, long base) {
    if (!is_arithmetic(real_type)) fail("the two sides of ':' have different types");
    return common_type(maximum(real_type, TY_INT), base) - TY_FLOAT + TY_FCOMPLEX;
}

// c ? a : b
long choose(long c, long a, long b) {
    c = truth(decay(c));
    a = decay(a);
    b = decay(b);
    long ta = n_type[a];
    long tb = n_type[b];
    long t = ta;
    if (is_arithmetic(ta) && is_arithmetic(tb)) {
        a = promote(a);
        b = promote(b);
        t = common_type(n_type[a], n_type[b]);
        a = cast(a, t);
        b = cast(b, t);
    } else if (is_complex(ta) || is_complex(tb)) {
        if (!is_complex(ta)) ta = cast_common(ta, t_base[tb]);
        if (!is_complex(tb)) tb = cast_common(tb, t_base[ta]);
        t = maximum(ta, tb);
        a = cast(a, t);
        b = cast(b, t);
    } else if (ta == TY_VOID || tb == TY_VOID) {
        t = TY_VOID;
    } else if (is_pointer(ta) && is_pointer(tb)) {
        if (is_null(a) && t_base[ta] == TY_VOID) t = tb;
        else if (is_null(b) && t_base[tb] == TY_VOID) t = ta;
        else if (t_base[tb] == TY_VOID) t = tb;
        else check_pointers(a, b);
        a = cast(a, t);
        b = cast(b, t);
    } else if (is_pointer(ta) && is_null(b)) b = cast(b, t);
    else if (is_pointer(tb) && is_null(a)) {
        t = tb;
        a = cast(a, t);
    } else if (ta != tb) fail("the two sides of ':' have different types");
    if (n_op[c] == N_CONST) {
        if (n_value[c]) return a;
        return b;
    }
    return new_node(N_CHOOSE, t, c, a, b);
}

// The member of struct lvalue (or value) s.
long member(long s, long name) {
    if (t_kind[n_type[s]] != K_STRUCT) fail_name("not a struct or union before member", name);
    long f = find_field(n_type[s], name);
    if (f == 0) fail_name("no such member:", name);
    long p = pointer_to(f_type[f]);
    long a = address_of(s, p);
    a = move_address(a, found_offset, p);
    long n = 0;
    if (n_op[a] == N_ADDRESS && is_lvalue(n_a[a])) {
        n = n_a[a];
        n = new_node(n_op[n], f_type[f], n_a[n], n_b[n], n_value[n]);
    } else n = new_node(N_DEREF, f_type[f], a, 0, 0);
    if (f_width[f] == 0) return n;
    n_type[n] = f_access[f];
    return new_node(N_BITS, f_type[f], n, f_bit[f], f_width[f]);
}
