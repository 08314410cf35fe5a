// Assembly: the text of asm statements, in AT&T syntax, to machine code; the instructions that system libraries use.
//
// `init_assembly` is the table of instructions; a form says which operands an instruction has and where they go. An instruction or operand
// that is not known here is refused by name.

enum {
    ASM_TEXT_MAX = 262144,
    MNEMONIC_MAX = 256,

    // Forms of instructions: which operands, and where they go.
    C_PLAIN = 1,              // no operands
    C_PREFIX,                 // stands before another instruction
    C_ARITHMETIC,             // code / 8: which of add, or, adc, sbb, and, sub, xor, cmp
    C_MOVE,
    C_STORE,                  // register to register or memory
    C_LOAD,                   // register or memory to register
    C_ONE,                    // one operand; code: opcode and field
    C_SHIFT,                  // by a number; code: field
    C_XMM,                    // xmm or memory to xmm; code: prefix and opcode
    C_XMM_INTEGER,            // xmm or memory to a register
    C_XMM_SHIFT,              // xmm by a number; code: opcode and field
    C_X87_MEMORY,             // memory; code: opcode and field
    C_STATUS,                 // fnstsw
    C_JUMP,                   // code: opcode for a name, and field for a register or memory
    C_CONDITION,              // a conditional jump; code: condition
    C_PUSH,                   // code: field for memory, and opcode of a register
    C_PORT                    // al, ax or eax, and dx
};

char asm_text[ASM_TEXT_MAX];
long asm_at;
long asm_has_operands;        // "%%" is one '%'
long asm_open;                // the operands of a statement are being read

long mnemonic_count;
long mnemonic_name[MNEMONIC_MAX];
long mnemonic_form[MNEMONIC_MAX];
long mnemonic_code[MNEMONIC_MAX];

// The operands of one instruction.
enum { X_REGISTER = 1, X_XMM, X_MEMORY, X_NUMBER, X_NAME, X_LABEL, X_MAX = 4 };
long x_count;
long x_kind[X_MAX];
long x_register[X_MAX];       // or the base of memory; -1: none
long x_size[X_MAX];
long x_number[X_MAX];         // or the displacement
long x_object[X_MAX];         // memory: the object that the displacement is from, or 0
long x_index[X_MAX];          // memory: index register, or -1, and the power of two that it is multiplied by
long x_scale[X_MAX];

// Labels that are numbers: the one that came last, and the one that is to come.
long numeric_last[10];
long numeric_next[10];

long asm_file;                // the text is a file's: lines count

// The object that a name in assembly means: the one of C's file scope, or one that another file has.
long asm_object(long name) {
    long s = name_symbol[name];
    if (s && s_kind[s] == S_GLOBAL && g_name[s_value[s]] == name) return s_value[s];
    return global_object(name, 0);
}
long x_segment[X_MAX];

long asm_skip_blanks() {
    while (1) {
        long c = asm_text[asm_at];
        if (c == ' ' || c == '\t') asm_at = asm_at + 1;
        else if (c == '#') {
            while (asm_text[asm_at] && asm_text[asm_at] != '\n') asm_at = asm_at + 1;
        } else if (c == '/' && asm_text[asm_at + 1] == '*') {
            asm_at = asm_at + 2;
            while (asm_text[asm_at] && (asm_text[asm_at] != '*' || asm_text[asm_at + 1] != '/')) {
                if (asm_file && asm_text[asm_at] == '\n') here_line = here_line + 1;
                asm_at = asm_at + 1;
            }
            if (asm_text[asm_at] == 0) fail("unterminated comment");
            asm_at = asm_at + 2;
        } else return c;
    }
}

// The letters and digits at asm_at as a name; 0 if there are none.
long asm_word() {
    long from = text_len;
    while (is_letter(asm_text[asm_at]) || is_digit(asm_text[asm_at])) {
        text_byte(asm_text[asm_at]);
        asm_at = asm_at + 1;
    }
    if (from == text_len) return 0;
    return intern(from);
}

