// Emit: machine code and data bytes, labels within a function, and places to be filled in when addresses are known.
//
// `x86(0x4801c8)` emits the bytes 48 01 c8: instructions are written as the processor manual prints them. What follows them (a displacement
// or immediate) is emitted by `word`. Every push and pop goes through `push` and `pop`, which count, so that the stack is aligned at calls.

enum {
    CODE_MAX = 16777216,
    DATA_MAX = 16777216,
    FIX_MAX = 1048576,
    LABEL_MAX = 262144,

    FIX_CALL = 1,             // code: distance to the object, 4 bytes
    FIX_ADDRESS,              // code: address of the object, 4 bytes
    FIX_DATA                  // data: address of the object, 8 bytes
};

char code[CODE_MAX];
long code_len;
char data[DATA_MAX];
long data_len;

long fix_count;
long fix_kind[FIX_MAX];
long fix_at[FIX_MAX];
long fix_object[FIX_MAX];
long fix_add[FIX_MAX];

long label_count;
long label_at[LABEL_MAX];     // its place in code, or -1
long label_uses[LABEL_MAX];   // last place that refers to it before it is known; each place holds the one before, 0 ends

long in_statements;           // within how many statement expressions; jumps do not lead into or out of one

long pushed;                  // 8-byte units on the stack above the frame

long emit(long byte) {
    if (code_len >= CODE_MAX - 16) fail("program too large: more than 16 MiB of code");
    code[code_len] = byte;
    code_len = code_len + 1;
    return 0;
}

long x86(long bytes) {
    long shift = 56;
    while (shift > 0 && ((bytes >> shift) & 255) == 0) shift = shift - 8;
    while (shift >= 0) {
        emit(bytes >> shift);
        shift = shift - 8;
    }
    return 0;
}

long set_word(long place, long v) {
    code[place] = v;
    code[place + 1] = v >> 8;
    code[place + 2] = v >> 16;
    code[place + 3] = v >> 24;
    return 0;
}

long get_word(long place) {
    long v = code[place + 3];
    long b = code[place + 2] & 255;
    v = (v << 8) | b;
    b = code[place + 1] & 255;
    v = (v << 8) | b;
    b = code[place] & 255;
    return (v << 8) | b;
}

// A 4-byte number after an instruction.
long word(long v) {
    emit(v);
    emit(v >> 8);
    emit(v >> 16);
    emit(v >> 24);
    return 0;
}

long fix(long kind, long place, long object, long add) {
    if (fix_count >= FIX_MAX) fail("program too large: too many references");
    fix_kind[fix_count] = kind;
    fix_at[fix_count] = place;
    fix_object[fix_count] = object;
    fix_add[fix_count] = add;
    fix_count = fix_count + 1;
    return 0;
}

// The 4-byte address of an object after an instruction.
long address_word(long object, long add) {
    fix(FIX_ADDRESS, code_len, object, add);
    word(0);
    return 0;
}

long push() {
    x86(0x50);                // push rax
    pushed = pushed + 1;
    return 0;
}

long pop_rax() {
    x86(0x58);
    pushed = pushed - 1;
    return 0;
}

long pop_rcx() {
    x86(0x59);
    pushed = pushed - 1;
    return 0;
}

// Pushes the long double in st0.
long push_x87() {
    x86(0x4883ec10);          // sub rsp, 16
    x86(0xdb3c24);            // fstp tbyte [rsp]
    pushed = pushed + 2;
    return 0;
}

long pop_x87() {
    x86(0xdb2c24);            // fld tbyte [rsp]
    x86(0x4883c410);          // add rsp, 16
    pushed = pushed - 2;
    return 0;
}

// rax = v
long load_number(long v) {
    if (v == 0) return x86(0x31c0);
    if (v > 0 && v <= 0xffffffff) {
        x86(0xb8);
        return word(v);
    }
    if (v >= -2147483648 && v < 0) {
        x86(0x48c7c0);
        return word(v);
    }
    x86(0x48b8);
    word(v);
    return word(v >> 32);
}

// rcx = v
long load_number_rcx(long v) {
    if (v >= 0 && v <= 0xffffffff) {
        x86(0xb9);
        return word(v);
    }
    if (v >= -2147483648 && v < 0) {
        x86(0x48c7c1);
        return word(v);
    }
    x86(0x48b9);
    word(v);
    return word(v >> 32);
}

long new_label() {
    label_count = label_count + 1;
    if (label_count >= LABEL_MAX) fail("function too large: too many labels");
    label_at[label_count] = -1;
    label_uses[label_count] = 0;
    return label_count;
}

long place_label(long l) {
    long use = label_uses[l];
    label_at[l] = code_len;
    while (use) {
        long before = get_word(use);
        set_word(use, code_len - use - 4);
        use = before;
    }
    return 0;
}

// The distance to a label after a jump instruction.
long label_word(long l) {
    if (label_at[l] >= 0) return word(label_at[l] - code_len - 4);
    long before = label_uses[l];
    label_uses[l] = code_len;
    return word(before);
}

long jump(long l) {
    x86(0xe9);
    return label_word(l);
}

// Jumps by a condition code of the processor (the low half of the jcc opcode).
long jump_if(long cc, long l) {
    emit(0x0f);
    emit(0x80 + cc);
    return label_word(l);
}

// rax = condition ? 1 : 0
long set_if(long cc) {
    emit(0x0f);
    emit(0x90 + cc);
    emit(0xc0);
    return x86(0x0fb6c0);
}

long data_align(long align) {
    data_len = round_up(data_len, align);
    return data_len;
}

// Room for `size` bytes of data, all zero.
long data_room(long size) {
    if (size > DATA_MAX - data_len - 16) fail("program too large: more than 16 MiB of data");
    data_len = data_len + size;
    return 0;
}

// Stores the low bytes of v in the data.
long data_store(long place, long v, long size) {
    while (size > 0) {
        data[place] = v;
        v = v >> 8;
        place = place + 1;
        size = size - 1;
    }
    return 0;
}

long data_load(long place, long size) {
    long v = 0;
    while (size > 0) {
        size = size - 1;
        long b = data[place + size] & 255;
        v = (v << 8) | b;
    }
    return v;
}
