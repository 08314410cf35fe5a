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
long i_bit[INITIAL_MAX];
long i_width[INITIAL_MAX];    // of a bit-field, else 0
long i_node[INITIAL_MAX];     // 0: replaced by a later one

long initial_pending;         // an expression read before it was known where it belongs
long initial_designated;      // a designator was used: a place may be initialised twice
long initial_length;          // elements seen of the outermost array

long add_initial(long offset, long type, long bit, long width, long node) {
    if (initial_count >= INITIAL_MAX) fail("initialiser too long");
    i_offset[initial_count] = offset;
    i_type[initial_count] = type;
    i_bit[initial_count] = bit;
    i_width[initial_count] = width;
    i_node[initial_count] = node;
    initial_count = initial_count + 1;
    return 0;
}

long initial_value(long type, long offset, long bit, long width);  // below

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
            add_initial(offset + i * t_size[base], base, 0, 0, c);
        }
        i = i + 1;
    }
    return 0;
}

long is_character_array(long type) {
    return t_kind[type] == K_ARRAY && is_integer(t_base[type]) && t_size[t_base[type]] == 1 && t_base[type] != TY_BOOL;
}

// Of wide characters.
long is_wide_array(long type) {
    return t_kind[type] == K_ARRAY && is_integer(t_base[type]) && t_size[t_base[type]] == 4;
}

// Follows .name and [index] to the '='; the place goes to at_type_, at_offset_ and so on.
long place_type;
long place_offset;
long place_bit;
long place_width;
long place_index;             // first index or field of the designator

long designator(long type, long offset) {
    long level = 0;
    initial_designated = 1;
    place_type = type;
    place_offset = offset;
    place_bit = 0;
    place_width = 0;
    while (tok == '[' || tok == '.') {
        if (accept('[')) {
            if (t_kind[place_type] != K_ARRAY) fail("[index] for something that is no array");
            long i = constant_expression();
            if (tok == T_DOTS) fail("ranges of indexes are not supported");
            expect(']');
            if (i < 0 || (t_len[place_type] >= 0 && i >= t_len[place_type])) fail("index outside the array");
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
            place_bit = f_bit[f];
            place_width = f_width[f];
            place_type = f_type[f];
            next();
        }
        level = level + 1;
    }
    expect('=');
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
            initial_value(place_type, place_offset, place_bit, place_width);
        } else {
            if (t_len[type] >= 0 && i >= t_len[type]) fail("too many values for the array");
            initial_value(base, offset + i * t_size[base], 0, 0);
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
            initial_value(place_type, place_offset, place_bit, place_width);
        } else {
            if (f == 0) fail("too many values for the struct or union");
            initial_value(f_type[f], offset + f_offset[f], f_bit[f], f_width[f]);
        }
        f = f_next[f];
        if (t_union[type]) f = 0;
    }
    return 0;
}

// The initialiser of one object at `offset`, with or without braces.
long initial_value_inside(long type, long offset, long bit, long width) {
    long n = 0;
    if ((is_character_array(type) || is_wide_array(type)) && !initial_pending) {
        long brace = 0;
        if (tok == '{') {
            if (peek() == T_STRING) brace = accept('{');
        }
        if (tok == T_STRING) {
            read_strings();
            if (string_wide != is_wide_array(type)) fail("a string for an array of other characters");
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
            if (t_kind[type] == K_ARRAY) initial_array(type, offset, 1);
            else initial_struct(type, offset, 1);
            return expect('}');
        }
        if (t_kind[type] == K_STRUCT) {
            // Either one expression of the struct's type, or its members without braces.
            if (!initial_pending) {
                if (tok == T_STRING && t_fields[type] && (is_character_array(f_type[t_fields[type]]) || at_wide_string())) return initial_struct(type, offset, 0);
                initial_pending = assignment();
            }
            n = initial_pending;
            if (n_type[n] == type) {
                initial_pending = 0;
                return add_initial(offset, type, 0, 0, n);
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
    return add_initial(offset, type, bit, width, n);
}

long initial_value(long type, long offset, long bit, long width) {
    deeper();
    return shallower(initial_value_inside(type, offset, bit, width));
}

// Drops what later entries of the list, from `from` on, replace.
long drop_replaced(long from) {
    long i = from;
    if (!initial_designated) return 0;
    while (i < initial_count) {
        long j = i + 1;
        while (j < initial_count) {
            if (i_offset[j] == i_offset[i] && i_bit[j] == i_bit[i] && (i_width[j] != 0) == (i_width[i] != 0)) i_node[i] = 0;
            j = j + 1;
        }
        i = i + 1;
    }
    return 0;
}

// Reads an initialiser for `type`; returns the type, completed if it was an array without length. Entries begin at `from`.
long read_initial(long type) {
    long designated = initial_designated;
    long from = initial_count;
    initial_designated = 0;
    initial_pending = 0;
    if (t_kind[type] == K_ARRAY && t_len[type] < 0 && tok != '{' && tok != T_STRING) fail("expected '{'");
    initial_value(type, 0, 0, 0);
    if (t_kind[type] == K_ARRAY && t_len[type] < 0) type = array_of(t_base[type], initial_length);
    drop_replaced(from);
    initial_designated = designated;
    return type;
}

// Stores the value of entry i in the data at `place`.
long store_initial(long i, long place) {
    long n = i_node[i];
    long type = i_type[i];
    long size = t_size[type];
    place = place + i_offset[i];
    if (n_op[n] == N_CONST) {
        long v = n_value[n];
        if (i_width[i]) {
            long one = 1;
            long mask = -1;
            if (i_width[i] < 64) mask = ((one << i_width[i]) - 1) << i_bit[i];
            long old = data_load(place, size) & ~mask;
            v = old | (v << i_bit[i]) & mask;
        }
        return data_store(place, v, size);
    }
    if (n_op[n] == N_FLOAT) {
        data_store(place, float_bits(n_value[n], n_a[n], num_kind_of(type)), minimum(size, 8));
        if (type == TY_LDOUBLE) data_store(place + 8, n_a[n], 2);
        return 0;
    }
    if (n_op[n] == N_ADDRESS && size == 8) {
        long x = n_a[n];
        if (n_op[x] == N_GLOBAL) return fix(FIX_DATA, place, n_a[x], n_value[x]);
    }
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
    if (i_width[i]) return new_node(N_BITS, i_type[i], n, i_bit[i], i_width[i]);
    return n;
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
        long chain = new_node(N_CLEAR, TY_VOID, 0, t_size[type], place);
        while (from < initial_count) {
            if (i_node[from]) {
                long target = initial_target(from, place);
                target = new_node(N_ASSIGN, i_type[from], target, i_node[from], 0);
                chain = new_node(N_COMMA, TY_VOID, chain, target, 0);
            }
            from = from + 1;
        }
        n = new_node(N_LOCAL, type, 0, 0, place);
        n = address_of(n, pointer_to(type));
        chain = new_node(N_COMMA, n_type[n], chain, n, 0);
        n = new_node(N_DEREF, type, chain, 0, 0);
    }
    return n;
}
