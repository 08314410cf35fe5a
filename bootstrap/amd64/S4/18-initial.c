// Initial values of variables.
//
// An initialiser is first read into a list of (place, type, node) and then either stored in the data or turned into assignments. Reading it
// first tells the length of an array without one.

enum {
    INITIAL_MAX = 524288
};

long initial_count;
long i_offset[INITIAL_MAX];
long i_type[INITIAL_MAX];
long i_field[INITIAL_MAX];    // the bit-field, or 0
long i_node[INITIAL_MAX];     // 0: replaced by a later one

long initial_pending;         // an expression read before it was known where it belongs
long initial_designated;      // a designator was used: a place may be initialised twice
long initial_begin;           // first entry of the initialiser being read
long initial_length;          // elements seen of the outermost array

long add_initial(long offset, long type, long field, long node) {
    if (initial_count >= INITIAL_MAX) fail("initialiser too long");
    i_offset[initial_count] = offset;
    i_type[initial_count] = type;
    i_field[initial_count] = field;
    i_node[initial_count] = node;
    initial_count = initial_count + 1;
    return 0;
}

long add_label_address(long place, long l);  // 19-jump.c
long initial_value(long type, long offset, long field);  // below
long drop_inside(long offset, long size);

// An array of characters from the string that was just read.
long initial_string(long type, long offset) {
    long i = 0;
    long base = t_base[type];
    long end = string_len + 1;
    if (t_len[type] >= 0) {
        if (string_len > t_len[type]) fail("string too long for its array");
        end = minimum(end, t_len[type]);
    }
    initial_length = end;
    while (i < end) {
        long c = string[i];
        if (c || t_len[type] < 0) {
            c = constant(c, base);
            add_initial(offset + i * t_size[base], base, 0, c);
        }
        i = i + 1;
    }
    return 0;
}

long is_character_array(long type) {
    return t_kind[type] == K_ARRAY && is_integer(t_base[type]) && t_size[t_base[type]] == 1 && t_base[type] != TY_BOOL;
}

// Of elements of 16 or 32 bits.
long is_wide_array(long type) {
    return t_kind[type] == K_ARRAY && is_integer(t_base[type]) && (t_size[t_base[type]] == 4 || t_size[t_base[type]] == 2);
}

// Is the value known now? It can then be stored again without harm, and a later one simply written over it.
long is_plain_value(long n) {
    return n_op[n] == N_CONST || n_op[n] == N_FLOAT;
}

// Follows .name and [index] to the '='; the place goes to at_type_, at_offset_ and so on.
long place_type;
long place_offset;
long place_field;             // bit-field, or 0
long place_last;              // the last index of [first ... last] = value, counted from the first one: 0 if it is no range
long place_skip;              // the same if the first index is that range
long place_step;              // and the size of what is repeated
long place_index;             // first index or field of the designator

long designator(long type, long offset) {
    long level = 0;
    initial_designated = 1;
    place_type = type;
    place_offset = offset;
    place_field = 0;
    place_last = 0;
    place_skip = 0;
    while (tok == '[' || tok == '.') {
        if (accept('[')) {
            if (t_kind[place_type] != K_ARRAY) fail("[index] for something that is no array");
            long i = constant_expression();
            long last = i;
            if (accept(T_DOTS)) {
                last = constant_expression();
                if (last < i) fail("a range of indexes that is empty");
                if (place_last) fail("two ranges in one designator are not supported");
                place_last = last - i;
                if (level == 0) place_skip = place_last;
                place_step = t_size[t_base[place_type]];
            }
            expect(']');
            if (i < 0 || (t_len[place_type] >= 0 && last >= t_len[place_type])) fail("index outside the array");
            place_offset = place_offset + i * t_size[t_base[place_type]];
            place_type = t_base[place_type];
            if (level == 0) place_index = i;
        } else {
            next();
            if (tok != T_NAME || t_kind[place_type] != K_STRUCT) fail("bad designator");
            long f = find_field(place_type, tok_name);
            if (f == 0) fail_name("no such member:", tok_name);
            if (level == 0) {
                // The member of an unnamed struct: continue after that unnamed member.
                place_index = t_fields[place_type];
                while (place_index != f && !(f_name[place_index] == 0 && find_field(f_type[place_index], tok_name))) place_index = f_next[place_index];
                f = find_field(place_type, tok_name);
            }
            place_offset = place_offset + found_offset;
            place_field = 0;
            if (f_width[f]) place_field = f;
            place_type = f_type[f];
            next();
        }
        level = level + 1;
    }
    expect('=');
    return 0;
}

