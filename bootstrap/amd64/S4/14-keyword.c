// Keywords: tokens as the parser sees them, one of them read ahead; and attributes.

enum {
    KW_VOID = 256, KW_CHAR, KW_SHORT, KW_INT, KW_LONG, KW_FLOAT, KW_DOUBLE, KW_SIGNED, KW_UNSIGNED, KW_BOOL, KW_STRUCT, KW_UNION, KW_ENUM,
    KW_VA_LIST, KW_QUALIFIER, KW_INLINE, KW_TYPEDEF, KW_EXTERN, KW_STATIC, KW_AUTO, KW_ATTRIBUTE,
    KW_TYPEOF, KW_COMPLEX, KW_ALIGNAS,
    KW_REFUSED,               // a word of C or its extensions that S4 refuses
    KW_SIZEOF, KW_ALIGNOF, KW_IF, KW_ELSE, KW_WHILE, KW_DO, KW_FOR, KW_SWITCH, KW_CASE, KW_DEFAULT, KW_BREAK, KW_CONTINUE, KW_RETURN, KW_GOTO,
    KW_FUNC, KW_ASM, KW_ASSERT, KW_EXTENSION, KW_REAL, KW_IMAGINARY,
    KW_VA_START, KW_VA_ARG, KW_VA_END, KW_VA_COPY, KW_SETJMP, KW_LONGJMP, KW_SYSCALL, KW_OFFSETOF, KW_GENERIC, KW_BUILTIN
};

long ahead;                   // one token was read ahead: it is in ahead_*
long ahead_tok;
long ahead_name;
long ahead_flags;

long spec_storage;            // KW_TYPEDEF, KW_EXTERN, KW_STATIC or 0
long spec_inline;
long spec_const;              // const was said, and volatile was not
long attribute_align;         // set by attributes since the last reset
long attribute_packed;
long attribute_weak;
long attribute_alias;         // name of the object that the declared one is another name of, or 0

long assignment();            // 16-expression.c
long conditional();
long expression();
long read_strings();
long joined_name();

long next() {
    if (ahead) {
        ahead = 0;
        tok = ahead_tok;
        tok_name = ahead_name;
        tok_flags = ahead_flags;
        return 0;
    }
    expand();
    if (tok == T_NAME && name_keyword[tok_name]) tok = name_keyword[tok_name];
    // __extension__ says that what follows is no mistake.
    if (tok == KW_EXTENSION) return next();
    return 0;
}

// The kind of the token after this one.
long peek() {
    if (!ahead) {
        long t = tok;
        long n = tok_name;
        long f = tok_flags;
        next();
        ahead = 1;
        ahead_tok = tok;
        ahead_name = tok_name;
        ahead_flags = tok_flags;
        tok = t;
        tok_name = n;
        tok_flags = f;
    }
    return ahead_tok;
}


long expect(long kind) {
    if (tok != kind) {
        say_place(here_file, here_line);
        say("expected '");
        say_name(punct_name[kind]);
        say("' before ");
        if (tok == T_EOF) say("the end of the file");
        else {
            say("'");
            say_name(tok_name);
            say("'");
        }
        stop();
    }
    return next();
}

long accept(long kind) {
    if (tok != kind) return 0;
    next();
    return 1;
}

// Does a token of this kind, naming symbol s if it is a name, begin a type?
long begins_type(long kind, long s) {
    if (kind >= KW_VOID && kind <= KW_REFUSED) return kind != KW_REFUSED;
    return kind == T_NAME && s_kind[s] == S_TYPEDEF;
}

// Does the token after this one begin a type?
long peek_type() {
    long kind = peek();
    if (kind == T_NAME) return begins_type(kind, name_symbol[ahead_name]);
    return begins_type(kind, 0);
}

long at_type() {
    if (tok == KW_REFUSED) fail_name("not supported:", tok_name);
    if (tok == T_NAME) return begins_type(tok, name_symbol[tok_name]);
    return begins_type(tok, 0);
}

long constant_expression() {
    long n = conditional();
    if (n_op[n] != N_CONST) fail("expected a constant integer expression");
    return n_value[n];
}

