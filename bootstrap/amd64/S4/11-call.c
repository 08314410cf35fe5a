// Call: how arguments and results travel, variable arguments, setjmp, and system calls.
//
// Numbers and pointers follow the System V ABI: six integer registers, eight SSE registers, the rest on the stack, long double always there.
// Structs are simpler than in that ABI: passed on the stack whatever their size, and returned through a pointer in rdi. Nothing but S4's own
// code is ever linked with S4's code, so no one else has to agree.

enum {
    // Where an argument goes: the stack, integer register 0..5, or IN_SSE + SSE register 0..7.
    IN_SSE = 16,
    IN_STACK = 32
};

long place_gp;                // state of `place_argument`
long place_sse;
long place_stack;

long function_gp;             // of the current function: what its named parameters took
long function_sse;
long function_stack;
long function_save;           // a variadic function's saved registers: distance from rbp

// Where the next argument of this type goes; for the stack, found_offset is its place there.
long place_argument(long type) {
    if ((type == TY_FLOAT || type == TY_DOUBLE) && place_sse < 8) {
        place_sse = place_sse + 1;
        return IN_SSE + place_sse - 1;
    }
    if (!is_float(type) && t_kind[type] != K_STRUCT && place_gp < 6) {
        place_gp = place_gp + 1;
        return place_gp - 1;
    }
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
    else if (t_kind[type] == K_STRUCT) x86(0x488d8c24);  // lea rcx, [rsp + offset]
    else x86(0x48898424);                               // mov [rsp + offset], rax
    word(offset);
    if (t_kind[type] == K_STRUCT) copy_struct(t_size[type]);
    return 0;
}

// Register arguments from the last to the first: evaluated and pushed.
long push_arguments(long arg) {
    if (arg == 0) return 0;
    push_arguments(n_b[arg]);
    if (n_value[arg] == IN_STACK) return 0;
    generate(n_a[arg]);
    return push();
}

long generate_call(long n) {
    long type = n_type[n];
    long callee = n_a[n];
    long returns_struct = t_kind[type] == K_STRUCT;
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
        if (where != IN_STACK && where >= IN_SSE) {
            pop_rax();
            x86(0x66480f6e);  // movq xmm, rax
            emit(0xc0 + (where - IN_SSE) * 8);
        } else if (where < IN_SSE) pop_register(where);
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
    return 0;
}

// Stores the registers that carry parameters; declares nothing. Each parameter's distance from rbp is left in f_offset.
long receive_parameters(long type) {
    place_gp = 0;
    place_sse = 0;
    place_stack = 0;
    function_save = 0;
    long variadic = t_variadic[type] == 1;
    if (t_kind[t_base[type]] == K_STRUCT) {
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
            f_offset[p] = new_local(8, 8);
            if (place >= IN_SSE) {
                x86(0x660fd6);
                emit(0x85 + (place - IN_SSE) * 8);
            } else if (place == 0) x86(0x4889bd);
            else if (place == 1) x86(0x4889b5);
            else if (place == 2) x86(0x488995);
            else if (place == 3) x86(0x48898d);
            else if (place == 4) x86(0x4c8985);
            else x86(0x4c898d);
            word(f_offset[p]);
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

long generate_va_arg(long n) {
    long type = n_type[n];
    long is_sse = type == TY_FLOAT || type == TY_DOUBLE;
    long from_stack = new_label();
    long done = new_label();
    generate(n_a[n]);
    x86(0x4889c1);            // rcx = the va_list
    if (type != TY_LDOUBLE && t_kind[type] != K_STRUCT) {
        if (is_sse) {
            x86(0x8b4104);    // mov eax, [rcx + 4]
            x86(0x3d);        // cmp eax, 176
            word(176);
            jump_if(CC_ABOVE_EQUAL, from_stack);
            x86(0x83410410);  // add dword [rcx + 4], 16
        } else {
            x86(0x8b01);
            x86(0x3d);
            word(48);
            jump_if(CC_ABOVE_EQUAL, from_stack);
            x86(0x830108);
        }
        x86(0x48034110);      // add rax, [rcx + 16]
        jump(done);
    }
    place_label(from_stack);
    x86(0x488b4108);          // mov rax, [rcx + 8]
    if (t_align[type] > 8) {
        x86(0x4883c00f);
        x86(0x4883e0f0);
    }
    x86(0x488d90);            // lea rdx, [rax + size]
    word(round_up(maximum(t_size[type], 8), 8));
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