// A sum of numbers, maybe in parentheses.
long asm_number() {
    long sum = 0;
    long sign = 1;
    long nested = asm_text[asm_at] == '(';
    if (nested) asm_at = asm_at + 1;
    while (1) {
        while (asm_text[asm_at] == '-' || asm_text[asm_at] == '~') {
            if (asm_text[asm_at] == '~') fail("an operator that is not supported in assembly");
            sign = -sign;
            asm_at = asm_at + 1;
        }
        if (!is_digit(asm_text[asm_at])) fail("expected a number in the assembly");
        long v = parse_number(asm_word());
        if (number_is_float()) fail("expected a number in the assembly");
        sum = sum + v * sign;
        sign = 1;
        if (asm_text[asm_at] == '+') asm_at = asm_at + 1;
        else if (asm_text[asm_at] != '-') break;
    }
    if (nested) {
        if (asm_text[asm_at] != ')') fail("expected ')' in the assembly");
        asm_at = asm_at + 1;
    }
    return sum;
}

// The operand that %N or %[name] refers to; asm_at is behind the '%'.
long asm_reference() {
    long a = 0;
    if (asm_text[asm_at] == '[') {
        asm_at = asm_at + 1;
        long name = asm_word();
        while (a < a_count && (name == 0 || a_name[a] != name)) a = a + 1;
        if (asm_text[asm_at] != ']') fail("expected ']' in the assembly");
        asm_at = asm_at + 1;
    } else {
        if (!is_digit(asm_text[asm_at])) fail("a reference to an operand in assembly that is not supported");
        while (is_digit(asm_text[asm_at]) && a < ASM_OPERANDS) {
            a = a * 10 + asm_text[asm_at] - '0';
            asm_at = asm_at + 1;
        }
    }
    if (a >= a_count) fail("the assembly refers to an operand that is not there");
    return a;
}

// A register name behind one '%' or two.
long asm_named_register() {
    long name = asm_word();
    long r = -1;
    if (name) r = register_of(name);
    if (r < 0) fail("expected a register in the assembly");
    return r;
}

// Behind the '%' of an operand: is it a register's name and not a reference? Moves behind the second '%'.
long asm_at_register() {
    if (!asm_has_operands) return 1;
    if (asm_text[asm_at] != '%') return 0;
    asm_at = asm_at + 1;
    return 1;
}

// The register of an address; asm_at is at its '%'. %rip gives -1: S4's programs do not move, so the address is the name's own.
long asm_address_register() {
    long r = -1;
    if (asm_text[asm_at] != '%') fail("expected a register in the assembly");
    asm_at = asm_at + 1;
    if (asm_at_register()) {
        if (asm_text[asm_at] == 'r' && asm_text[asm_at + 1] == 'i' && asm_text[asm_at + 2] == 'p') {
            asm_at = asm_at + 3;
            return -1;
        }
        r = asm_named_register();
        if (asm_size != 8) fail("this kind of memory operand is not supported in assembly");
    } else {
        long a = asm_reference();
        if (a_kind[a] != A_REGISTER) fail("expected a register in the assembly");
        r = a_register[a];
    }
    if (r > 15) fail("this kind of memory operand is not supported in assembly");
    return r;
}

// Memory as operand x: displacement(base, index, scale), parts of which may be left out; a name may stand before or instead.
long asm_memory(long x) {
    x_kind[x] = X_MEMORY;
    x_register[x] = -1;
    x_index[x] = -1;
    x_scale[x] = 0;
    x_number[x] = 0;
    if (asm_text[asm_at] != '(' || asm_text[asm_at + 1] != '%') {
        if (x_object[x] == 0) x_number[x] = asm_number();
        else if (asm_text[asm_at] == '+' || asm_text[asm_at] == '-') {
            if (asm_text[asm_at] == '+') asm_at = asm_at + 1;
            x_number[x] = asm_number();
        }
    }
    if (x_number[x] < -2147483648 || x_number[x] > 0x7fffffff) fail("a number in the assembly is too large");
    if (asm_text[asm_at] != '(') return 0;
    asm_at = asm_at + 1;
    x_register[x] = asm_address_register();
    if (x_register[x] < 0 && x_object[x] == 0) fail("this kind of memory operand is not supported in assembly");
    if (asm_text[asm_at] == ',') {
        asm_at = asm_at + 1;
        asm_skip_blanks();
        x_index[x] = asm_address_register();
        if (x_index[x] < 0 || x_index[x] == 4 || x_register[x] < 0) fail("this kind of memory operand is not supported in assembly");
        if (asm_text[asm_at] == ',') {
            asm_at = asm_at + 1;
            asm_skip_blanks();
            long scale = asm_number();
            if (scale != 1 && scale != 2 && scale != 4 && scale != 8) fail("bad scale in the assembly");
            while (scale > 1) {
                scale = scale / 2;
                x_scale[x] = x_scale[x] + 1;
            }
        }
    }
    if (asm_text[asm_at] != ')') fail("this kind of memory operand is not supported in assembly");
    asm_at = asm_at + 1;
    return 0;
}

