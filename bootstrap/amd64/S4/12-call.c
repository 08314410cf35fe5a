// Call: how arguments and results travel, variable arguments, setjmp, and system calls.
//
// All as in the System V ABI: six integer registers, eight SSE registers, the rest on the stack. Structs and complex numbers of up to
// sixteen bytes are cut into pieces of eight, and each piece travels as what it holds: with a long double in it, or larger, a struct goes
// on the stack and comes back through a pointer in rdi.

enum {
    // Where an argument goes: the stack, nowhere (an empty struct), or into registers: piece 0 in the low six bits, piece 1, if there is
    // one, plus 1 above them. A register is 0..5 for the integer ones and IN_SSE + 0..7.
    IN_SSE = 16,
    IN_STACK = 32,
    IN_NOTHING = 33,

    // What a piece is.
    P_NOTHING = 0, P_SSE, P_INTEGER, P_X87, P_MEMORY
};

long place_gp;                // state of `place_argument`
long place_sse;
long place_stack;

long function_gp;             // of the current function: what its named parameters took
long function_sse;
long function_stack;
long function_save;           // a variadic function's saved registers: distance from rbp

long pieces;                  // of the type that `classify` looked at; 0: it is empty, -1: it goes through memory
long piece[2];

long merge(long offset, long class) {
    long i = offset / 8;
    if (i > 1) return 0;
    // An integer beside a float makes the piece an integer.
    piece[i] = maximum(piece[i], class);
    return 0;
}

// Adds to the pieces what lies at `offset`. Members that packing put out of their place send the whole to memory.
long classify_part(long type, long offset) {
    long i = 0;
    long f = 0;
    if (t_align[type] > 1 && offset % t_align[type]) return merge(0, P_MEMORY);
    if (type == TY_LDOUBLE) return merge(offset, P_X87);
    if (is_float(type)) return merge(offset, P_SSE);
    if (is_scalar(type)) return merge(offset, P_INTEGER);
    if (t_kind[type] == K_COMPLEX) {
        classify_part(t_base[type], offset);
        return classify_part(t_base[type], offset + t_size[t_base[type]]);
    }
    if (t_kind[type] == K_ARRAY) {
        while (i < t_len[type] && i < 16) {
            classify_part(t_base[type], offset + i * t_size[t_base[type]]);
            i = i + 1;
        }
        return 0;
    }
    f = t_fields[type];
    while (f) {
        long bit = (offset + f_offset[f]) * 8 + f_bit[f];
        if (f_width[f]) {
            merge(bit / 8, P_INTEGER);
            merge((bit + f_width[f] - 1) / 8, P_INTEGER);
        } else classify_part(f_type[f], offset + f_offset[f]);
        f = f_next[f];
    }
    return 0;
}

// Cuts a struct or complex number into pieces.
long classify(long type) {
    piece[0] = P_NOTHING;
    piece[1] = P_NOTHING;
    pieces = (t_size[type] + 7) / 8;
    if (pieces > 2) {
        pieces = -1;
        return 0;
    }
    classify_part(type, 0);
    // A piece that nothing lies in is passed like a float.
    if (pieces > 0) piece[0] = maximum(piece[0], P_SSE);
    if (pieces > 1) piece[1] = maximum(piece[1], P_SSE);
    if (piece[0] >= P_X87 || piece[1] >= P_X87) pieces = -1;
    return 0;
}

// Is the type returned through a pointer to where it goes? What lies in x87 registers is not: one or two long doubles.
long returned_in_memory(long type) {
    if (!in_memory(type) || type == TY_LCOMPLEX) return 0;
    classify(type);
    return pieces < 0 && (t_size[type] != 16 || piece[0] != P_X87 || piece[1] > P_SSE);
}

