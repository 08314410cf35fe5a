// Generate: machine code of an expression.
//
// A value is in rax: an integer extended to 64 bits by its type's sign, a pointer, the bits of a float or double, or the address of a struct.
// Only a long double is elsewhere, in st0. Operands wait on the stack. rcx, rdx, rsi, rdi, xmm0 and xmm1 are free between instructions.

enum { CC_BELOW = 2, CC_ABOVE_EQUAL, CC_EQUAL, CC_NOT_EQUAL, CC_BELOW_EQUAL, CC_ABOVE, CC_PARITY = 10, CC_NO_PARITY, CC_LESS, CC_GREATER_EQUAL, CC_LESS_EQUAL, CC_GREATER };

long generate(long n);              // below
long tree_depth;
long clear_local(long place, long size);  // 18-initial.c
long generate_call(long n);        // 12-call.c
long generate_va_start(long n);
long generate_va_arg(long n);
long generate_setjmp(long n);
long generate_longjmp(long n);
long generate_syscall(long n);
long generate_statements(long n);
long generate_builtin(long n);     // 17-builtin.c
long generate_pair(long n);        // 13-complex.c

// The instruction that reads a value of the type into rax (rcx), without its ModRM byte.
long load_opcode(long type) {
    long size = t_size[type];
    if (size == 1 && t_unsigned[type]) return x86(0x0fb6);
    if (size == 1) return x86(0x480fbe);
    if (size == 2 && t_unsigned[type]) return x86(0x0fb7);
    if (size == 2) return x86(0x480fbf);
    if (size == 4 && (t_unsigned[type] || is_float(type))) return x86(0x8b);
    if (size == 4) return x86(0x4863);
    return x86(0x488b);
}

long store_opcode(long type) {
    long size = t_size[type];
    if (size == 1) return x86(0x88);
    if (size == 2) return x86(0x6689);
    if (size == 4) return x86(0x89);
    return x86(0x4889);
}

// ModRM for a local or global operand; reg: 0 rax, 1 rcx, 5 and 7 select x87 instructions.
long direct_operand(long n, long reg) {
    if (n_op[n] == N_LOCAL) {
        emit(0x85 + reg * 8);
        return word(n_value[n]);
    }
    emit(0x04 + reg * 8);
    emit(0x25);
    return address_word(n_a[n], n_value[n]);
}

long is_direct(long n) {
    return n_op[n] == N_LOCAL || n_op[n] == N_GLOBAL;
}

// The address of an lvalue, or of a struct value, in rax.
long generate_address(long n) {
    if (n_op[n] == N_LOCAL) {
        x86(0x488d85);        // lea rax, [rbp + d]
        return word(n_value[n]);
    }
    if (n_op[n] == N_GLOBAL) {
        x86(0xb8);            // mov eax, address
        return address_word(n_a[n], n_value[n]);
    }
    if (n_op[n] == N_DEREF) return generate(n_a[n]);
    if (in_memory(n_type[n])) return generate(n);
    return fail("this has no address");
}

// Extends the low bytes of rax as the type wants.
long extend(long type) {
    long size = t_size[type];
    if (is_float(type) || is_pointer(type) || size == 8) return 0;
    if (type == TY_BOOL) {
        x86(0x4885c0);        // test rax, rax
        return set_if(CC_NOT_EQUAL);
    }
    if (size == 1 && t_unsigned[type]) return x86(0x0fb6c0);
    if (size == 1) return x86(0x480fbec0);
    if (size == 2 && t_unsigned[type]) return x86(0x0fb7c0);
    if (size == 2) return x86(0x480fbfc0);
    if (t_unsigned[type]) return x86(0x89c0);
    return x86(0x4898);       // cdqe
}

// Reads the value of type at [rax].
long load_from_rax(long type) {
    if (in_memory(type) || t_kind[type] == K_ARRAY || t_kind[type] == K_FUNCTION) return 0;
    if (type == TY_LDOUBLE) return x86(0xdb28);
    load_opcode(type);
    return emit(0x00);
}