// A name as operand x: the target of a jump, or where memory is. "@PLT" says nothing in a program that is whole.
long asm_name(long x) {
    long name = asm_word();
    x_kind[x] = X_NAME;
    x_number[x] = 0;
    x_object[x] = asm_object(name);
    if (asm_text[asm_at] == '@') {
        long kind = 0;
        asm_at = asm_at + 1;
        kind = asm_word();
        if (kind != name_of("PLT")) fail("this kind of reference is not supported in assembly");
        return 0;
    }
    if (asm_text[asm_at] == '(' || asm_text[asm_at] == '+' || asm_text[asm_at] == '-') return asm_memory(x);
    return 0;
}

// "1f" or "1b" as operand x.
long asm_numeric(long x) {
    long digit = asm_text[asm_at] - '0';
    x_kind[x] = X_LABEL;
    if (asm_text[asm_at + 1] == 'f') {
        if (numeric_next[digit] == 0) numeric_next[digit] = new_label();
        x_number[x] = numeric_next[digit];
    } else {
        x_number[x] = numeric_last[digit];
        if (x_number[x] == 0) fail("no such label before, in the assembly");
    }
    asm_at = asm_at + 2;
    return 0;
}

// Operand a of the statement as operand x of the instruction. size: asked for by a letter, or 0.
long asm_refer(long x, long a, long size) {
    long n = a_node[a];
    x_size[x] = size;
    if (size == 0 && a_kind[a] == A_REGISTER) x_size[x] = t_size[a_type[a]];
    x_register[x] = a_register[a];
    x_number[x] = 0;
    x_object[x] = 0;
    x_index[x] = -1;
    if (a_kind[a] == A_REGISTER) x_kind[x] = X_REGISTER;
    else if (a_kind[a] == A_XMM) x_kind[x] = X_XMM;
    else if (a_kind[a] == A_NUMBER) {
        x_kind[x] = X_NUMBER;
        x_number[x] = n_value[n];
    } else if (a_kind[a] == A_MEMORY) {
        x_kind[x] = X_MEMORY;
        if (n_op[n] == N_LOCAL) x_register[x] = 5;
        if (n_op[n] == N_GLOBAL) {
            x_register[x] = -1;
            x_object[x] = n_a[n];
        }
        if (n_op[n] != N_DEREF) x_number[x] = n_value[n];
    } else fail("the assembly refers to an operand that has no place");
    return 0;
}

long size_of_letter(long c) {
    if (c == 'b') return 1;
    if (c == 'w') return 2;
    if (c == 'k' || c == 'l') return 4;
    if (c == 'q') return 8;
    return 0;
}

long asm_operand(long x) {
    long c = asm_skip_blanks();
    if (c == '*') {
        asm_at = asm_at + 1;
        c = asm_text[asm_at];
    }
    x_segment[x] = 0;
    x_size[x] = 0;
    x_object[x] = 0;
    if (c == '$') {
        asm_at = asm_at + 1;
        x_kind[x] = X_NUMBER;
        x_number[x] = asm_number();
        return 0;
    }
    if (c != '%') {
        long d = asm_text[asm_at + 1];
        if (is_letter(c)) return asm_name(x);
        if (is_digit(c) && (d == 'f' || d == 'b') && !is_letter(asm_text[asm_at + 2]) && !is_digit(asm_text[asm_at + 2])) return asm_numeric(x);
        return asm_memory(x);
    }
    asm_at = asm_at + 1;
    if (!asm_at_register()) {
        long size = size_of_letter(asm_text[asm_at]);
        if (asm_text[asm_at] == 'l') size = 0;
        if (size) asm_at = asm_at + 1;
        return asm_refer(x, asm_reference(), size);
    }
    if (asm_text[asm_at + 1] == 's' && asm_text[asm_at + 2] == ':') {
        if (asm_text[asm_at] == 'f') x_segment[x] = 0x64;
        else if (asm_text[asm_at] == 'g') x_segment[x] = 0x65;
        else fail("expected a register in the assembly");
        asm_at = asm_at + 3;
        return asm_memory(x);
    }
    long r = asm_named_register();
    x_kind[x] = X_REGISTER;
    if (r > 15) x_kind[x] = X_XMM;
    x_register[x] = r & 15;
    x_size[x] = asm_size;
    return 0;
}

