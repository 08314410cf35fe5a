// Operands of asm statements, as gcc has them: constraints, the registers they go to, and their ways there and back.
//
// Operands go the long way: inputs are evaluated into hidden locals, loaded into registers, and outputs come back through hidden locals.
// Between two statements S4 keeps nothing in registers but rsp and rbp, so all others are free. A constraint or register that is not known
// here is refused by name.

enum {
    ASM_OPERANDS = 30,
    REGISTER_VARIABLES = 256,

    // Where an operand is.
    A_REGISTER = 1, A_MEMORY, A_NUMBER, A_XMM, A_X87, A_NOTHING
};

long a_count;
long a_name[ASM_OPERANDS];    // [name], or 0
long a_kind[ASM_OPERANDS];
long a_register[ASM_OPERANDS];  // -1: any
long a_match[ASM_OPERANDS];   // the output in whose register an input goes, or -1
long a_node[ASM_OPERANDS];
long a_type[ASM_OPERANDS];
long a_slot[ASM_OPERANDS];    // hidden local of the value, or of the address of memory
long a_reads[ASM_OPERANDS];
long a_writes[ASM_OPERANDS];
long asm_used;                // registers that are taken, one bit each
long asm_xmm_used;
long asm_pops;                // bit 0: the template takes st(0) away, bit 1: st(1)

long register_place[REGISTER_VARIABLES];
long register_number[REGISTER_VARIABLES];

// The register of this name (16 and up: xmm), or -1. Sets asm_size.
long asm_size;

long register_bit(long i) {
    long one = 1;
    return one << i;
}

long two_letters(long from, long a, long b) {
    return text[from] == a && text[from + 1] == b;
}

long register_of(long name) {
    long i = name_start[name];
    long len = name_len[name];
    asm_size = 8;
    if (len > 3 && two_letters(i, 'x', 'm') && text[i + 2] == 'm') {
        long x = text[i + 3] - '0';
        if (len == 5) x = x * 10 + text[i + 4] - '0';
        if (x < 0 || x > 15 || len > 5) return -1;
        asm_size = 16;
        return 16 + x;
    }
    if (len > 1 && text[i] == 'r' && is_digit(text[i + 1])) {
        long n = text[i + 1] - '0';
        long end = i + len;
        i = i + 2;
        if (i < end && is_digit(text[i])) {
            n = n * 10 + text[i] - '0';
            i = i + 1;
        }
        if (i < end) {
            if (text[i] == 'd') asm_size = 4;
            else if (text[i] == 'w') asm_size = 2;
            else if (text[i] == 'b') asm_size = 1;
            else return -1;
            i = i + 1;
        }
        if (i != end || n < 8 || n > 15) return -1;
        return n;
    }
    if (len == 3) {
        if (text[i] == 'e') asm_size = 4;
        else if (text[i] != 'r') return -1;
        i = i + 1;
    } else if (len == 2) {
        asm_size = 2;
        if (text[i + 1] == 'l') asm_size = 1;
    } else return -1;
    if (asm_size == 1 || text[i + 1] == 'x') {
        if (text[i] == 'a') return 0;
        if (text[i] == 'c') return 1;
        if (text[i] == 'd') return 2;
        if (text[i] == 'b') return 3;
        return -1;
    }
    if (two_letters(i, 's', 'p')) return 4;
    if (two_letters(i, 'b', 'p')) return 5;
    if (two_letters(i, 's', 'i')) return 6;
    if (two_letters(i, 'd', 'i')) return 7;
    return -1;
}

// asm("name") behind the declarator of a local: the register that asm statements find it in.
long asm_register_name() {
    next();
    expect('(');
    if (tok != T_STRING) fail("expected the name of a register");
    read_strings();
    long name = joined_name();
    long r = register_of(name);
    if (r < 0 || r == 4 || r == 5 || r > 15) fail_name("not a register that can be chosen:", name);
    expect(')');
    return r;
}

long add_register_variable(long place, long r) {
    if (register_variables >= REGISTER_VARIABLES) fail("too many register variables");
    register_place[register_variables] = place;
    register_number[register_variables] = r;
    register_variables = register_variables + 1;
    return 0;
}

// The register of an operand that is such a variable, or -1.
long register_of_variable(long n) {
    long i = register_variables - 1;
    if (n_op[n] != N_LOCAL) return -1;
    while (i >= 0 && register_place[i] != n_value[n]) i = i - 1;
    if (i < 0) return -1;
    return register_number[i];
}

// The register that a constraint letter names, or -1.
long register_of_letter(long c) {
    if (c == 'a') return 0;
    if (c == 'c') return 1;
    if (c == 'd') return 2;
    if (c == 'b') return 3;
    if (c == 'S') return 6;
    if (c == 'D') return 7;
    return -1;
}

