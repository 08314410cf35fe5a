// Types. A type is a number; the first ones are the arithmetic types, in the order of their rank. Pointers to the same type are the same
// number, so most comparisons of types are comparisons of numbers. Qualifiers are read and forgotten.

enum {
    TYPE_MAX = 1048576,
    FIELD_MAX = 1048576,

    TY_VOID = 1, TY_BOOL, TY_CHAR, TY_SCHAR, TY_UCHAR, TY_SHORT, TY_USHORT, TY_INT, TY_UINT, TY_LONG, TY_ULONG, TY_LLONG, TY_ULLONG,
    TY_FLOAT, TY_DOUBLE, TY_LDOUBLE, TY_FCOMPLEX, TY_COMPLEX, TY_LCOMPLEX, TY_VA_ITEM, TY_VA_LIST,

    K_VOID = 0, K_INT, K_FLOAT, K_POINTER, K_ARRAY, K_STRUCT, K_FUNCTION, K_COMPLEX
};

long type_count;
long t_kind[TYPE_MAX];
long t_size[TYPE_MAX];        // in bytes; -1: incomplete
long t_align[TYPE_MAX];
long t_unsigned[TYPE_MAX];
long t_base[TYPE_MAX];        // what a pointer points to, the element, the value returned
long t_len[TYPE_MAX];         // elements of an array; -1: not known
long t_fields[TYPE_MAX];      // first field or parameter
long t_variadic[TYPE_MAX];    // function: 1 with "...", 2 without a prototype
long t_pointer[TYPE_MAX];     // the pointer to this type, if one was made
long t_name[TYPE_MAX];        // tag
long t_union[TYPE_MAX];
long t_variable[TYPE_MAX];    // an array whose size only the running program knows
long t_length[TYPE_MAX];      // its length, a node
long t_place[TYPE_MAX];       // the local in which its size is kept, or 0: a parameter's, and the function has not begun

long field_count;
long f_name[FIELD_MAX];       // 0: unnamed
long f_type[FIELD_MAX];
long f_offset[FIELD_MAX];
long f_bit[FIELD_MAX];        // lowest bit within the type at f_offset
long f_width[FIELD_MAX];      // bits of a bit-field; 0: an ordinary field
long f_access[FIELD_MAX];     // of a bit-field: the integer type as which the memory that holds it is read and written
long f_align[FIELD_MAX];      // from an attribute, or 0
long f_packed[FIELD_MAX];
long f_next[FIELD_MAX];

long new_type(long kind, long size, long align) {
    type_count = type_count + 1;
    if (type_count >= TYPE_MAX) fail("too many types");
    t_kind[type_count] = kind;
    t_size[type_count] = size;
    t_align[type_count] = align;
    return type_count;
}

long pointer_to(long type) {
    long p = t_pointer[type];
    if (p == 0) {
        p = new_type(K_POINTER, 8, 8);
        t_base[p] = type;
        t_unsigned[p] = 1;
        t_pointer[type] = p;
    }
    return p;
}

long array_of(long type, long len) {
    long size = -1;
    if (t_size[type] < 0) fail("an array of an incomplete type");
    if (t_kind[type] == K_FUNCTION) fail("an array of functions");
    if (len >= 0) {
        if (t_size[type] && len > 0x7fffffff / t_size[type]) fail("array too large");
        size = len * t_size[type];
    }
    long a = new_type(K_ARRAY, size, t_align[type]);
    t_base[a] = type;
    t_len[a] = len;
    return a;
}

long function_type(long result, long params, long variadic) {
    if (t_kind[result] == K_ARRAY || t_kind[result] == K_FUNCTION) fail("a function that returns an array or function");
    long f = new_type(K_FUNCTION, -1, 1);
    t_base[f] = result;
    t_fields[f] = params;
    t_variadic[f] = variadic;
    return f;
}

