// Built-in functions: what looks like a call but is part of the language, or of gcc's.

enum {
    BUILTIN_MAX = 256,

    B_EXPECT = 1, B_CONSTANT, B_CHOOSE, B_TYPES, B_TRAP, B_ALLOCA, B_FRAME, B_RETURN,
    B_LEADING, B_TRAILING, B_FIRST, B_ONES, B_PARITY,  // bits of an integer
    B_SWAP, B_INFINITY, B_NAN, B_FABS, B_IS_NAN, B_UNORDERED,
    B_LESS, B_LESS_EQUAL, B_GREATER, B_GREATER_EQUAL,
    B_IGNORE,                 // its arguments are evaluated, nothing else
    B_OBJECT_SIZE, B_SAME, B_FUNCTION
};

long builtin_count;
long builtin_name[BUILTIN_MAX];
long builtin_kind[BUILTIN_MAX];
long builtin_type[BUILTIN_MAX];   // of the argument or the result; of B_FUNCTION the name of the function

// The address in a va_list, which is an array or (as a parameter) a pointer.
long va_list_node() {
    long n = decay(assignment());
    long wanted = pointer_to(TY_VA_ITEM);
    if (n_type[n] != wanted) fail("expected a va_list");
    return n;
}

long builtin_va(long kind) {
    next();
    expect('(');
    long list = va_list_node();
    long n = 0;
    if (kind == KW_VA_END) n = constant(0, TY_INT);
    if (kind == KW_VA_START) {
        expect(',');
        assignment();
        n = new_node(N_VA_START, TY_VOID, list, 0, 0);
    }
    if (kind == KW_VA_COPY) {
        expect(',');
        long from = va_list_node();
        list = new_node(N_DEREF, TY_VA_ITEM, list, 0, 0);
        from = new_node(N_DEREF, TY_VA_ITEM, from, 0, 0);
        n = assign(list, from);
    }
    if (kind == KW_VA_ARG) {
        expect(',');
        long type = type_name();
        if (t_kind[type] == K_ARRAY || t_size[type] < 0 || (is_integer(type) && type < TY_INT) || type == TY_FLOAT) fail("va_arg of a type that no argument has");
        long place = 0;
        if (in_memory(type)) place = new_local(16, 16);
        n = new_node(N_VA_ARG, type, list, 0, place);
    }
    expect(')');
    return n;
}

long builtin_jump(long kind) {
    next();
    expect('(');
    long buffer = decay(assignment());
    long n = 0;
    if (kind == KW_SETJMP) n = new_node(N_SETJMP, TY_INT, buffer, 0, 0);
    else {
        expect(',');
        long v = cast(decay(assignment()), TY_INT);
        n = new_node(N_LONGJMP, TY_VOID, buffer, v, 0);
    }
    expect(')');
    return n;
}

long builtin_syscall() {
    next();
    expect('(');
    long first = 0;
    long last = 0;
    long count = 0;
    long more = 1;
    while (more) {
        long v = cast(decay(assignment()), TY_LONG);
        long arg = new_node(N_ARG, TY_LONG, v, 0, 0);
        if (last) n_b[last] = arg;
        else first = arg;
        last = arg;
        count = count + 1;
        more = accept(',');
    }
    if (count > 7) fail("a system call takes at most six arguments");
    expect(')');
    return new_node(N_SYSCALL, TY_LONG, 0, first, 0);
}

long builtin_offsetof() {
    next();
    expect('(');
    long type = type_name();
    long p = constant(0, pointer_to(type));
    long n = new_node(N_DEREF, type, p, 0, 0);
    expect(',');
    if (tok != T_NAME) fail("expected a member");
    n = member(n, tok_name);
    next();
    while (tok == '.' || tok == '[') {
        if (accept('.')) {
            n = member(n, tok_name);
            next();
        } else {
            next();
            long i = expression();
            p = binary(N_ADD, n, i);
            n = new_node(N_DEREF, t_base[n_type[p]], p, 0, 0);
            expect(']');
        }
    }
    expect(')');
    p = address_of(n, pointer_to(TY_VOID));
    return cast(p, TY_ULONG);
}

// _Generic(expression, type: expression, ..., default: expression). S4 keeps no qualifiers: types that differ in nothing else are refused.
long generic_selection() {
    next();
    expect('(');
    long type = n_type[decay(assignment())];
    long chosen = 0;
    long otherwise = 0;
    while (accept(',')) {
        if (tok == KW_DEFAULT) {
            if (otherwise) fail("two defaults in one _Generic");
            next();
            expect(':');
            otherwise = assignment();
        } else {
            long t = type_name();
            expect(':');
            long n = assignment();
            if (same_type(t, type)) {
                if (chosen) fail("two equal types in one _Generic (qualifiers do not count)");
                chosen = n;
            }
        }
    }
    expect(')');
    if (chosen) return chosen;
    if (otherwise == 0) fail("no type in _Generic is that of the expression");
    return otherwise;
}