// Reads the constraint in `string` for operand a. Of several places that it allows, the first of register, memory, number is taken.
long read_constraint(long a, long is_output) {
    long i = 0;
    long best = 0;
    a_writes[a] = 0;
    a_reads[a] = !is_output;
    a_register[a] = -1;
    a_match[a] = -1;
    if (is_output) {
        if (string[0] == '+') a_reads[a] = 1;
        else if (string[0] != '=') fail("expected '=' or '+' in the constraint of an output");
        a_writes[a] = 1;
        i = 1;
    }
    while (i < string_len && string[i] != ',') {
        long c = string[i];
        long kind = 0;
        if (register_of_letter(c) >= 0) {
            kind = A_REGISTER;
            if (a_register[a] < 0) a_register[a] = register_of_letter(c);
        } else if (c == 'r' || c == 'q' || c == 'g') kind = A_REGISTER;
        else if (c == 'm') kind = A_MEMORY;
        else if (c == 'i' || c == 'n' || c == 'N' || c == 'I' || c == 'e') kind = A_NUMBER;
        else if (c == 'x') kind = A_XMM;
        else if (c == 't' || c == 'u') {
            kind = A_X87;
            a_register[a] = c == 'u';
        } else if (c == 'X') kind = A_NOTHING;
        else if (is_digit(c) && !is_output) {
            long match = c - '0';
            if (match >= a_count || !a_writes[match]) fail("the constraint names no output");
            kind = a_kind[match];
            if (kind == A_MEMORY) fail("an input in the place of an output in memory is not supported");
            a_match[a] = match;
            a_register[a] = a_register[match];
        } else if (c != '&' && c != '%') {
            long name = joined_name();
            fail_name("unsupported constraint", name);
        }
        if (best == 0 || (kind && kind < best)) best = kind;
        i = i + 1;
    }
    if (best == 0 || (is_output && (best == A_NUMBER || best == A_NOTHING))) fail("a constraint that names no place");
    a_kind[a] = best;
    return 0;
}

// [name] "constraint" (expression), ...
long asm_operands(long is_output) {
    long more = tok != ':' && tok != ')';
    while (more) {
        long a = a_count;
        if (a >= ASM_OPERANDS) fail("too many operands of an asm statement");
        a_name[a] = 0;
        if (accept('[')) {
            a_name[a] = tok_name;
            next();
            expect(']');
        }
        if (tok != T_STRING) fail("expected a constraint");
        read_strings();
        read_constraint(a, is_output);
        expect('(');
        long n = expression();
        expect(')');
        if (is_output && !is_lvalue(n)) fail("an output that cannot be assigned to");
        if (a_kind[a] == A_MEMORY) {
            if (!is_lvalue(n) || n_op[n] == N_BITS) fail("a memory operand that is not in memory");
        } else if (!is_output) {
            n = decay(n);
            if (a_match[a] >= 0) n = cast(n, a_type[a_match[a]]);
            require_scalar(n);
        }
        a_type[a] = n_type[n];
        if (a_kind[a] == A_X87) a_type[a] = TY_LDOUBLE;
        if (a_kind[a] == A_REGISTER && (is_float(a_type[a]) || !is_scalar(a_type[a]))) fail("an operand of this type is not in a register");
        if (a_kind[a] == A_XMM && a_type[a] != TY_FLOAT && a_type[a] != TY_DOUBLE && t_size[a_type[a]] != 8 && t_size[a_type[a]] != 4)
            fail("an operand of this type is not in an xmm register");
        if (a_kind[a] == A_NUMBER && n_op[n] != N_CONST) fail("expected a constant integer expression");
        if (a_kind[a] == A_REGISTER && a_register[a] < 0) a_register[a] = register_of_variable(n);
        a_node[a] = n;
        a_count = a_count + 1;
        more = accept(',');
    }
    return 0;
}

long asm_clobbers() {
    long more = tok == T_STRING;
    long cc = name_of("cc");
    long memory = name_of("memory");
    long st0 = name_of("st");
    long st1 = name_of("st(1)");
    while (more) {
        read_strings();
        long name = joined_name();
        long r = register_of(name);
        if (r >= 16) asm_xmm_used = asm_xmm_used | register_bit(r - 16);
        else if (r == 4 || r == 5) fail_name("a register that cannot be given away:", name);
        else if (r >= 0) asm_used = asm_used | register_bit(r);
        else if (name == st0) asm_pops = asm_pops | 1;
        else if (name == st1) asm_pops = asm_pops | 2;
        else if (name != cc && name != memory) fail_name("unsupported register", name);
        more = accept(',');
    }
    return 0;
}

// The value of n in the hidden local at `place`.
long set_hidden(long place, long type, long n) {
    long target = new_node(N_LOCAL, type, 0, 0, place);
    n = cast(n, type);
    n = new_node(N_ASSIGN, type, target, n, 0);
    return generate_discard(n);
}