// Emits an instruction whose ModRM names operand x and the register or number `field`.
long asm_encode(long prefix, long opcode, long field, long x, long size) {
    long rex = 0;
    long r = x_register[x];
    if (x_kind[x] == X_NUMBER) fail("a number where a place is expected in the assembly");
    if (x_kind[x] == X_NAME || x_kind[x] == X_LABEL) fail("a name where a place is expected in the assembly");
    if (x_kind[x] == X_MEMORY && x_segment[x]) emit(x_segment[x]);
    if (size == 2) emit(0x66);
    if (prefix) emit(prefix);
    if (size == 8) rex = 0x48;
    if (field > 7) rex = rex | 0x44;
    if (r > 7) rex = rex | 0x41;
    if (x_kind[x] == X_MEMORY && x_index[x] > 7) rex = rex | 0x42;
    // Without it these numbers mean ah, ch, dh and bh.
    if (size == 1 && (field > 3 || (x_kind[x] == X_REGISTER && r > 3))) rex = rex | 0x40;
    if (rex) emit(rex);
    x86(opcode);
    field = (field & 7) * 8;
    if (x_kind[x] != X_MEMORY) return emit(0xc0 + field + (r & 7));
    if (r < 0) {
        emit(0x04 + field);
        emit(0x25);
        if (x_object[x]) return address_word(x_object[x], x_number[x]);
        return word(x_number[x]);
    }
    if (x_index[x] >= 0) {
        emit(0x84 + field);
        emit(x_scale[x] * 64 + (x_index[x] & 7) * 8 + (r & 7));
    } else {
        emit(0x80 + field + (r & 7));
        if ((r & 7) == 4) emit(0x24);
    }
    if (x_object[x]) return address_word(x_object[x], x_number[x]);
    return word(x_number[x]);
}

// The low byte of an opcode says "bytes" with its lowest bit clear.
long by_size(long opcode, long size) {
    if (size == 1) return opcode - 1;
    return opcode;
}

long is_register_operand(long x) {
    return x_kind[x] == X_REGISTER;
}

// A number behind an instruction. One of 8 bytes is written as 4, which the processor extends by the sign.
long asm_immediate(long v, long size) {
    long most = 0xffffffff;
    long least = -2147483648;
    if (size == 1) most = 255;
    if (size == 1) least = -128;
    if (size == 2) most = 65535;
    if (size == 2) least = -32768;
    if (size == 8) most = 0x7fffffff;
    if (v < least || v > most) fail("a number in the assembly is too large");
    emit(v);
    if (size > 1) emit(v >> 8);
    if (size > 2) {
        emit(v >> 16);
        emit(v >> 24);
    }
    return 0;
}

// Instructions with two operands of one size: source 0, target 1.
long asm_two(long form, long bytes, long size) {
    if (x_count != 2) fail("expected two operands in the assembly");
    if (size == 0) fail("the size of an instruction in the assembly is not clear");
    if (bytes == 0x8d && x_kind[0] != X_MEMORY) fail("expected memory in the assembly");
    long v = x_number[0];
    if (x_kind[0] == X_NUMBER) {
        if (form == C_MOVE && size == 8 && is_register_operand(1) && (v < -2147483648 || v > 0x7fffffff)) {
            emit(0x48 + (x_register[1] > 7));
            emit(0xb8 + (x_register[1] & 7));
            word(v);
            return word(v >> 32);
        }
        if (form == C_MOVE) asm_encode(0, by_size(0xc7, size), 0, 1, size);
        else if (form == C_SHIFT) {
            asm_encode(0, by_size(0xc1, size), bytes, 1, size);
            return asm_immediate(v, 1);
        } else if (form == C_ARITHMETIC) asm_encode(0, by_size(0x81, size), bytes, 1, size);
        else fail("a number where a register is expected in the assembly");
        return asm_immediate(v, size);
    }
    if (form == C_LOAD) {
        if (!is_register_operand(1) || size == 1) fail("expected a register in the assembly");
        return asm_encode(0, bytes, x_register[1], 0, size);
    }
    if (form == C_SHIFT) fail("this shift is not supported in assembly");
    long opcode = bytes;
    if (form == C_MOVE) opcode = 0x89;
    if (form == C_ARITHMETIC) opcode = bytes * 8 + 1;
    if (is_register_operand(0)) return asm_encode(0, by_size(opcode, size), x_register[0], 1, size);
    if (!is_register_operand(1) || form == C_STORE) fail("expected a register in the assembly");
    return asm_encode(0, by_size(opcode + 2, size), x_register[1], 0, size);
}