// Where the next argument of this type goes; for the stack, found_offset is its place there.
long place_argument(long type) {
    if (in_memory(type)) {
        classify(type);
        if (pieces == 0) return IN_NOTHING;
        long floats = (piece[0] == P_SSE) + (piece[1] == P_SSE);
        if (pieces > 0 && place_sse + floats <= 8 && place_gp + pieces - floats <= 6) {
            long place = 0;
            long i = pieces - 1;
            place_sse = place_sse + floats;
            place_gp = place_gp + pieces - floats;
            long gp_next = place_gp;
            long sse_next = place_sse;
            while (i >= 0) {
                place = place << 6;
                if (piece[i] == P_SSE) {
                    sse_next = sse_next - 1;
                    place = place + IN_SSE + sse_next;
                } else {
                    gp_next = gp_next - 1;
                    place = place + gp_next;
                }
                if (i) place = place + 1;
                i = i - 1;
            }
            return place;
        }
    } else if (type == TY_FLOAT || type == TY_DOUBLE) {
        if (place_sse < 8) {
            place_sse = place_sse + 1;
            return IN_SSE + place_sse - 1;
        }
    } else if (type != TY_LDOUBLE && place_gp < 6) {
        place_gp = place_gp + 1;
        return place_gp - 1;
    }
    if (t_align[type] > 16) fail("an argument aligned to more than 16 bytes is not supported");
    if (t_align[type] > 8) place_stack = round_up(place_stack, 16);
    found_offset = place_stack;
    place_stack = place_stack + round_up(maximum(t_size[type], 8), 8);
    return IN_STACK;
}

// rax to integer register r of the argument order rdi, rsi, rdx, rcx, r8, r9.
long move_to_register(long r) {
    if (r == 0) return x86(0x4889c7);
    if (r == 1) return x86(0x4889c6);
    if (r == 2) return x86(0x4889c2);
    if (r == 3) return x86(0x4889c1);
    if (r == 4) return x86(0x4989c0);
    return x86(0x4989c1);
}

long pop_register(long r) {
    pushed = pushed - 1;
    if (r == 0) return x86(0x5f);
    if (r == 1) return x86(0x5e);
    if (r == 2) return x86(0x5a);
    if (r == 3) return x86(0x59);
    if (r == 4) return x86(0x4158);
    return x86(0x4159);
}

// Evaluates the argument into its place on the stack.
long stack_argument(long arg, long offset) {
    long type = n_type[n_a[arg]];
    generate(n_a[arg]);
    if (type == TY_LDOUBLE) x86(0xdbbc24);             // fstp tbyte [rsp + offset]
    else if (in_memory(type)) x86(0x488d8c24);         // lea rcx, [rsp + offset]
    else x86(0x48898424);                               // mov [rsp + offset], rax
    word(offset);
    if (in_memory(type)) copy_struct(t_size[type]);
    return 0;
}

// Pushes the piece of a struct that begins at [rax + offset]. What lies behind the struct is not read.
long push_piece(long offset, long left) {
    pushed = pushed + 1;
    if (left >= 8) {
        x86(0xff70);          // push qword [rax + offset]
        return emit(offset);
    }
    x86(0x31d2);              // xor edx, edx
    while (left > 0) {
        left = left - 1;
        x86(0x48c1e208);      // shl rdx, 8
        x86(0x8a50);          // mov dl, [rax + offset + left]
        emit(offset + left);
    }
    return x86(0x52);         // push rdx
}

// Pushes the pieces of the struct at [rax], the first one last.
long push_pieces(long count, long size) {
    if (count > 1) push_piece(8, size - 8);
    return push_piece(0, size);
}

// Pops what goes to register `where`, as place_argument numbers them.
long pop_place(long where) {
    if (where < IN_SSE) return pop_register(where);
    pop_rax();
    x86(0x66480f6e);          // movq xmm, rax
    return emit(0xc0 + (where - IN_SSE) * 8);
}

// Register arguments from the last to the first: evaluated and pushed.
long push_arguments(long arg) {
    if (arg == 0) return 0;
    push_arguments(n_b[arg]);
    if (n_value[arg] == IN_STACK) return 0;
    long type = n_type[n_a[arg]];
    generate(n_a[arg]);
    if (n_value[arg] == IN_NOTHING) return 0;
    if (in_memory(type)) return push_pieces(1 + (n_value[arg] > 63), t_size[type]);
    return push();
}