long generate_lvalue(long n) {
    long type = n_type[n];
    if (n_op[n] == N_BITS) {
        generate(n_a[n]);
        if (n_value[n] == t_size[type] * 8 && n_type[n_a[n]] == type) return 0;
        x86(0x48c1e0);        // shl rax, i
        emit(64 - n_b[n] - n_value[n]);
        if (t_unsigned[type]) x86(0x48c1e8);
        else x86(0x48c1f8);
        return emit(64 - n_value[n]);
    }
    if (is_direct(n) && is_scalar(type)) {
        if (type == TY_LDOUBLE) {
            x86(0xdb);
            return direct_operand(n, 5);
        }
        load_opcode(type);
        return direct_operand(n, 0);
    }
    generate_address(n);
    return load_from_rax(type);
}

// Writes the value of type in rax (st0) to [rcx]; the value stays.
long store_to_rcx(long type) {
    if (type == TY_LDOUBLE) {
        x86(0xd9c0);          // fld st0
        return x86(0xdb39);   // fstp tbyte [rcx]
    }
    store_opcode(type);
    return emit(0x01);
}

// Can the node be read into rcx by one instruction, leaving rax alone?
long is_simple(long n) {
    if (n_op[n] == N_CONST) return 1;
    return is_direct(n) && is_scalar(n_type[n]) && n_type[n] != TY_LDOUBLE;
}

long generate_rcx(long n) {
    if (n_op[n] == N_CONST) return load_number_rcx(n_value[n]);
    load_opcode(n_type[n]);
    return direct_operand(n, 1);
}

// Copies a struct: from [rax] to [rcx]; rax = the target.
long copy_struct(long size) {
    x86(0x4889c6);            // mov rsi, rax
    x86(0x4889cf);            // mov rdi, rcx
    x86(0x4889c8);            // mov rax, rcx
    x86(0xb9);
    word(size);
    return x86(0xf3a4);       // rep movsb
}

long generate_assign(long n) {
    long target = n_a[n];
    long v = n_b[n];
    long type = n_type[n];
    if (n_op[target] == N_BITS) {
        long unit = n_a[target];
        long width = n_value[target];
        long one = 1;
        long mask = -1;
        if (width < 64) mask = (one << width) - 1;
        generate(v);
        push();
        generate_address(unit);
        push();
        load_from_rax(n_type[unit]);
        x86(0x48ba);          // mov rdx, ~(mask << bit)
        long hole = ~(mask << n_b[target]);
        word(hole);
        word(hole >> 32);
        x86(0x4821d0);        // and rax, rdx
        x86(0x488b4c2408);    // mov rcx, [rsp + 8]
        x86(0x48ba);
        word(mask);
        word(mask >> 32);
        x86(0x4821d1);        // and rcx, rdx
        x86(0x48c1e1);        // shl rcx, bit
        emit(n_b[target]);
        x86(0x4809c8);        // or rax, rcx
        pop_rcx();
        store_to_rcx(n_type[unit]);
        pop_rax();
        if (type == TY_BOOL || width == 64) return 0;
        x86(0x48c1e0);        // the value as the bit-field now has it
        emit(64 - width);
        if (t_unsigned[type]) x86(0x48c1e8);
        else x86(0x48c1f8);
        return emit(64 - width);
    }
    if (in_memory(type)) {
        generate_address(target);
        push();
        generate(v);
        pop_rcx();
        return copy_struct(t_size[type]);
    }
    if (is_direct(target)) {
        generate(v);
        if (type == TY_LDOUBLE) {
            x86(0xd9c0);
            x86(0xdb);
            return direct_operand(target, 7);
        }
        store_opcode(type);
        return direct_operand(target, 0);
    }
    if (is_simple(v)) {
        generate_address(target);
        x86(0x4889c1);        // mov rcx, rax
        generate(v);
        return store_to_rcx(type);
    }
    generate_address(target);
    push();
    generate(v);
    pop_rcx();
    return store_to_rcx(type);
}

// The value in rax as float or double into xmm0, and back.
long to_xmm0(long type) {
    if (type == TY_FLOAT) return x86(0x660f6ec0);
    return x86(0x66480f6ec0);
}

long from_xmm0(long type) {
    if (type == TY_FLOAT) return x86(0x660f7ec0);
    return x86(0x66480f7ec0);
}

// Prefix that says single or double precision.
long sse(long type) {
    if (type == TY_FLOAT) return emit(0xf3);
    return emit(0xf2);
}

