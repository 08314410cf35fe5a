// Assembly: the text of asm statements, in AT&T syntax, to machine code; the instructions that system libraries use.
//
// `init_assembly` is the table of instructions; a form says which operands an instruction has and where they go. An instruction or operand
// that is not known here is refused by name.

enum {
    ASM_TEXT_MAX = 65536,
    MNEMONIC_MAX = 128,

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
    C_JUMP,                   // code: field
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
enum { X_REGISTER = 1, X_XMM, X_MEMORY, X_NUMBER, X_MAX = 4 };
long x_count;
long x_kind[X_MAX];
long x_register[X_MAX];       // or the base of memory; -1: none
long x_size[X_MAX];
long x_number[X_MAX];         // or the displacement
long x_object[X_MAX];         // memory: the object that the displacement is from, or 0
long x_segment[X_MAX];

long asm_skip_blanks() {
    while (asm_text[asm_at] == ' ' || asm_text[asm_at] == '\t') asm_at = asm_at + 1;
    return asm_text[asm_at];
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

long asm_number() {
    long negative = asm_text[asm_at] == '-';
    if (negative) asm_at = asm_at + 1;
    if (!is_digit(asm_text[asm_at])) fail("expected a number in the assembly");
    long v = parse_number(asm_word());
    if (v < 0 || v > 0x7fffffff) fail("a number in the assembly is too large");
    if (negative) return 0 - v;
    return v;
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

// Memory as operand x: displacement(base), the displacement maybe left out.
long asm_memory(long x) {
    x_kind[x] = X_MEMORY;
    x_register[x] = -1;
    x_object[x] = 0;
    x_number[x] = 0;
    if (asm_text[asm_at] != '(') x_number[x] = asm_number();
    if (asm_text[asm_at] != '(') return 0;
    asm_at = asm_at + 1;
    if (asm_text[asm_at] != '%') fail("expected a register in the assembly");
    asm_at = asm_at + 1;
    if (asm_at_register()) x_register[x] = asm_named_register();
    else {
        long a = asm_reference();
        if (a_kind[a] != A_REGISTER) fail("expected a register in the assembly");
        x_register[x] = a_register[a];
    }
    if (x_register[x] > 15 || asm_text[asm_at] != ')') fail("this kind of memory operand is not supported in assembly");
    asm_at = asm_at + 1;
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
    if (c == '$') {
        asm_at = asm_at + 1;
        x_kind[x] = X_NUMBER;
        x_number[x] = asm_number();
        return 0;
    }
    if (c != '%') {
        if (is_letter(c)) fail("names in assembly are not supported");
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
    if (x_kind[x] == X_MEMORY && x_segment[x]) emit(x_segment[x]);
    if (size == 2) emit(0x66);
    if (prefix) emit(prefix);
    if (size == 8) rex = 0x48;
    if (field > 7) rex = rex | 0x44;
    if (r > 7) rex = rex | 0x41;
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
    emit(0x80 + field + (r & 7));
    if ((r & 7) == 4) emit(0x24);
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
                if (mnemonic_form[row] < C_ARITHMETIC || mnemonic_form[row] > C_SHIFT) row = -1;
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
    if (form == C_JUMP) {
        if (!is_register_operand(0) || size != 8) fail("expected a register in the assembly");
        return asm_encode(0, 0xff, code_bytes, 0, 0);
    }
    if (form == C_STATUS) {
        if (is_register_operand(0) && x_register[0] == 0) return x86(0xdfe0);
        code_bytes = 0xdd07;
    }
    if (x_kind[0] != X_MEMORY) fail("expected memory in the assembly");
    return asm_encode(0, code_bytes >> 8, code_bytes & 255, 0, 0);
}

long asm_template() {
    long c = asm_skip_blanks();
    asm_at = 0;
    while (1) {
        c = asm_skip_blanks();
        if (c == 0) return 0;
        if (c == ';' || c == '\n') asm_at = asm_at + 1;
        else asm_instruction();
    }
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
    if (string_len >= ASM_TEXT_MAX) fail("an asm statement is too long");
    while (i <= string_len) {
        asm_text[i] = string[i];
        i = i + 1;
    }
    a_count = 0;
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

long instruction(long form, long bytes, char *s) {
    long name = name_of(s);
    mnemonic_name[mnemonic_count] = name;
    mnemonic_form[mnemonic_count] = form;
    mnemonic_code[mnemonic_count] = bytes;
    mnemonic_count = mnemonic_count + 1;
    return 0;
}

long init_assembly() {
    instruction(C_PREFIX, 0xf0, "lock");
    instruction(C_PREFIX, 0xf3, "rep");
    instruction(C_PLAIN, 0x0f05, "syscall");
    instruction(C_PLAIN, 0xf390, "pause");
    instruction(C_PLAIN, 0xf4, "hlt");
    instruction(C_PLAIN, 0x90, "nop");
    instruction(C_PLAIN, 0xfc, "cld");
    instruction(C_PLAIN, 0x0f31, "rdtsc");
    instruction(C_PLAIN, 0x0fa2, "cpuid");
    instruction(C_PLAIN, 0x0faef0, "mfence");
    instruction(C_PLAIN, 0xd9e1, "fabs");
    instruction(C_PLAIN, 0xd9fa, "fsqrt");
    instruction(C_PLAIN, 0xd9fc, "frndint");
    instruction(C_PLAIN, 0xd9f8, "fprem");
    instruction(C_PLAIN, 0xd9f5, "fprem1");
    instruction(C_ARITHMETIC, 0, "add");
    instruction(C_ARITHMETIC, 1, "or");
    instruction(C_ARITHMETIC, 2, "adc");
    instruction(C_ARITHMETIC, 3, "sbb");
    instruction(C_ARITHMETIC, 4, "and");
    instruction(C_ARITHMETIC, 5, "sub");
    instruction(C_ARITHMETIC, 6, "xor");
    instruction(C_ARITHMETIC, 7, "cmp");
    instruction(C_MOVE, 0, "mov");
    instruction(C_STORE, 0x85, "test");
    instruction(C_STORE, 0x87, "xchg");
    instruction(C_STORE, 0x0fb1, "cmpxchg");
    instruction(C_STORE, 0x0fc1, "xadd");
    instruction(C_LOAD, 0x8d, "lea");
    instruction(C_LOAD, 0x0faf, "imul");
    instruction(C_LOAD, 0x0fbc, "bsf");
    instruction(C_LOAD, 0x0fbd, "bsr");
    instruction(C_ONE, 0xff00, "inc");
    instruction(C_ONE, 0xff01, "dec");
    instruction(C_ONE, 0xf702, "not");
    instruction(C_ONE, 0xf703, "neg");
    instruction(C_ONE, 0xf704, "mul");
    instruction(C_ONE, 0xf706, "div");
    instruction(C_SHIFT, 4, "shl");
    instruction(C_SHIFT, 5, "shr");
    instruction(C_SHIFT, 7, "sar");
    instruction(C_XMM, 0xf20f51, "sqrtsd");
    instruction(C_XMM, 0xf30f51, "sqrtss");
    instruction(C_XMM, 0x660f76, "pcmpeqd");
    instruction(C_XMM, 0x0f54, "andps");
    instruction(C_XMM, 0x660f54, "andpd");
    instruction(C_XMM_INTEGER, 0xf20f2d, "cvtsd2si");
    instruction(C_XMM_INTEGER, 0xf30f2d, "cvtss2si");
    instruction(C_XMM_SHIFT, 0x0f7302, "psrlq");
    instruction(C_XMM_SHIFT, 0x0f7202, "psrld");
    instruction(C_X87_MEMORY, 0xdf07, "fistpll");
    instruction(C_X87_MEMORY, 0xdb03, "fistpl");
    instruction(C_X87_MEMORY, 0xd905, "fldcw");
    instruction(C_X87_MEMORY, 0xd907, "fnstcw");
    instruction(C_X87_MEMORY, 0x0fae02, "ldmxcsr");
    instruction(C_X87_MEMORY, 0x0fae03, "stmxcsr");
    instruction(C_STATUS, 0, "fnstsw");
    instruction(C_PLAIN, 0x6e, "outsb");
    instruction(C_PLAIN, 0x666f, "outsw");
    instruction(C_PLAIN, 0x6f, "outsl");
    instruction(C_PLAIN, 0x6c, "insb");
    instruction(C_PLAIN, 0x666d, "insw");
    instruction(C_PLAIN, 0x6d, "insl");
    instruction(C_PORT, 0xee, "outb");
    instruction(C_PORT, 0x66ef, "outw");
    instruction(C_PORT, 0xef, "outl");
    instruction(C_PORT, 0xec, "inb");
    instruction(C_PORT, 0x66ed, "inw");
    instruction(C_PORT, 0xed, "inl");
    instruction(C_JUMP, 4, "jmp");
    return instruction(C_JUMP, 2, "call");
}