// Puts a struct or complex number that came back in registers into the local at `place`; rax is its address then.
long receive_result(long type, long place) {
    long i = 0;
    long gp_seen = 0;
    long sse_seen = 0;
    classify(type);
    if (pieces < 0) {
        x86(0xdbbd);          // fstp tbyte [rbp + d]
        word(place);
        if (type == TY_LCOMPLEX) {
            x86(0xdbbd);
            word(place + 16);
        }
    }
    while (i < pieces) {
        if (piece[i] == P_SSE) {
            x86(0x660fd6);    // movq [rbp + d], xmm
            emit(0x85 + sse_seen * 8);
            sse_seen = sse_seen + 1;
        } else {
            if (gp_seen) x86(0x488995);  // mov [rbp + d], rdx
            else x86(0x488985);
            gp_seen = 1;
        }
        word(place + i * 8);
        i = i + 1;
    }
    x86(0x488d85);            // lea rax, [rbp + d]
    return word(place);
}

// Returns the struct or complex number at [rax].
long generate_result(long type, long pointer_place) {
    long i = 0;
    long gp_seen = 0;
    long sse_seen = 0;
    if (returned_in_memory(type)) {
        x86(0x488b8d);        // mov rcx, [rbp + d]
        word(pointer_place);
        return copy_struct(t_size[type]);
    }
    classify(type);
    if (pieces < 0) {
        if (type == TY_LCOMPLEX) x86(0xdb6810);  // fld tbyte [rax + 16]
        return x86(0xdb28);   // fld tbyte [rax]
    }
    if (pieces == 0) return 0;
    push_pieces(pieces, t_size[type]);
    while (i < pieces) {
        if (piece[i] == P_SSE) {
            pop_rcx();
            x86(0x66480f6e);  // movq xmm, rcx
            emit(0xc1 + sse_seen * 8);
            sse_seen = sse_seen + 1;
        } else {
            if (gp_seen) pop_register(2);
            else pop_rax();
            gp_seen = 1;
        }
        i = i + 1;
    }
    return 0;
}

long generate_call(long n) {
    long type = n_type[n];
    long callee = n_a[n];
    long returns_struct = returned_in_memory(type);
    place_gp = returns_struct;
    place_sse = 0;
    place_stack = 0;
    long arg = n_b[n];
    while (arg) {
        n_value[arg] = place_argument(n_type[n_a[arg]]);
        arg = n_b[arg];
    }
    long sse_used = place_sse;
    long area = round_up(place_stack, 8);
    if ((pushed + area / 8) % 2) area = area + 8;
    if (area) {
        x86(0x4881ec);        // sub rsp, area
        word(area);
        pushed = pushed + area / 8;
    }
    long is_direct_call = n_op[callee] == N_ADDRESS && n_op[n_a[callee]] == N_GLOBAL;
    if (!is_direct_call) {
        generate(callee);
        push();
    }
    // Stack arguments; the area lies below what was pushed since.
    long above = (!is_direct_call) * 8;
    place_stack = 0;
    long offset = 0;
    arg = n_b[n];
    while (arg) {
        long passed = n_type[n_a[arg]];
        if (n_value[arg] == IN_STACK) {
            if (t_align[passed] > 8) offset = round_up(offset, 16);
            stack_argument(arg, offset + above);
            offset = offset + round_up(maximum(t_size[passed], 8), 8);
        }
        arg = n_b[arg];
    }
    push_arguments(n_b[n]);
    arg = n_b[n];
    while (arg) {
        long where = n_value[arg];
        if (where != IN_STACK && where != IN_NOTHING) {
            pop_place(where & 63);
            if (where > 63) pop_place((where >> 6) - 1);
        }
        arg = n_b[arg];
    }
    if (returns_struct) {
        x86(0x488dbd);        // lea rdi, [rbp + d]
        word(n_value[n]);
    }
    if (!is_direct_call) {
        x86(0x415b);          // pop r11
        pushed = pushed - 1;
    }
    if (t_variadic[t_base[n_type[callee]]]) {
        x86(0xb8);            // mov eax, number of SSE registers used
        word(sse_used);
    }
    if (is_direct_call) {
        x86(0xe8);
        fix(FIX_CALL, code_len, n_a[n_a[callee]], 0);
        word(0);
    } else x86(0x41ffd3);     // call r11
    if (area) {
        x86(0x4881c4);
        word(area);
        pushed = pushed - area / 8;
    }
    if (type == TY_FLOAT || type == TY_DOUBLE) return from_xmm0(type);
    if (is_integer(type)) return extend(type);
    if (in_memory(type) && !returns_struct) return receive_result(type, n_value[n]);
    return 0;
}