// The value behind a designator; for a range of indexes it is repeated.
long designated_value() {
    long from = initial_count;
    long last = place_last;
    long step = place_step;
    long times = 1;
    initial_value(place_type, place_offset, place_field);
    long end = initial_count;
    while (times <= last) {
        long i = from;
        while (i < end) {
            long n = i_node[i];
            if (n && !is_plain_value(n) && (n_op[n] != N_ADDRESS || n_op[n_a[n]] != N_GLOBAL)) fail("a range of indexes with a value that is not constant is not supported");
            add_initial(i_offset[i] + times * step, i_type[i], i_field[i], n);
            i = i + 1;
        }
        times = times + 1;
    }
    return 0;
}

// Is there another element? Reads the comma between elements; leaves it if the element belongs to an outer brace.
long more_elements(long first, long braced) {
    if (initial_pending) return 1;
    if (tok == '}') return 0;
    if (first) return 1;
    if (tok != ',') {
        if (braced) expect(',');
        return 0;
    }
    long after = peek();
    if (after == '}') {
        if (braced) next();
        return 0;
    }
    if (!braced && (after == '.' || after == '[')) return 0;
    next();
    return 1;
}

long initial_array(long type, long offset, long braced) {
    long base = t_base[type];
    long i = 0;
    long first = 1;
    long longest = 0;
    while ((i < t_len[type] || t_len[type] < 0 || braced) && more_elements(first, braced)) {
        first = 0;
        if (braced && tok == '[' && !initial_pending) {
            designator(type, offset);
            i = place_index;
            i = i + place_skip;
            designated_value();
        } else {
            if (t_len[type] >= 0 && i >= t_len[type]) fail("too many values for the array");
            initial_value(base, offset + i * t_size[base], 0);
        }
        i = i + 1;
        longest = maximum(longest, i);
    }
    initial_length = longest;
    return 0;
}

long initial_struct(long type, long offset, long braced) {
    long f = t_fields[type];
    long first = 1;
    while ((f || braced) && more_elements(first, braced)) {
        first = 0;
        if (braced && tok == '.' && !initial_pending) {
            designator(type, offset);
            f = place_index;
            designated_value();
        } else {
            if (f == 0) fail("too many values for the struct or union");
            initial_value(f_type[f], offset + f_offset[f], f * (f_width[f] != 0));
        }
        f = f_next[f];
        if (t_union[type]) f = 0;
    }
    return 0;
}

// The initialiser of one object at `offset`, with or without braces.
long initial_value_inside(long type, long offset, long field) {
    long n = 0;
    if ((is_character_array(type) || is_wide_array(type)) && !initial_pending) {
        long brace = 0;
        if (tok == '{') {
            if (peek() == T_STRING) brace = accept('{');
        }
        if (tok == T_STRING) {
            read_strings();
            if (t_size[element_type(string_kind)] != t_size[t_base[type]]) fail("a string for an array of other characters");
            initial_string(type, offset);
            if (brace) {
                accept(',');
                expect('}');
            }
            return 0;
        }
    }
    if (t_kind[type] == K_ARRAY || t_kind[type] == K_STRUCT) {
        if (t_kind[type] == K_STRUCT && t_size[type] < 0) fail("a variable of incomplete type");
        if (tok == '{' && !initial_pending) {
            next();
            drop_inside(offset, t_size[type]);
            if (t_kind[type] == K_ARRAY) initial_array(type, offset, 1);
            else initial_struct(type, offset, 1);
            return expect('}');
        }
        if (t_kind[type] == K_STRUCT) {
            // Either one expression of the struct's type, or its members without braces.
            if (!initial_pending) {
                if (tok == T_STRING && t_fields[type] && (is_character_array(f_type[t_fields[type]]) || is_wide_array(f_type[t_fields[type]]))) return initial_struct(type, offset, 0);
                initial_pending = assignment();
            }
            n = initial_pending;
            if (n_type[n] == type) {
                initial_pending = 0;
                return add_initial(offset, type, 0, n);
            }
            return initial_struct(type, offset, 0);
        }
        return initial_array(type, offset, 0);
    }
    if (initial_pending) {
        n = initial_pending;
        initial_pending = 0;
    } else if (tok == '{') {
        next();
        n = assignment();
        accept(',');
        expect('}');
    } else n = assignment();
    n = convert(n, type);
    return add_initial(offset, type, field, n);
}

long initial_value(long type, long offset, long field) {
    deeper();
    return shallower(initial_value_inside(type, offset, field));
}