// Integer in rax to a floating type.
long convert_integer(long from, long type) {
    long wide = t_unsigned[from] && t_size[from] == 8;
    long small = new_label();
    long done = new_label();
    if (type == TY_LDOUBLE) {
        push();
        x86(0xdf2c24);        // fild qword [rsp]
        if (wide) {
            x86(0x4885c0);
            jump_if(9, small);
            x86(0xc704240000805f);  // mov dword [rsp], 2^64 as a float
            x86(0xd80424);    // fadd dword [rsp]
            place_label(small);
        }
        return pop_rax();
    }
    if (wide) {
        x86(0x4885c0);        // test rax, rax
        jump_if(9, small);    // not negative
        x86(0x4889c1);        // halve, keeping the lowest bit for the rounding
        x86(0x48d1e8);        // shr rax, 1
        x86(0x83e101);        // and ecx, 1
        x86(0x4809c8);
        sse(type);
        x86(0x480f2ac0);      // cvtsi2sd xmm0, rax
        sse(type);
        x86(0x0f58c0);        // addsd xmm0, xmm0
        jump(done);
    }
    place_label(small);
    sse(type);
    x86(0x480f2ac0);
    place_label(done);
    return from_xmm0(type);
}

// Floating value (long double in st0) to an integer in rax, towards zero.
long convert_to_integer(long from, long type) {
    long small = new_label();
    long done = new_label();
    long wide = t_unsigned[type] && t_size[type] == 8;
    if (from != TY_LDOUBLE && !wide) {
        to_xmm0(from);
        sse(from);
        x86(0x480f2cc0);      // cvttsd2si rax, xmm0
        return extend(type);
    }
    push();
    if (from == TY_FLOAT) x86(0xd90424);
    if (from == TY_DOUBLE) x86(0xdd0424);
    if (wide) {
        x86(0xc704240000005f);  // mov dword [rsp], 2^63 as a float
        x86(0xd90424);        // fld dword [rsp]
        x86(0xdbf1);          // fcomi st0, st1
        jump_if(CC_ABOVE, small);
        x86(0xdee9);          // fsubp: st0 = value - 2^63
        x86(0xdd0c24);        // fisttp qword [rsp]
        pop_rax();
        x86(0x480fbae83f);    // bts rax, 63
        jump(done);
        place_label(small);
        pushed = pushed + 1;
        x86(0xddd8);          // fstp st0
    }
    x86(0xdd0c24);
    pop_rax();
    extend(type);
    place_label(done);
    return 0;
}

long generate_cast(long n) {
    long type = n_type[n];
    long from = n_type[n_a[n]];
    generate(n_a[n]);
    if (from == type) return 0;
    if (type == TY_VOID) {
        if (from == TY_LDOUBLE) x86(0xddd8);
        return 0;
    }
    if (!is_float(from) && !is_float(type)) {
        if (type == TY_BOOL) return extend(type);
        // Already right: all 64 bits count, or the new type has every value of the old one.
        if (t_size[type] == 8) return 0;
        if (t_size[type] >= t_size[from] && t_unsigned[type] == t_unsigned[from]) return 0;
        if (t_size[type] > t_size[from] && t_unsigned[from]) return 0;
        return extend(type);
    }
    if (!is_float(from)) return convert_integer(from, type);
    if (!is_float(type)) return convert_to_integer(from, type);
    if (from == TY_LDOUBLE) {
        push();
        if (type == TY_FLOAT) {
            x86(0xd91c24);    // fstp dword [rsp]
            pop_rax();
            return x86(0x89c0);
        }
        x86(0xdd1c24);        // fstp qword [rsp]
        return pop_rax();
    }
    if (type == TY_LDOUBLE) {
        push();
        if (from == TY_FLOAT) x86(0xd90424);
        else x86(0xdd0424);
        return pop_rax();
    }
    to_xmm0(from);
    sse(from);
    x86(0x0f5ac0);            // cvtss2sd or cvtsd2ss
    return from_xmm0(type);
}

// Left in rax, right in rcx for two integers or pointers, or two float or double values.
long generate_operands(long n) {
    if (is_simple(n_b[n])) {
        generate(n_a[n]);
        return generate_rcx(n_b[n]);
    }
    generate(n_a[n]);
    push();
    generate(n_b[n]);
    x86(0x4889c1);
    return pop_rax();
}

// Left in st1, right in st0.
long generate_x87_operands(long n) {
    generate(n_a[n]);
    push_x87();
    generate(n_b[n]);
    pop_x87();
    return x86(0xd9c9);       // fxch
}