// Stores the register that carries a parameter, or a piece of one, to the local at `place`.
long receive_piece(long where, long place) {
    if (where >= IN_SSE) {
        x86(0x660fd6);
        emit(0x85 + (where - IN_SSE) * 8);
    } else if (where == 0) x86(0x4889bd);
    else if (where == 1) x86(0x4889b5);
    else if (where == 2) x86(0x488995);
    else if (where == 3) x86(0x48898d);
    else if (where == 4) x86(0x4c8985);
    else x86(0x4c898d);
    return word(place);
}

// Stores the registers that carry parameters; declares nothing. Each parameter's distance from rbp is left in f_offset.
long receive_parameters(long type) {
    place_gp = 0;
    place_sse = 0;
    place_stack = 0;
    function_save = 0;
    long variadic = t_variadic[type] == 1;
    if (returned_in_memory(t_base[type])) {
        place_gp = 1;
        x86(0x4889bd);        // mov [rbp + d], rdi
        word(new_local(8, 8));
    }
    if (variadic) {
        function_save = new_local(176, 16);
        x86(0x4889bd);
        word(function_save);
        x86(0x4889b5);
        word(function_save + 8);
        x86(0x488995);
        word(function_save + 16);
        x86(0x48898d);
        word(function_save + 24);
        x86(0x4c8985);
        word(function_save + 32);
        x86(0x4c898d);
        word(function_save + 40);
        long r = 0;
        while (r < 8) {
            x86(0x660fd6);    // movq [rbp + d], xmm
            emit(0x85 + r * 8);
            word(function_save + 48 + r * 16);
            r = r + 1;
        }
    }
    long p = t_fields[type];
    while (p) {
        long place = place_argument(f_type[p]);
        if (place == IN_STACK) f_offset[p] = 16 + found_offset;
        else {
            f_offset[p] = new_local(round_up(maximum(t_size[f_type[p]], 8), 8), t_align[f_type[p]]);
            if (place != IN_NOTHING) receive_piece(place & 63, f_offset[p]);
            if (place > 63) receive_piece((place >> 6) - 1, f_offset[p] + 8);
        }
        p = f_next[p];
    }
    function_gp = place_gp;
    function_sse = place_sse;
    function_stack = place_stack;
    return 0;
}

long generate_va_start(long n) {
    if (function_save == 0) fail("va_start in a function without '...'");
    generate(n_a[n]);
    x86(0xc700);              // mov dword [rax], gp_offset
    word(function_gp * 8);
    x86(0xc74004);            // mov dword [rax + 4], fp_offset
    word(48 + function_sse * 16);
    x86(0x488d8d);            // lea rcx, [rbp + d]
    word(16 + function_stack);
    x86(0x48894808);          // mov [rax + 8], rcx
    x86(0x488d8d);
    word(function_save);
    return x86(0x48894810);   // mov [rax + 16], rcx
}

// Reads the next register of the va_list at [rcx] into rax.
long next_saved(long is_sse) {
    if (is_sse) {
        x86(0x8b4104);        // mov eax, [rcx + 4]
        x86(0x83410410);      // add dword [rcx + 4], 16
    } else {
        x86(0x8b01);
        x86(0x830108);        // add dword [rcx], 8
    }
    return x86(0x48034110);   // add rax, [rcx + 16]
}