long word_attribute(char *s) {
    long i = 0;
    long from = name_start[tok_name];
    long end = name_len[tok_name];
    // __word__ is the same as word.
    if (end > 4 && text[from] == '_' && text[from + 1] == '_') {
        from = from + 2;
        end = end - 4;
    }
    while (i < end) {
        if (s[i] != text[from + i]) return 0;
        i = i + 1;
    }
    return s[i] == 0;
}

long skip_parentheses() {
    long nested = 0;
    if (tok != '(') return 0;
    next();
    nested = 1;
    while (nested) {
        if (tok == T_EOF) fail("expected ')'");
        if (tok == '(') nested = nested + 1;
        if (tok == ')') nested = nested - 1;
        next();
    }
    return 0;
}

long is_harmless_attribute() {
    return word_attribute("noreturn") || word_attribute("format") || word_attribute("unused") || word_attribute("noinline") || word_attribute("const")
        || word_attribute("pure") || word_attribute("always_inline") || word_attribute("malloc") || word_attribute("nonnull") || word_attribute("nothrow")
        || word_attribute("warn_unused_result") || word_attribute("deprecated") || word_attribute("used") || word_attribute("returns_twice")
        || word_attribute("format_arg") || word_attribute("cold") || word_attribute("hot") || word_attribute("leaf") || word_attribute("fallthrough")
        || word_attribute("returns_nonnull") || word_attribute("alloc_size") || word_attribute("sentinel")
        || word_attribute("visibility");
}

long add_alignment(long v) {
    if (v < 1 || v > 4096 || v & (v - 1)) fail("bad alignment");
    attribute_align = maximum(attribute_align, v);
    return 0;
}

long type_name();             // 15-declare.c

// _Alignas(number) and _Alignas(type).
long alignas_specifier() {
    long align = attribute_align;
    next();
    expect('(');
    long v = 0;
    if (at_type()) v = t_align[type_name()];
    else v = constant_expression();
    attribute_align = align;
    if (v) add_alignment(v);
    return expect(')');
}

// _Static_assert(condition, "message"); the message may be missing.
long static_assertion() {
    next();
    expect('(');
    long holds = constant_expression();
    string_len = 0;
    if (accept(',')) {
        if (tok != T_STRING) fail("expected a message");
        read_strings();
    }
    if (!holds) fail_name("static assertion failed:", joined_name());
    expect(')');
    return expect(';');
}

long attributes() {
    while (tok == KW_ATTRIBUTE) {
        next();
        expect('(');
        expect('(');
        while (tok != ')') {
            if (word_attribute("aligned")) {
                next();
                if (accept('(')) {
                    add_alignment(constant_expression());
                    expect(')');
                } else add_alignment(16);
            } else if (word_attribute("packed")) {
                next();
                attribute_packed = 1;
            } else if (word_attribute("weak")) {
                next();
                attribute_weak = 1;
            } else if (word_attribute("alias")) {
                next();
                expect('(');
                if (tok != T_STRING) fail("expected the name of an object");
                read_strings();
                attribute_alias = joined_name();
                expect(')');
            } else if (is_harmless_attribute()) {
                next();
                skip_parentheses();
            } else fail_name("unsupported attribute", tok_name);
            if (tok != ')') expect(',');
        }
        expect(')');
        expect(')');
    }
    return 0;
}

long keyword(long kind, char *s) {
    name_keyword[name_of(s)] = kind;
    return 0;
}