// x != x
long is_nan(long n) {
    n = keep_value(n);
    long first = prepare;
    n = operate(N_NE, TY_INT, n, n);
    return with_prepared(first, n);
}

long float_argument() {
    long n = promote(decay(assignment()));
    if (!is_float(n_type[n])) fail("expected a floating number");
    return n;
}

// a, b for a comparison that gives 0 if they have no order.
long ordered_comparison(long kind) {
    long a = float_argument();
    expect(',');
    long b = float_argument();
    if (kind == B_UNORDERED) {
        a = is_nan(a);
        b = is_nan(b);
        return operate(N_OR, TY_INT, a, b);
    }
    if (kind == B_LESS) return binary(N_LT, a, b);
    if (kind == B_LESS_EQUAL) return binary(N_LE, a, b);
    if (kind == B_GREATER) return binary(N_LT, b, a);
    return binary(N_LE, b, a);
}

long builtin_types() {
    long a = type_name();
    expect(',');
    long b = type_name();
    return constant(same_type(a, b), TY_INT);
}

// __builtin_choose_expr(constant, a, b): the expression that is chosen, with its own type.
long builtin_choose() {
    long c = constant_expression();
    expect(',');
    long a = assignment();
    expect(',');
    long b = assignment();
    if (c) return a;
    return b;
}

long builtin_alloca() {
    long n = convert(assignment(), TY_ULONG);
    if (!in_function) fail("alloca outside a function");
    if (in_statements) fail("alloca in a statement expression is not supported");
    return new_node(N_ALLOCA, pointer_to(TY_VOID), n, 0, 0);
}

// Does the value of n depend on nothing that happens in the program? A string counts, as with gcc.
long is_known(long n) {
    if (n_op[n] == N_ADDRESS && n_op[n_a[n]] == N_GLOBAL) return g_name[n_a[n_a[n]]] == 0 && n_value[n_a[n]] == 0;
    return n_op[n] == N_CONST || n_op[n] == N_FLOAT;
}

// The function behind __builtin_NAME, if a header declared it.
long builtin_function(long row) {
    long name = builtin_type[row];
    next();
    if (name_symbol[name] == 0) fail_name("not declared:", name);
    return symbol_node(name);
}

// The rest of the built-in in this row of the table, behind its '('.
long builtin_arguments(long row) {
    long kind = builtin_kind[row];
    long type = builtin_type[row];
    long n = 0;
    long one = 1;
    if (kind == B_TRAP) return new_node(N_TRAP, TY_VOID, 0, 0, 0);
    if (kind == B_INFINITY) return float_constant(one << 63, 32767, type);
    if (kind == B_CHOOSE) return builtin_choose();
    if (kind == B_TYPES) return builtin_types();
    if (kind == B_ALLOCA) return builtin_alloca();
    if (kind >= B_UNORDERED && kind <= B_GREATER_EQUAL) return ordered_comparison(kind);
    if (kind == B_FRAME || kind == B_RETURN) {
        if (constant_expression() != 0) fail("only the frame of the current function is supported");
        if (!in_function || in_statements) fail("a frame is asked for outside a function");
        return new_node(N_FRAME, pointer_to(TY_VOID), 0, 0, kind == B_RETURN);
    }
    if (kind == B_NAN) {
        if (tok != T_STRING) fail("expected a string");
        read_strings();
        if (string_len) fail("a NaN with a payload is not supported");
        one = 3;
        return float_constant(one << 62, 32767, type);
    }
    n = decay(assignment());
    if (kind == B_CONSTANT) return constant(is_known(n), TY_INT);
    if (kind == B_EXPECT || kind == B_IGNORE || kind == B_OBJECT_SIZE || kind == B_SAME) {
        long first = n;
        while (accept(',')) {
            long more = decay(assignment());
            if (kind == B_OBJECT_SIZE) one = n_value[more] < 2;
            if (kind == B_IGNORE) first = new_node(N_COMMA, n_type[more], first, more, 0);
        }
        if (kind == B_EXPECT) return convert(n, TY_LONG);
        if (kind == B_IGNORE) return cast(first, TY_VOID);
        if (kind == B_OBJECT_SIZE) return constant(-one, TY_ULONG);
        return first;
    }
    if (kind == B_IS_NAN) {
        if (!is_float(n_type[n])) fail("expected a floating number");
        return is_nan(n);
    }
    n = convert(n, type);
    if (kind == B_FABS) return new_node(N_FABS, type, n, 0, 0);
    if (kind == B_SWAP) return new_node(N_SWAP, type, n, 0, 0);
    return new_node(N_BIT_COUNT, TY_INT, n, 0, kind);
}