long generate_float_arithmetic(long n) {
    long op = n_op[n];
    long type = n_type[n];
    if (type == TY_LDOUBLE) {
        generate_x87_operands(n);
        if (op == N_ADD) return x86(0xdec1);
        if (op == N_MUL) return x86(0xdec9);
        if (op == N_SUB) return x86(0xdee9);
        return x86(0xdef9);
    }
    generate_operands(n);
    to_xmm0(type);
    if (type == TY_FLOAT) x86(0x660f6ec9);
    else x86(0x66480f6ec9);   // movq xmm1, rcx
    sse(type);
    if (op == N_ADD) x86(0x0f58c1);
    else if (op == N_MUL) x86(0x0f59c1);
    else if (op == N_SUB) x86(0x0f5cc1);
    else x86(0x0f5ec1);
    return from_xmm0(type);
}

long generate_arithmetic(long n) {
    long op = n_op[n];
    long type = n_type[n];
    long u = t_unsigned[type];
    if (is_float(type)) return generate_float_arithmetic(n);
    generate_operands(n);
    if (op == N_ADD) x86(0x4801c8);
    else if (op == N_SUB) x86(0x4829c8);
    else if (op == N_MUL) x86(0x480fafc1);
    else if (op == N_AND) x86(0x4821c8);
    else if (op == N_OR) x86(0x4809c8);
    else if (op == N_XOR) x86(0x4831c8);
    else if (op == N_SHL || op == N_SHR) {
        if (t_size[type] == 8) emit(0x48);
        if (op == N_SHL) x86(0xd3e0);
        else if (u) x86(0xd3e8);
        else x86(0xd3f8);
    } else {
        if (u) {
            x86(0x31d2);      // xor edx, edx
            x86(0x48f7f1);    // div rcx
        } else {
            x86(0x4899);      // cqo
            x86(0x48f7f9);    // idiv rcx
        }
        if (op == N_MOD) x86(0x4889d0);
    }
    // The bits of two extended values combine to an extended value; other results are cut.
    if (op == N_AND || op == N_OR || op == N_XOR) return 0;
    return extend(type);
}

// Compares and returns the condition code that says yes. For floating operands an unordered result says no, but for !=.
long generate_compare(long n) {
    long op = n_op[n];
    long type = n_type[n_a[n]];
    if (is_float(type)) {
        if (type == TY_LDOUBLE) {
            generate_x87_operands(n);
            if (op == N_EQ || op == N_NE) {
                x86(0xdfe9);  // fucomip st0, st1
                x86(0xddd8);
            } else {
                x86(0xdff1);  // fcomip: right with left
                x86(0xddd8);
            }
        } else {
            generate_operands(n);
            to_xmm0(type);
            if (type == TY_FLOAT) x86(0x660f6ec9);
            else x86(0x66480f6ec9);
            if (type == TY_DOUBLE) emit(0x66);
            x86(0x0f2ec8);    // ucomisd xmm1, xmm0: right with left
        }
        if (op == N_LT) return CC_ABOVE;
        if (op == N_LE) return CC_ABOVE_EQUAL;
        // Equal means the zero flag without the parity flag: leave just that as "zero flag".
        x86(0x0f9bc0);        // setnp al
        x86(0x0f94c1);        // sete cl
        x86(0x20c8);          // and al, cl
        x86(0x3c01);          // cmp al, 1
        if (op == N_EQ) return CC_EQUAL;
        return CC_NOT_EQUAL;
    }
    if (n_op[n_b[n]] == N_CONST && n_value[n_b[n]] == 0 && (op == N_EQ || op == N_NE)) {
        generate(n_a[n]);
        x86(0x4885c0);        // test rax, rax
    } else {
        generate_operands(n);
        x86(0x4839c8);        // cmp rax, rcx
    }
    if (op == N_EQ) return CC_EQUAL;
    if (op == N_NE) return CC_NOT_EQUAL;
    if (op == N_LT && t_unsigned[type]) return CC_BELOW;
    if (op == N_LT) return CC_LESS;
    if (t_unsigned[type]) return CC_BELOW_EQUAL;
    return CC_LESS_EQUAL;
}

long generate_branch(long n, long sense, long label);