// Evaluates operand a into its hidden local; makes outputs lvalues that can be evaluated later.
long evaluate_operand(long a) {
    long n = a_node[a];
    if (a_kind[a] == A_NUMBER) return 0;
    if (a_kind[a] == A_NOTHING) return generate_discard(n);
    if (a_kind[a] == A_MEMORY || a_writes[a]) {
        n = twice(n);
        if (prepare) generate_discard(prepare);
        a_node[a] = n;
    }
    if (a_kind[a] == A_MEMORY) {
        if (n_op[n] == N_DEREF) a_slot[a] = n_value[n_a[n]];
        return 0;
    }
    a_slot[a] = new_local(16, 16);
    if (a_reads[a]) set_hidden(a_slot[a], a_type[a], n);
    return 0;
}

long take_register() {
    // rcx, rdx, rsi, rdi, rax, rbx, then r8 to r15.
    long r = 1;
    while (asm_used & register_bit(r)) {
        if (r == 1) r = 2;
        else if (r == 2) r = 6;
        else if (r == 6) r = 7;
        else if (r == 7) r = 0;
        else if (r == 0) r = 3;
        else if (r == 3) r = 8;
        else {
            r = r + 1;
            if (r > 15) fail("an asm statement needs too many registers");
        }
    }
    asm_used = asm_used | register_bit(r);
    return r;
}

long assign_registers() {
    long a = 0;
    long outputs = 0;         // fixed registers of outputs and of inputs: one of each may share
    long inputs = 0;
    while (a < a_count) {
        if (a_kind[a] == A_REGISTER && a_register[a] >= 0 && a_match[a] < 0) {
            long mask = register_bit(a_register[a]);
            if ((a_writes[a] && outputs & mask) || (a_reads[a] && inputs & mask)) fail("two operands in one register");
            if (a_writes[a]) outputs = outputs | mask;
            if (a_reads[a]) inputs = inputs | mask;
        }
        a = a + 1;
    }
    asm_used = asm_used | outputs | inputs | 48;  // and rsp, rbp
    a = 0;
    while (a < a_count) {
        long needs = a_kind[a] == A_REGISTER && a_register[a] < 0;
        if (a_kind[a] == A_MEMORY) needs = n_op[a_node[a]] == N_DEREF;
        if (a_match[a] >= 0) a_register[a] = a_register[a_match[a]];
        else if (needs) a_register[a] = take_register();
        else if (a_kind[a] == A_XMM) {
            long x = 0;
            while (asm_xmm_used & register_bit(x)) x = x + 1;
            if (x > 15) fail("an asm statement needs too many registers");
            asm_xmm_used = asm_xmm_used | register_bit(x);
            a_register[a] = x;
        }
        a = a + 1;
    }
    return 0;
}

// An instruction with register r (of any 16) and the hidden local of operand a. prefix: a byte before REX, or 0.
long hidden_operand(long prefix, long rex, long opcode, long r, long a) {
    if (prefix) emit(prefix);
    if (r >= 8) rex = rex | 0x44;
    if (rex) emit(rex);
    x86(opcode);
    emit(0x85 + (r & 7) * 8);
    return word(a_slot[a]);
}

long load_operands() {
    long a = 0;
    while (a < a_count) {
        long kind = a_kind[a];
        if (kind == A_MEMORY && n_op[a_node[a]] == N_DEREF) hidden_operand(0, 0x48, 0x8b, a_register[a], a);
        else if (kind == A_REGISTER && a_reads[a]) hidden_operand(0, 0x48, 0x8b, a_register[a], a);
        else if (kind == A_XMM && a_reads[a]) hidden_operand(0xf3, 0, 0x0f7e, a_register[a], a);
        a = a + 1;
    }
    // st(1) before st(0).
    long depth_wanted = 1;
    while (depth_wanted >= 0) {
        a = 0;
        while (a < a_count) {
            if (a_kind[a] == A_X87 && a_reads[a] && a_register[a] == depth_wanted) hidden_operand(0, 0, 0xdb, 5, a);
            a = a + 1;
        }
        depth_wanted = depth_wanted - 1;
    }
    return 0;
}

long store_operands() {
    long a = 0;
    long level = 0;
    while (a < a_count) {
        if (a_writes[a] && a_kind[a] == A_REGISTER) hidden_operand(0, 0x48, 0x89, a_register[a], a);
        if (a_writes[a] && a_kind[a] == A_XMM) hidden_operand(0x66, 0, 0x0fd6, a_register[a], a);
        a = a + 1;
    }
    // What lies on the x87 stack: outputs are taken, inputs that the template left are dropped.
    while (level < 2) {
        long from = -1;
        long lies = 0;
        a = 0;
        while (a < a_count) {
            if (a_kind[a] == A_X87 && a_register[a] == level) {
                if (a_writes[a]) from = a;
                lies = 1;
            }
            a = a + 1;
        }
        if (from >= 0) hidden_operand(0, 0, 0xdb, 7, from);
        else if (lies && !(asm_pops & register_bit(level))) x86(0xddd8);
        level = level + 1;
    }
    a = 0;
    while (a < a_count) {
        if (a_writes[a] && a_kind[a] != A_MEMORY) {
            long v = new_node(N_LOCAL, a_type[a], 0, 0, a_slot[a]);
            v = assign(a_node[a], v);
            generate_discard(v);
        }
        a = a + 1;
    }
    return 0;
}