long new_field(long name, long type) {
    field_count = field_count + 1;
    if (field_count >= FIELD_MAX) fail("too many fields");
    f_name[field_count] = name;
    f_type[field_count] = type;
    return field_count;
}

long is_integer(long t) {
    return t_kind[t] == K_INT;
}

long is_float(long t) {
    return t_kind[t] == K_FLOAT;
}

long is_arithmetic(long t) {
    return t_kind[t] == K_INT || t_kind[t] == K_FLOAT;
}

long is_pointer(long t) {
    return t_kind[t] == K_POINTER;
}

long is_complex(long t) {
    return t_kind[t] == K_COMPLEX;
}

// Is a value of the type represented by its address?
long in_memory(long t) {
    return t_kind[t] == K_STRUCT || t_kind[t] == K_COMPLEX;
}

long is_scalar(long t) {
    return is_arithmetic(t) || is_pointer(t);
}

// The same type as far as S4 checks: equal numbers, or built alike.
long same_type(long a, long b) {
    if (a == b) return 1;
    if (t_kind[a] != t_kind[b]) return 0;
    if (t_kind[a] == K_POINTER) return same_type(t_base[a], t_base[b]);
    if (t_kind[a] == K_ARRAY) return (t_len[a] == t_len[b] || t_len[a] < 0 || t_len[b] < 0) && same_type(t_base[a], t_base[b]);
    if (t_kind[a] == K_FUNCTION) {
        if (!same_type(t_base[a], t_base[b])) return 0;
        if (t_variadic[a] == 2 || t_variadic[b] == 2) return 1;
        long f = t_fields[a];
        long g = t_fields[b];
        while (f && g) {
            if (!same_type(f_type[f], f_type[g])) return 0;
            f = f_next[f];
            g = f_next[g];
        }
        return f == g && t_variadic[a] == t_variadic[b];
    }
    // The same struct declared again in another unit.
    if (t_kind[a] == K_STRUCT) return t_name[a] == t_name[b] && t_union[a] == t_union[b] && (t_size[a] == t_size[b] || t_size[a] < 0 || t_size[b] < 0);
    return 0;
}

// The field `name` of a struct or union; fields of unnamed members are found too. found_offset gets its distance from the beginning.
long found_offset;

long find_field(long type, long name) {
    long f = t_fields[type];
    while (f) {
        if (f_name[f] == name) {
            found_offset = f_offset[f];
            return f;
        }
        if (f_name[f] == 0 && t_kind[f_type[f]] == K_STRUCT) {
            long inner = find_field(f_type[f], name);
            if (inner) {
                found_offset = found_offset + f_offset[f];
                return inner;
            }
        }
        f = f_next[f];
    }
    return 0;
}

// Chooses the memory that a bit-field is read from, for a struct of `size` bytes: an aligned unit of its type; for one that packing put
// across units, the bytes that it touches.
long choose_access(long f, long size) {
    long bit = f_offset[f] * 8 + f_bit[f];
    long unit = t_size[f_type[f]];
    long begin = bit / 8 / unit * unit;
    f_access[f] = f_type[f];
    if (bit + f_width[f] > (begin + unit) * 8 || begin + unit > size) {
        unit = 1;
        f_access[f] = TY_UCHAR;
        while (unit < 8 && unit * 8 < bit % 8 + f_width[f]) {
            unit = unit * 2;
            f_access[f] = f_access[f] + 2;
        }
        begin = minimum(bit / 8, size - unit);
        if (begin < 0 || bit + f_width[f] > (begin + unit) * 8) fail_name("a bit-field that no unit of memory holds alone is not supported:", f_name[f]);
    }
    f_offset[f] = begin;
    f_bit[f] = bit - begin * 8;
    return 0;
}