long branch(long n, long sense, long label) {
    long op = n_op[n];
    long past = 0;
    if (op == N_CONST) {
        if ((n_value[n] != 0) == sense) jump(label);
        return 0;
    }
    if (op == N_ZERO) return generate_branch(n_a[n], !sense, label);
    if (op == N_BOTH || op == N_EITHER) {
        if ((op == N_EITHER) == sense) {
            generate_branch(n_a[n], sense, label);
            return generate_branch(n_b[n], sense, label);
        }
        past = new_label();
        generate_branch(n_a[n], !sense, past);
        generate_branch(n_b[n], sense, label);
        return place_label(past);
    }
    if (is_comparison(op)) {
        long cc = generate_compare(n);
        // The lowest bit of a condition code negates it. (Not so for unordered floats, where above and below differ: above is tested.)
        if (!sense) cc = cc ^ 1;
        return jump_if(cc, label);
    }
    generate(n);
    x86(0x4885c0);
    if (sense) return jump_if(CC_NOT_EQUAL, label);
    return jump_if(CC_EQUAL, label);
}

// Jumps to the label if the truth of n is `sense`, else goes on.
long generate_branch(long n, long sense, long label) {
    tree_depth = tree_depth + 1;
    if (tree_depth > TREE_MAX) fail("expression too deep");
    branch(n, sense, label);
    tree_depth = tree_depth - 1;
    return 0;
}

long generate_choose(long n) {
    long other = new_label();
    long done = new_label();
    long mark = pushed;
    generate_branch(n_a[n], 0, other);
    generate(n_b[n]);
    jump(done);
    place_label(other);
    pushed = mark;
    generate(n_value[n]);
    return place_label(done);
}

long generate_truth(long n) {
    long no = new_label();
    long done = new_label();
    generate_branch(n, 0, no);
    load_number(1);
    jump(done);
    place_label(no);
    load_number(0);
    return place_label(done);
}

long generate_float(long n) {
    long type = n_type[n];
    if (type != TY_LDOUBLE) return load_number(float_bits(n_value[n], n_a[n], num_kind_of(type)));
    load_number(n_a[n]);
    push();
    load_number(n_value[n]);
    push();
    return pop_x87();
}

// A value that is not needed.
long generate_discard(long n) {
    generate(n);
    if (n_type[n] == TY_LDOUBLE) x86(0xddd8);
    return 0;
}

long generate_node(long n) {
    long op = n_op[n];
    long type = n_type[n];
    if (op == N_CONST) return load_number(n_value[n]);
    if (op == N_FLOAT) return generate_float(n);
    if (is_lvalue(n)) return generate_lvalue(n);
    if (op == N_ADDRESS) return generate_address(n_a[n]);
    if (op == N_CAST) return generate_cast(n);
    if (op == N_ASSIGN) return generate_assign(n);
    if (op >= N_ADD && op <= N_SHR) return generate_arithmetic(n);
    if (is_comparison(op)) return set_if(generate_compare(n));
    if (op == N_BOTH || op == N_EITHER || op == N_ZERO) return generate_truth(n);
    if (op == N_CHOOSE) return generate_choose(n);
    if (op == N_COMMA) {
        generate_discard(n_a[n]);
        return generate(n_b[n]);
    }
    if (op == N_CALL) return generate_call(n);
    if (op == N_NEG || op == N_NOT) {
        generate(n_a[n]);
        if (op == N_NOT) x86(0x48f7d0);
        else if (type == TY_LDOUBLE) return x86(0xd9e0);
        else if (type == TY_FLOAT) return x86(0x3500000080);      // xor eax, sign bit
        else if (type == TY_DOUBLE) return x86(0x480fbaf83f);     // btc rax, 63
        else x86(0x48f7d8);
        return extend(type);
    }
    if (op == N_CLEAR) return clear_local(n_value[n], n_b[n]);
    if (op == N_VA_START) return generate_va_start(n);
    if (op == N_VA_ARG) return generate_va_arg(n);
    if (op == N_SETJMP) return generate_setjmp(n);
    if (op == N_LONGJMP) return generate_longjmp(n);
    if (op == N_STATEMENTS) return generate_statements(n);
    if (op == N_PAIR) return generate_pair(n);
    if (op >= N_LABEL) return generate_builtin(n);
    return generate_syscall(n);
}

// The value of n in rax (a long double in st0).
long generate(long n) {
    tree_depth = tree_depth + 1;
    if (tree_depth > TREE_MAX) fail("expression too deep");
    generate_node(n);
    tree_depth = tree_depth - 1;
    return 0;
}