// Drops what later entries of the list, from `from` on, replace.
long drop_replaced(long from) {
    long i = from;
    if (!initial_designated) return 0;
    while (i < initial_count) {
        long j = i + 1;
        if (i_node[i] == 0 || is_plain_value(i_node[i])) j = initial_count;
        while (j < initial_count) {
            long f = i_field[i];
            long g = i_field[j];
            if (i_offset[j] == i_offset[i] && f_bit[f] == f_bit[g] && (f != 0) == (g != 0)) i_node[i] = 0;
            j = j + 1;
        }
        i = i + 1;
    }
    return 0;
}

// A braced list replaces all that was said of its object before, also where it says nothing itself.
long drop_inside(long offset, long size) {
    long i = initial_begin;
    if (!initial_designated) return 0;
    while (i < initial_count) {
        if (i_offset[i] >= offset && i_offset[i] < offset + size) i_node[i] = 0;
        i = i + 1;
    }
    return 0;
}

// Reads an initialiser for `type`; returns the type, completed if it was an array without length. Entries begin at `from`.
long read_initial(long type) {
    long designated = initial_designated;
    long from = initial_count;
    long begin = initial_begin;
    initial_designated = 0;
    initial_pending = 0;
    initial_begin = from;
    if (t_kind[type] == K_ARRAY && t_len[type] < 0 && tok != '{' && tok != T_STRING) fail("expected '{'");
    initial_value(type, 0, 0);
    if (t_kind[type] == K_ARRAY && t_len[type] < 0) type = array_of(t_base[type], initial_length);
    drop_replaced(from);
    initial_designated = designated;
    initial_begin = begin;
    return type;
}

// The value in the data of a const number, as a constant.
long read_const(long n) {
    long g = n_a[n];
    long type = n_type[n];
    if (!g_const[g] || g_section[g] != SEC_DATA || g_type[g] != type || n_value[n]) return n;
    long v = data_load(g_offset[g], minimum(t_size[type], 8));
    if (is_integer(type)) return constant(v, type);
    if (type == TY_LDOUBLE) {
        long e = data_load(g_offset[g] + 8, 2);
        return float_constant(v, e, type);
    }
    v = float_of_bits(v, num_kind_of(type));
    return float_constant(v, num_exponent, type);
}

// n with everything computed that an initialiser may ask for: const variables have their values, and infinities are computed with.
long fold(long n) {
    long op = n_op[n];
    long type = n_type[n];
    if (op == N_GLOBAL && is_arithmetic(type)) return read_const(n);
    if (op == N_PAIR) {
        long re = fold(n_a[n]);
        return new_node(N_PAIR, type, re, fold(n_b[n]), 0);
    }
    if (op == N_CAST || op == N_NEG || op == N_NOT) {
        long inner = fold(n_a[n]);
        if (!is_plain_value(inner)) return n;
        if (op == N_CAST) return cast(inner, type);
        if (op == N_NEG) return negate(inner);
        return invert(inner);
    }
    if (op == N_CHOOSE) {
        long c = fold(n_a[n]);
        if (n_op[c] != N_CONST) return n;
        if (n_value[c]) return fold(n_b[n]);
        return fold(n_value[n]);
    }
    if (op < N_ADD || op > N_NE) return n;
    long a = fold(n_a[n]);
    long b = fold(n_b[n]);
    if (n_op[a] == N_FLOAT && n_op[b] == N_FLOAT && op <= N_DIV) {
        long t = token_of(op);
        if (!float_computable(t, n_value[a], n_a[a], n_value[b], n_a[b])) {
            long m = float_special(t, n_value[a], n_a[a], n_value[b], n_a[b]);
            if (num_special) return float_constant(m, num_exponent, type);
            return n;
        }
    }
    if (!is_plain_value(a) || !is_plain_value(b)) return n;
    return operate(op, type, a, b);
}

long store_float(long place, long n) {
    long type = n_type[n];
    data_store(place, float_bits(n_value[n], n_a[n], num_kind_of(type)), minimum(t_size[type], 8));
    if (type == TY_LDOUBLE) data_store(place + 8, n_a[n], 2);
    return 0;
}