// Instructions with xmm registers: source 0, target 1.
long asm_xmm(long form, long bytes) {
    if (x_count != 2) fail("expected two operands in the assembly");
    if (form == C_XMM_SHIFT) {
        if (x_kind[0] != X_NUMBER || x_kind[1] != X_XMM) fail("expected a number and an xmm register in the assembly");
        asm_encode(0x66, bytes >> 8, bytes & 255, 1, 0);
        return asm_immediate(x_number[0], 1);
    }
    if (x_kind[0] != X_XMM && x_kind[0] != X_MEMORY) fail("expected an xmm register in the assembly");
    if (form == C_XMM_INTEGER) {
        if (!is_register_operand(1) || x_size[1] < 4) fail("expected a register in the assembly");
        return asm_encode(bytes >> 16, bytes & 65535, x_register[1], 0, x_size[1]);
    }
    if (x_kind[1] != X_XMM) fail("expected an xmm register in the assembly");
    return asm_encode(bytes >> 16, bytes & 65535, x_register[1], 0, 0);
}

// A jump or call: to a name or label, or by a register or memory.
long asm_jump(long form, long bytes, long size) {
    if (x_kind[0] == X_NAME || x_kind[0] == X_LABEL) {
        if (form == C_CONDITION) {
            emit(0x0f);
            emit(0x80 + bytes);
        } else emit(bytes >> 8);
        if (x_kind[0] == X_LABEL) return label_word(x_number[0]);
        fix(FIX_CALL, code_len, x_object[0], 0);
        return word(0);
    }
    if (form == C_CONDITION) fail("expected a label in the assembly");
    if (x_kind[0] != X_MEMORY && (!is_register_operand(0) || size != 8)) fail("expected a register in the assembly");
    return asm_encode(0, 0xff, bytes & 255, 0, 0);
}

// push and pop: of 8 bytes always.
long asm_push(long bytes, long size) {
    if (size && size != 8) fail("expected a register in the assembly");
    if (is_register_operand(0)) {
        if (x_register[0] > 7) emit(0x41);
        return emit((bytes & 255) + (x_register[0] & 7));
    }
    if (x_kind[0] == X_NUMBER && bytes >> 8 == 6) {
        emit(0x68);
        return asm_immediate(x_number[0], 8);
    }
    if ((bytes >> 8) == 6) return asm_encode(0, 0xff, 6, 0, 0);
    return asm_encode(0, 0x8f, 0, 0, 0);
}

// The row of a mnemonic, or -1.
long mnemonic_row(long name) {
    long i = 0;
    while (i < mnemonic_count && mnemonic_name[i] != name) i = i + 1;
    if (i == mnemonic_count) return -1;
    return i;
}