long builtin_other() {
    long row = 0;
    while (builtin_name[row] != tok_name) row = row + 1;
    if (builtin_kind[row] == B_FUNCTION) return builtin_function(row);
    next();
    expect('(');
    long n = builtin_arguments(row);
    expect(')');
    return n;
}

long builtin(long kind) {
    if (kind == KW_SETJMP || kind == KW_LONGJMP) return builtin_jump(kind);
    if (kind == KW_SYSCALL) return builtin_syscall();
    if (kind == KW_OFFSETOF) return builtin_offsetof();
    if (kind == KW_GENERIC) return generic_selection();
    if (kind == KW_BUILTIN) return builtin_other();
    return builtin_va(kind);
}

// Room on the stack until the function returns. What is pushed now moves down with rsp, the room lies above it.
long generate_alloca(long n) {
    generate(n_a[n]);
    x86(0x4883c00f);          // add rax, 15
    x86(0x4883e0f0);          // and rax, -16
    x86(0x4889e6);            // mov rsi, rsp
    x86(0x4829c4);            // sub rsp, rax
    if (pushed) {
        x86(0x4889e7);        // mov rdi, rsp
        x86(0xb9);            // mov ecx, pushed
        word(pushed);
        x86(0xf348a5);        // rep movsq
    }
    x86(0x488d8424);          // lea rax, [rsp + pushed * 8]
    return word(pushed * 8);
}

// Counts the bits of rax that are 1, without the instruction for it, which not every processor has.
long generate_ones(long is_parity) {
    long again = new_label();
    long done = new_label();
    x86(0x31c9);              // xor ecx, ecx
    place_label(again);
    x86(0x4885c0);            // test rax, rax
    jump_if(CC_EQUAL, done);
    x86(0x488d50ff);          // lea rdx, [rax - 1]
    x86(0x4821d0);            // and rax, rdx
    x86(0xffc1);              // inc ecx
    jump(again);
    place_label(done);
    x86(0x89c8);              // mov eax, ecx
    if (is_parity) x86(0x83e001);
    return 0;
}

long generate_bit_count(long kind, long type) {
    if (kind == B_ONES || kind == B_PARITY) return generate_ones(kind == B_PARITY);
    if (kind == B_TRAILING) return x86(0x480fbcc0);   // bsf rax, rax
    if (kind == B_LEADING) {
        x86(0x480fbdc0);      // bsr rax, rax
        x86(0x83f0);          // xor eax, highest bit
        return emit(t_size[type] * 8 - 1);
    }
    x86(0xb9ffffffff);        // mov ecx, -1
    x86(0x480fbcc0);
    x86(0x0f44c1);            // cmovz eax, ecx
    return x86(0xffc0);       // inc eax
}

long generate_builtin(long n) {
    long op = n_op[n];
    long type = n_type[n];
    if (op == N_TRAP) return x86(0x0f0b);
    if (op == N_ALLOCA) return generate_alloca(n);
    if (op == N_LABEL) {
        x86(0x488d05);        // lea rax, [label]
        return label_word(n_value[n]);
    }
    if (op == N_FRAME) {
        if (n_value[n]) return x86(0x488b4508);
        return x86(0x4889e8);
    }
    generate(n_a[n]);
    if (op == N_BIT_COUNT) return generate_bit_count(n_value[n], n_type[n_a[n]]);
    if (op == N_SWAP) {
        if (t_size[type] == 8) return x86(0x480fc8);
        if (t_size[type] == 4) return x86(0x0fc8);
        x86(0x86c4);          // xchg al, ah
        return x86(0x0fb7c0);
    }
    if (type == TY_LDOUBLE) return x86(0xd9e1);
    if (type == TY_DOUBLE) return x86(0x480fbaf03f);  // btr rax, 63
    return x86(0x25ffffff7f); // and eax, 0x7fffffff
}

long add_builtin(long kind, long type, char *s) {
    long name = name_of(s);
    if (builtin_count >= BUILTIN_MAX) fail("internal error: too many built-in functions");
    builtin_name[builtin_count] = name;
    builtin_kind[builtin_count] = kind;
    builtin_type[builtin_count] = type;
    builtin_count = builtin_count + 1;
    name_keyword[name] = KW_BUILTIN;
    return 0;
}

// __builtin_NAME as another name of the library's function.
long add_library(char *s) {
    long from = text_len;
    long name = name_of(s);
    long i = 0;
    from = text_len;
    text_name(name_of("__builtin_"));
    while (s[i]) {
        text_byte(s[i]);
        i = i + 1;
    }
    i = intern(from);
    builtin_name[builtin_count] = i;
    builtin_kind[builtin_count] = B_FUNCTION;
    builtin_type[builtin_count] = name;
    builtin_count = builtin_count + 1;
    name_keyword[i] = KW_BUILTIN;
    return 0;
}