// Stores the value of entry i in the data at `place`.
long store_initial(long i, long place) {
    long n = fold(i_node[i]);
    long type = i_type[i];
    long size = t_size[type];
    place = place + i_offset[i];
    if (n_op[n] == N_CONST) {
        long v = n_value[n];
        if (i_field[i]) {
            long f = i_field[i];
            long one = 1;
            long mask = -1;
            size = t_size[f_access[f]];
            if (f_width[f] < 64) mask = ((one << f_width[f]) - 1) << f_bit[f];
            long old = data_load(place, size) & ~mask;
            v = old | (v << f_bit[f]) & mask;
        }
        return data_store(place, v, size);
    }
    if (n_op[n] == N_FLOAT) return store_float(place, n);
    if (n_op[n] == N_PAIR && n_op[n_a[n]] == N_FLOAT && n_op[n_b[n]] == N_FLOAT) {
        store_float(place, n_a[n]);
        return store_float(place + size / 2, n_b[n]);
    }
    if (n_op[n] == N_ADDRESS && size == 8) {
        long x = n_a[n];
        if (n_op[x] == N_GLOBAL) return fix(FIX_DATA, place, n_a[x], n_value[x]);
    }
    if (n_op[n] == N_LABEL && size == 8) return add_label_address(place, n_value[n]);
    if (n_op[n] == N_GLOBAL && t_kind[type] == K_STRUCT && g_section[n_a[n]] == SEC_DATA && g_name[n_a[n]] == 0) {
        // A compound literal: copy its bytes.
        long k = 0;
        while (k < fix_count) {
            long at_place = fix_at[k] - g_offset[n_a[n]];
            if (fix_kind[k] == FIX_DATA && at_place >= 0 && at_place < size) fix(FIX_DATA, place + at_place, fix_object[k], fix_add[k]);
            k = k + 1;
        }
        k = 0;
        while (k < size) {
            data[place + k] = data[g_offset[n_a[n]] + k];
            k = k + 1;
        }
        return 0;
    }
    return fail("the initialiser is not a constant S4 can compute");
}

// Gives object g, whose type is complete, room in the data and the values of the entries from `from` on.
long initialise_object(long g, long from) {
    long type = g_type[g];
    long align = maximum(t_align[type], g_align[g]);
    g_section[g] = SEC_DATA;
    g_offset[g] = data_align(align);
    g_align[g] = align;
    data_room(t_size[type]);
    while (from < initial_count) {
        if (i_node[from]) store_initial(from, g_offset[g]);
        from = from + 1;
    }
    return 0;
}

// The lvalue that entry i initialises in the local at `place`.
long initial_target(long i, long place) {
    long n = new_node(N_LOCAL, i_type[i], 0, 0, place + i_offset[i]);
    long f = i_field[i];
    if (f == 0) return n;
    n_type[n] = f_access[f];
    return new_node(N_BITS, i_type[i], n, f_bit[f], f_width[f]);
}

// Sets `size` bytes of the local at `place` to zero.
long clear_local(long place, long size) {
    x86(0x488dbd);            // lea rdi, [rbp + d]
    word(place);
    x86(0xb9);                // mov ecx, size
    word(size);
    x86(0x31c0);
    return x86(0xf3aa);       // rep stosb
}

// Code that initialises the local at `place`.
long initialise_local(long place, long type, long from) {
    if (t_kind[type] == K_ARRAY || (t_kind[type] == K_STRUCT && (initial_count != from + 1 || i_type[from] != type))) clear_local(place, t_size[type]);
    while (from < initial_count) {
        if (i_node[from]) {
            long target = initial_target(from, place);
            target = new_node(N_ASSIGN, i_type[from], target, i_node[from], 0);
            generate_discard(target);
        }
        from = from + 1;
    }
    return 0;
}

// (type){ ... }: an unnamed variable.
long compound_literal(long type) {
    long from = initial_count;
    long outer = from;        // what is there belongs to the initialiser around this one
    long pending = initial_pending;
    type = read_initial(type);
    initial_pending = pending;
    long n = 0;
    if (!in_function) {
        long g = new_object(0, type, 1);
        initialise_object(g, from);
        n = new_node(N_GLOBAL, type, g, 0, 0);
    } else {
        long place = new_local(t_size[type], t_align[type]);
        long list = new_node(N_CLEAR, TY_VOID, 0, t_size[type], place);
        while (from < initial_count) {
            if (i_node[from]) {
                long target = initial_target(from, place);
                target = new_node(N_ASSIGN, i_type[from], target, i_node[from], 0);
                list = new_node(N_COMMA, TY_VOID, list, target, 0);
            }
            from = from + 1;
        }
        n = new_node(N_LOCAL, type, 0, 0, place);
        n = address_of(n, pointer_to(type));
        list = new_node(N_COMMA, n_type[n], list, n, 0);
        n = new_node(N_DEREF, type, list, 0, 0);
    }
    initial_count = outer;
    return n;
}