// One instruction with its operands; asm_at is at its name.
long asm_instruction() {
    long name = asm_word();
    if (name == 0) fail("expected an instruction in the assembly");
    long row = mnemonic_row(name);
    long size = 0;
    if (row < 0) {
        // The last letter may be the size.
        size = size_of_letter(text[name_start[name] + name_len[name] - 1]);
        if (text[name_start[name] + name_len[name] - 1] == 'k') size = 0;
        if (size) {
            long from = text_len;
            long i = 0;
            while (i < name_len[name] - 1) {
                text_byte(text[name_start[name] + i]);
                i = i + 1;
            }
            row = mnemonic_row(intern(from));
            if (row >= 0) {
                if ((mnemonic_form[row] < C_ARITHMETIC || mnemonic_form[row] > C_SHIFT) && mnemonic_form[row] != C_PUSH) row = -1;
            }
        }
    }
    if (row < 0) fail_name("unsupported instruction in assembly:", name);
    long form = mnemonic_form[row];
    long code_bytes = mnemonic_code[row];
    if (form == C_PREFIX) return emit(code_bytes);
    x_count = 0;
    long c = asm_skip_blanks();
    while (c && c != ';' && c != '\n') {
        if (x_count >= 3) fail("too many operands in the assembly");
        asm_operand(x_count);
        if (size == 0 && is_register_operand(x_count)) size = x_size[x_count];
        else if (is_register_operand(x_count) && size != x_size[x_count] && form != C_STATUS && form != C_PORT) fail("operands of different sizes in the assembly");
        if (x_kind[x_count] == X_XMM && form < C_XMM) fail("an xmm register where another place is expected in the assembly");
        x_count = x_count + 1;
        c = asm_skip_blanks();
        if (c == ',') asm_at = asm_at + 1;
        else if (c && c != ';' && c != '\n') fail("expected ',' in the assembly");
    }
    if (form == C_PLAIN) {
        if (x_count) fail_name("too many operands of", name);
        return x86(code_bytes);
    }
    if (form == C_XMM || form == C_XMM_INTEGER || form == C_XMM_SHIFT) return asm_xmm(form, code_bytes);
    if (form == C_PORT) {
        long registers = x_count == 2 && is_register_operand(0) && is_register_operand(1) && x_register[0] + x_register[1] == 2;
        if (!registers) fail_name("expected al, ax or eax, and dx as operands of", name);
        return x86(code_bytes);
    }
    if (form >= C_ARITHMETIC && form <= C_SHIFT && form != C_ONE) return asm_two(form, code_bytes, size);
    if (x_count != 1) fail_name("expected one operand of", name);
    if (form == C_ONE) {
        if (size == 0) fail("the size of an instruction in the assembly is not clear");
        return asm_encode(0, by_size(code_bytes >> 8, size), code_bytes & 255, 0, size);
    }
    if (form == C_JUMP || form == C_CONDITION) return asm_jump(form, code_bytes, size);
    if (form == C_PUSH) return asm_push(code_bytes, size);
    if (form == C_STATUS) {
        if (is_register_operand(0) && x_register[0] == 0) return x86(0xdfe0);
        code_bytes = 0xdd07;
    }
    if (x_kind[0] != X_MEMORY) fail("expected memory in the assembly");
    return asm_encode(0, code_bytes >> 8, code_bytes & 255, 0, 0);
}

long asm_directive();         // 25-section.c
long asm_label();

// The whole text.
long asm_template() {
    long i = 0;
    while (i < 10) {
        numeric_last[i] = 0;
        numeric_next[i] = 0;
        i = i + 1;
    }
    asm_at = 0;
    while (1) {
        long c = asm_skip_blanks();
        if (c == 0) break;
        if (c == ';' || c == '\n') {
            if (asm_file && c == '\n') here_line = here_line + 1;
            asm_at = asm_at + 1;
        } else if (c == '.') asm_directive();
        else if (!asm_label()) asm_instruction();
    }
    while (i > 0) {
        i = i - 1;
        if (numeric_next[i]) fail("no such label behind, in the assembly");
    }
    return 0;
}

// The string that was just read becomes the text.
long asm_take_text() {
    long i = 0;
    if (string_len >= ASM_TEXT_MAX - 2) fail("an asm statement is too long");
    while (i <= string_len) {
        asm_text[i] = string[i];
        i = i + 1;
    }
    asm_text[i] = 0;
    a_count = 0;
    asm_file = 0;
    return 0;
}

long asm_statement() {
    long i = 0;
    next();
    while (tok == KW_QUALIFIER) next();
    if (tok == KW_GOTO) fail("asm goto is not supported");
    if (asm_open) fail("an asm statement within the operands of another is not supported");
    expect('(');
    if (tok != T_STRING) fail("expected the text of an asm statement");
    read_strings();
    asm_take_text();
    asm_used = 0;
    asm_xmm_used = 0;
    asm_pops = 0;
    asm_has_operands = tok == ':';
    asm_open = 1;
    if (accept(':')) asm_operands(1);
    if (accept(':')) asm_operands(0);
    asm_open = 0;
    if (accept(':')) asm_clobbers();
    expect(')');
    i = 0;
    while (i < a_count) {
        evaluate_operand(i);
        i = i + 1;
    }
    assign_registers();
    load_operands();
    asm_template();
    store_operands();
    return expect(';');
}