long init_builtin() {
    add_builtin(B_EXPECT, 0, "__builtin_expect");
    add_builtin(B_CONSTANT, 0, "__builtin_constant_p");
    add_builtin(B_CHOOSE, 0, "__builtin_choose_expr");
    add_builtin(B_TYPES, 0, "__builtin_types_compatible_p");
    add_builtin(B_TRAP, 0, "__builtin_trap");
    add_builtin(B_TRAP, 0, "__builtin_unreachable");
    add_builtin(B_ALLOCA, 0, "__builtin_alloca");
    add_builtin(B_FRAME, 0, "__builtin_frame_address");
    add_builtin(B_RETURN, 0, "__builtin_return_address");
    add_builtin(B_LEADING, TY_UINT, "__builtin_clz");
    add_builtin(B_LEADING, TY_ULONG, "__builtin_clzl");
    add_builtin(B_LEADING, TY_ULONG, "__builtin_clzll");
    add_builtin(B_TRAILING, TY_UINT, "__builtin_ctz");
    add_builtin(B_TRAILING, TY_ULONG, "__builtin_ctzl");
    add_builtin(B_TRAILING, TY_ULONG, "__builtin_ctzll");
    add_builtin(B_FIRST, TY_UINT, "__builtin_ffs");
    add_builtin(B_FIRST, TY_ULONG, "__builtin_ffsl");
    add_builtin(B_FIRST, TY_ULONG, "__builtin_ffsll");
    add_builtin(B_ONES, TY_UINT, "__builtin_popcount");
    add_builtin(B_ONES, TY_ULONG, "__builtin_popcountl");
    add_builtin(B_ONES, TY_ULONG, "__builtin_popcountll");
    add_builtin(B_PARITY, TY_UINT, "__builtin_parity");
    add_builtin(B_PARITY, TY_ULONG, "__builtin_parityl");
    add_builtin(B_PARITY, TY_ULONG, "__builtin_parityll");
    add_builtin(B_SWAP, TY_USHORT, "__builtin_bswap16");
    add_builtin(B_SWAP, TY_UINT, "__builtin_bswap32");
    add_builtin(B_SWAP, TY_ULONG, "__builtin_bswap64");
    add_builtin(B_INFINITY, TY_DOUBLE, "__builtin_inf");
    add_builtin(B_INFINITY, TY_FLOAT, "__builtin_inff");
    add_builtin(B_INFINITY, TY_LDOUBLE, "__builtin_infl");
    add_builtin(B_INFINITY, TY_DOUBLE, "__builtin_huge_val");
    add_builtin(B_INFINITY, TY_FLOAT, "__builtin_huge_valf");
    add_builtin(B_INFINITY, TY_LDOUBLE, "__builtin_huge_vall");
    add_builtin(B_NAN, TY_DOUBLE, "__builtin_nan");
    add_builtin(B_NAN, TY_FLOAT, "__builtin_nanf");
    add_builtin(B_NAN, TY_LDOUBLE, "__builtin_nanl");
    add_builtin(B_FABS, TY_DOUBLE, "__builtin_fabs");
    add_builtin(B_FABS, TY_FLOAT, "__builtin_fabsf");
    add_builtin(B_FABS, TY_LDOUBLE, "__builtin_fabsl");
    add_builtin(B_IS_NAN, 0, "__builtin_isnan");
    add_builtin(B_UNORDERED, 0, "__builtin_isunordered");
    add_builtin(B_LESS, 0, "__builtin_isless");
    add_builtin(B_LESS_EQUAL, 0, "__builtin_islessequal");
    add_builtin(B_GREATER, 0, "__builtin_isgreater");
    add_builtin(B_GREATER_EQUAL, 0, "__builtin_isgreaterequal");
    add_builtin(B_IGNORE, 0, "__builtin_prefetch");
    add_builtin(B_OBJECT_SIZE, 0, "__builtin_object_size");
    add_builtin(B_SAME, 0, "__builtin_assume_aligned");
    add_library("abort");
    add_library("exit");
    add_library("malloc");
    add_library("free");
    add_library("memcpy");
    add_library("memmove");
    add_library("memset");
    add_library("memcmp");
    add_library("strlen");
    add_library("strcmp");
    add_library("strncmp");
    add_library("strcpy");
    add_library("strchr");
    add_library("strrchr");
    add_library("abs");
    add_library("labs");
    add_library("sqrt");
    add_library("printf");
    add_library("snprintf");
    return 0;
}