// Goes to the label if the va_list at [rcx] has not `sse` and `gp` registers left.
long check_saved(long floats, long gp, long from_stack) {
    if (gp) {
        x86(0x8b01);          // mov eax, [rcx]
        x86(0x3d);            // cmp eax, 48 - ...
        word(48 - gp * 8);
        jump_if(CC_ABOVE, from_stack);
    }
    if (floats) {
        x86(0x8b4104);
        x86(0x3d);
        word(176 - floats * 16);
        jump_if(CC_ABOVE, from_stack);
    }
    return 0;
}

long generate_va_arg(long n) {
    long type = n_type[n];
    long is_sse = type == TY_FLOAT || type == TY_DOUBLE;
    long from_stack = new_label();
    long done = new_label();
    long i = 0;
    generate(n_a[n]);
    x86(0x4889c1);            // rcx = the va_list
    if (in_memory(type)) {
        classify(type);
        long floats = (piece[0] == P_SSE) + (piece[1] == P_SSE);
        if (pieces > 0) check_saved(floats, pieces - floats, from_stack);
        while (i < pieces) {
            next_saved(piece[i] == P_SSE);
            x86(0x488b00);    // mov rax, [rax]
            x86(0x488985);    // mov [rbp + d], rax
            word(n_value[n] + i * 8);
            i = i + 1;
        }
        if (pieces > 0) {
            x86(0x488d85);    // lea rax, [rbp + d]
            word(n_value[n]);
            jump(done);
        }
    } else if (type != TY_LDOUBLE) {
        check_saved(is_sse, !is_sse, from_stack);
        next_saved(is_sse);
        jump(done);
    }
    place_label(from_stack);
    x86(0x488b4108);          // mov rax, [rcx + 8]
    if (t_align[type] > 8) {
        x86(0x4883c00f);
        x86(0x4883e0f0);
    }
    x86(0x488d90);            // lea rdx, [rax + size]
    word(round_up(t_size[type], 8));
    x86(0x48895108);          // mov [rcx + 8], rdx
    place_label(done);
    return load_from_rax(type);
}

// __s4_setjmp(buffer): keeps rbp, rsp and the address behind itself in three longs. No other register lives across calls.
long generate_setjmp(long n) {
    long resume = new_label();
    generate(n_a[n]);
    x86(0x488928);            // mov [rax], rbp
    x86(0x48896008);          // mov [rax + 8], rsp
    x86(0x488d0d);            // lea rcx, [resume]
    label_word(resume);
    x86(0x48894810);          // mov [rax + 16], rcx
    x86(0x31c0);
    return place_label(resume);
}

// __s4_longjmp(buffer, value)
long generate_longjmp(long n) {
    generate_operands(n);
    x86(0x488b28);            // mov rbp, [rax]
    x86(0x488b6008);          // mov rsp, [rax + 8]
    x86(0x488b5010);          // mov rdx, [rax + 16]
    x86(0x4889c8);            // mov rax, rcx
    return x86(0xffe2);       // jmp rdx
}

// The statements of a statement expression: a call, made so that the stack is aligned inside.
long generate_statements(long n) {
    long even = pushed % 2 == 0;
    if (even) x86(0x4883ec08);  // sub rsp, 8
    x86(0xe8);
    label_word(n_value[n]);
    if (even) x86(0x4883c408);
    return 0;
}

// __s4_syscall(number, ...)
long generate_syscall(long n) {
    long arg = n_b[n];
    push_arguments(arg);
    pop_rax();
    long r = 0;
    arg = n_b[arg];
    while (arg) {
        if (r == 3) {
            x86(0x415a);      // pop r10
            pushed = pushed - 1;
        } else pop_register(r);
        r = r + 1;
        arg = n_b[arg];
    }
    return x86(0x0f05);
}