// Both spellings: word and __word, and __word__.
long keyword_types() {
    keyword(KW_VOID, "void");
    keyword(KW_CHAR, "char");
    keyword(KW_SHORT, "short");
    keyword(KW_INT, "int");
    keyword(KW_LONG, "long");
    keyword(KW_FLOAT, "float");
    keyword(KW_DOUBLE, "double");
    keyword(KW_SIGNED, "signed");
    keyword(KW_SIGNED, "__signed");
    keyword(KW_SIGNED, "__signed__");
    keyword(KW_UNSIGNED, "unsigned");
    keyword(KW_BOOL, "_Bool");
    keyword(KW_STRUCT, "struct");
    keyword(KW_UNION, "union");
    keyword(KW_ENUM, "enum");
    keyword(KW_VA_LIST, "__builtin_va_list");
    keyword(KW_QUALIFIER, "const");
    keyword(KW_QUALIFIER, "__const");
    keyword(KW_QUALIFIER, "__const__");
    keyword(KW_QUALIFIER, "volatile");
    keyword(KW_QUALIFIER, "__volatile");
    keyword(KW_QUALIFIER, "__volatile__");
    keyword(KW_QUALIFIER, "restrict");
    keyword(KW_QUALIFIER, "__restrict");
    keyword(KW_QUALIFIER, "__restrict__");
    keyword(KW_EXTENSION, "__extension__");
    keyword(KW_QUALIFIER, "_Noreturn");
    keyword(KW_INLINE, "inline");
    keyword(KW_INLINE, "__inline");
    keyword(KW_INLINE, "__inline__");
    keyword(KW_TYPEDEF, "typedef");
    keyword(KW_EXTERN, "extern");
    keyword(KW_STATIC, "static");
    keyword(KW_AUTO, "auto");
    keyword(KW_AUTO, "register");
    keyword(KW_ATTRIBUTE, "__attribute__");
    keyword(KW_ATTRIBUTE, "__attribute");
    keyword(KW_TYPEOF, "typeof");
    keyword(KW_TYPEOF, "__typeof");
    keyword(KW_TYPEOF, "__typeof__");
    return 0;
}

long init_declare() {
    keyword_types();
    keyword(KW_COMPLEX, "_Complex");
    keyword(KW_COMPLEX, "__complex__");
    keyword(KW_COMPLEX, "__complex");
    keyword(KW_REAL, "__real__");
    keyword(KW_REAL, "__real");
    keyword(KW_IMAGINARY, "__imag__");
    keyword(KW_IMAGINARY, "__imag");
    keyword(KW_REFUSED, "_Imaginary");
    keyword(KW_REFUSED, "_Atomic");
    keyword(KW_GENERIC, "_Generic");
    keyword(KW_ASSERT, "_Static_assert");
    keyword(KW_REFUSED, "_Thread_local");
    keyword(KW_REFUSED, "__thread");
    keyword(KW_ALIGNAS, "_Alignas");
    keyword(KW_REFUSED, "__int128");
    keyword(KW_REFUSED, "__float128");
    keyword(KW_REFUSED, "_Float128");
    keyword(KW_ASM, "asm");
    keyword(KW_ASM, "__asm");
    keyword(KW_ASM, "__asm__");
    keyword(KW_REFUSED, "__auto_type");
    keyword(KW_REFUSED, "__label__");
    keyword(KW_SIZEOF, "sizeof");
    keyword(KW_ALIGNOF, "_Alignof");
    keyword(KW_ALIGNOF, "__alignof__");
    keyword(KW_IF, "if");
    keyword(KW_ELSE, "else");
    keyword(KW_WHILE, "while");
    keyword(KW_DO, "do");
    keyword(KW_FOR, "for");
    keyword(KW_SWITCH, "switch");
    keyword(KW_CASE, "case");
    keyword(KW_DEFAULT, "default");
    keyword(KW_BREAK, "break");
    keyword(KW_CONTINUE, "continue");
    keyword(KW_RETURN, "return");
    keyword(KW_GOTO, "goto");
    keyword(KW_VA_START, "__builtin_va_start");
    keyword(KW_VA_ARG, "__builtin_va_arg");
    keyword(KW_VA_END, "__builtin_va_end");
    keyword(KW_VA_COPY, "__builtin_va_copy");
    keyword(KW_SETJMP, "__s4_setjmp");
    keyword(KW_LONGJMP, "__s4_longjmp");
    keyword(KW_SYSCALL, "__s4_syscall");
    keyword(KW_OFFSETOF, "__builtin_offsetof");
    keyword(KW_FUNC, "__func__");
    keyword(KW_FUNC, "__FUNCTION__");
    return 0;
}