// Lays out the fields of a struct or union as the System V ABI and gcc do. least_align: from an attribute; most_align: of #pragma pack, or 0.
long lay_out(long type, long packed, long least_align, long most_align) {
    long bits = 0;            // first free bit
    long align = maximum(1, least_align);
    long largest = 0;
    long f = t_fields[type];
    while (f) {
        long ft = f_type[f];
        long a = t_align[ft];
        long is_packed = packed || f_packed[f];
        if (is_packed && f_width[f]) a = 1;
        a = maximum(a, f_align[f]);
        if (most_align) a = minimum(a, most_align);
        if (t_union[type]) bits = 0;
        if (f_width[f] >= 0) {
            long unit = a * 8;
            long width = f_width[f];
            if (width == 0) bits = round_up(bits, unit);
            else {
                // As many aligned pieces as the type has must hold it; not where #pragma pack holds.
                if (!is_packed && most_align == 0 && (bits + width + unit - 1) / unit - bits / unit > t_size[ft] / a) bits = round_up(bits, unit);
                f_offset[f] = bits / 8;
                f_bit[f] = bits % 8;
                bits = bits + width;
                if (f_name[f]) align = maximum(align, a);
            }
        } else {
            bits = round_up(bits, a * 8);
            f_offset[f] = bits / 8;
            if (t_size[ft] > 0) bits = bits + t_size[ft] * 8;
            align = maximum(align, a);
        }
        largest = maximum(largest, bits);
        f = f_next[f];
    }
    t_align[type] = align;
    t_size[type] = round_up((largest + 7) / 8, align);
    // Unnamed bit-fields have done their work; f_width of ordinary fields becomes 0.
    long kept = 0;
    f = t_fields[type];
    while (f) {
        long after = f_next[f];
        if (f_width[f] < 0) f_width[f] = 0;
        else if (f_name[f] == 0) f = 0;
        else choose_access(f, t_size[type]);
        if (f) {
            if (kept) f_next[kept] = f;
            else t_fields[type] = f;
            kept = f;
        }
        f = after;
    }
    if (kept) f_next[kept] = 0;
    else t_fields[type] = 0;
    return 0;
}

long basic(long type, long kind, long size, long is_unsigned) {
    long t = new_type(kind, size, maximum(size, 1));
    t_unsigned[t] = is_unsigned;
    if (t != type) fail("internal error: basic types out of order");
    return 0;
}

long init_type() {
    basic(TY_VOID, K_VOID, -1, 0);
    basic(TY_BOOL, K_INT, 1, 1);
    basic(TY_CHAR, K_INT, 1, 0);
    basic(TY_SCHAR, K_INT, 1, 0);
    basic(TY_UCHAR, K_INT, 1, 1);
    basic(TY_SHORT, K_INT, 2, 0);
    basic(TY_USHORT, K_INT, 2, 1);
    basic(TY_INT, K_INT, 4, 0);
    basic(TY_UINT, K_INT, 4, 1);
    basic(TY_LONG, K_INT, 8, 0);
    basic(TY_ULONG, K_INT, 8, 1);
    basic(TY_LLONG, K_INT, 8, 0);
    basic(TY_ULLONG, K_INT, 8, 1);
    basic(TY_FLOAT, K_FLOAT, 4, 0);
    basic(TY_DOUBLE, K_FLOAT, 8, 0);
    basic(TY_LDOUBLE, K_FLOAT, 16, 0);
    long c = TY_FCOMPLEX;
    while (c <= TY_LCOMPLEX) {
        long part = c - TY_FCOMPLEX + TY_FLOAT;
        t_base[new_type(K_COMPLEX, t_size[part] * 2, t_align[part])] = part;
        c = c + 1;
    }
    // va_list: an array of one struct { unsigned gp_offset, fp_offset; void *overflow_arg_area, *reg_save_area; }.
    long item = new_type(K_STRUCT, 24, 8);
    long list = array_of(item, 1);
    if (item != TY_VA_ITEM || list != TY_VA_LIST) fail("internal error: basic types out of order");
    return 0;
}

// Type of a number literal.
long number_type() {
    return num_kind + TY_INT;
}
