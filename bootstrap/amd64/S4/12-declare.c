// Declare: tokens as the parser sees them, type specifiers, structs, enums and declarators.

enum {
    KW_VOID = 256, KW_CHAR, KW_SHORT, KW_INT, KW_LONG, KW_FLOAT, KW_DOUBLE, KW_SIGNED, KW_UNSIGNED, KW_BOOL, KW_STRUCT, KW_UNION, KW_ENUM,
    KW_VA_LIST, KW_QUALIFIER, KW_INLINE, KW_TYPEDEF, KW_EXTERN, KW_STATIC, KW_AUTO, KW_ATTRIBUTE,
    KW_TYPEOF,
    KW_REFUSED,               // a word of C or its extensions that S4 refuses
    KW_SIZEOF, KW_ALIGNOF, KW_IF, KW_ELSE, KW_WHILE, KW_DO, KW_FOR, KW_SWITCH, KW_CASE, KW_DEFAULT, KW_BREAK, KW_CONTINUE, KW_RETURN, KW_GOTO,
    KW_VA_START, KW_VA_ARG, KW_VA_END, KW_VA_COPY, KW_SETJMP, KW_LONGJMP, KW_SYSCALL, KW_FUNC, KW_OFFSETOF, KW_ASM,

    OP_MAX = 4096,
    OP_POINTER = 1, OP_ARRAY, OP_FUNCTION
};

long ahead;                   // one token was read ahead: it is in ahead_*
long ahead_tok;
long ahead_name;
long ahead_flags;

long spec_storage;            // KW_TYPEDEF, KW_EXTERN, KW_STATIC or 0
long spec_inline;
long attribute_align;         // set by attributes since the last reset
long attribute_packed;
long attribute_weak;
long attribute_alias;         // name of the object that the declared one is another name of, or 0

long op_count;                // steps from the specifier's type to the declarator's
long op_kind[OP_MAX];
long op_value[OP_MAX];
long op_variadic[OP_MAX];
long declared_name;           // name in the last declarator, or 0
long may_vary;                // an array may have a variable length here
long variable_length;         // the expression of that length, or 0
long old_style;               // first parameter of an old-style function, whose types are still to come, or 0

long assignment();            // 13-expression.c
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

long attributes() {
    while (tok == KW_ATTRIBUTE) {
        next();
        expect('(');
        expect('(');
        while (tok != ')') {
            if (word_attribute("aligned")) {
                next();
                attribute_align = 16;
                if (accept('(')) {
                    attribute_align = constant_expression();
                    expect(')');
                }
                if (attribute_align < 1 || attribute_align > 4096 || attribute_align & (attribute_align - 1)) fail("bad alignment");
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

long specifiers();
long declarator(long type);
long type_name();

long struct_fields(long type) {
    long last = 0;
    t_fields[type] = 0;
    while (tok != '}') {
        if (!at_type()) fail("expected a member declaration");
        long base = specifiers();
        if (spec_storage) fail("a storage class in a struct");
        long more = tok != ';';
        if (!more && t_kind[base] == K_STRUCT) {
            long f = new_field(0, base);
            f_width[f] = -1;
            if (last) f_next[last] = f;
            else t_fields[type] = f;
            last = f;
        }
        while (more) {
            long width = -1;
            long ft = base;
            declared_name = 0;
            if (tok != ':') ft = declarator(base);
            long name = declared_name;
            if (accept(':')) {
                width = constant_expression();
                if (!is_integer(ft)) fail("a bit-field of a type that is no integer");
                if (width < 0 || width > t_size[ft] * 8 || (width == 0 && name) || (ft == TY_BOOL && width > 1)) fail("bad width of a bit-field");
            } else if (name == 0) fail("a member without a name");
            if (name && find_field(type, name)) fail_name("member declared twice:", name);
            attribute_align = 0;
            attributes();
            if (attribute_align) fail("the aligned attribute of a member is not supported");
            if (t_size[ft] < 0 && (t_kind[ft] != K_ARRAY || tok != ';')) fail("a member of incomplete type");
            long g = new_field(name, ft);
            f_width[g] = width;
            if (last) f_next[last] = g;
            else t_fields[type] = g;
            last = g;
            more = accept(',');
        }
        expect(';');
    }
    return 0;
}

long struct_specifier(long is_union) {
    deeper();
    next();
    attribute_align = 0;
    attribute_packed = 0;
    attributes();
    long name = 0;
    long type = 0;
    if (tok == T_NAME) {
        name = tok_name;
        next();
    }
    if (name) {
        long t = name_tag[name];
        // "struct x {" and "struct x;" declare in this scope; "struct x" elsewhere means the visible one.
        if (t && ((tok != '{' && tok != ';') || tag_scope[t] == scope)) {
            type = tag_type[t];
            if (tag_is_enum[t] || t_union[type] != is_union) fail_name("tag of another kind:", name);
        }
    } else if (tok != '{') fail("expected a tag or '{'");
    if (type == 0) {
        type = new_type(K_STRUCT, -1, 1);
        t_union[type] = is_union;
        t_name[type] = name;
        if (name) new_tag(name, type, 0);
    }
    if (tok != '{') return shallower(type);
    if (t_size[type] >= 0) fail("struct or union defined twice");
    long align = attribute_align;
    long packed = attribute_packed;
    next();
    struct_fields(type);
    next();
    attribute_align = align;
    attribute_packed = packed;
    attributes();
    lay_out(type, attribute_packed, attribute_align);
    attribute_align = 0;
    return shallower(type);
}

long enum_specifier() {
    next();
    attributes();
    long name = 0;
    if (tok == T_NAME) {
        name = tok_name;
        next();
    }
    if (tok != '{') {
        if (name == 0) fail("expected a tag or '{'");
        long t = name_tag[name];
        if (t == 0) {
            // Only mentioned so far; all enums without negative constants are unsigned int.
            new_tag(name, TY_UINT, 1);
            return TY_UINT;
        }
        if (!tag_is_enum[t]) fail_name("tag of another kind:", name);
        return tag_type[t];
    }
    next();
    long v = 0;
    long type = TY_UINT;
    while (tok != '}') {
        if (tok != T_NAME) fail("expected the name of an enum constant");
        long constant_name = tok_name;
        next();
        if (accept('=')) v = constant_expression();
        if (v < 0) type = TY_INT;
        if (v < -2147483648 || v > 0xffffffff) fail_name("enum constant of more than 32 bits:", constant_name);
        check_new(constant_name);
        // A constant is an int if it fits.
        if (v > 0x7fffffff) new_symbol(S_CONSTANT, constant_name, TY_UINT, v);
        else new_symbol(S_CONSTANT, constant_name, TY_INT, v);
        v = v + 1;
        if (tok != '}') expect(',');
    }
    next();
    attributes();
    if (name) new_tag(name, type, 1);
    return type;
}

// typeof(expression) and typeof(type). The expression is not evaluated.
long typeof_specifier() {
    long type = 0;
    next();
    expect('(');
    deeper();
    if (at_type()) type = type_name();
    else {
        long n = expression();
        if (n_op[n] == N_BITS) fail("the type of a bit-field");
        type = n_type[n];
    }
    expect(')');
    return shallower(type);
}

// Type specifiers, qualifiers and storage class, up to the declarator.
long specifiers() {
    long base = 0;            // a type that was named whole, or the keyword of the basic type
    long type = 0;
    long longs = 0;
    long shorts = 0;
    long is_signed = 0;
    long is_unsigned = 0;
    long storage = 0;
    long is_inline = 0;
    long align = 0;
    attribute_align = 0;
    while (at_type() && !(tok == T_NAME && (type || base || longs || shorts || is_signed || is_unsigned))) {
        if (tok == T_NAME) {
            type = s_type[name_symbol[tok_name]];
            next();
        } else if (tok == KW_STRUCT || tok == KW_UNION) {
            if (type || base) fail("two types in one declaration");
            type = struct_specifier(tok == KW_UNION);
        } else if (tok == KW_ENUM) {
            if (type || base) fail("two types in one declaration");
            type = enum_specifier();
        } else if (tok == KW_TYPEOF) {
            if (type || base) fail("two types in one declaration");
            type = typeof_specifier();
        } else if (tok == KW_ATTRIBUTE) {
            attributes();
            align = maximum(align, attribute_align);
        } else {
            if (tok == KW_LONG) longs = longs + 1;
            else if (tok == KW_SHORT) shorts = shorts + 1;
            else if (tok == KW_SIGNED) is_signed = 1;
            else if (tok == KW_UNSIGNED) is_unsigned = 1;
            else if (tok == KW_TYPEDEF || tok == KW_EXTERN || tok == KW_STATIC) {
                if (storage) fail("two storage classes in one declaration");
                storage = tok;
            } else if (tok == KW_INLINE) is_inline = 1;
            else if (tok == KW_VA_LIST) type = TY_VA_LIST;
            else if (tok != KW_QUALIFIER && tok != KW_AUTO) {
                if (base || type) fail("two types in one declaration");
                base = tok;
            }
            next();
        }
    }
    long counts = longs + shorts + is_signed + is_unsigned;
    if (type && counts) fail("bad combination of types");
    if (type == 0) {
        if (base == 0 && counts == 0) fail("a declaration without a type");
        if (base == 0) base = KW_INT;
        if (longs > 2 || shorts > 1 || (longs && shorts) || (is_signed && is_unsigned)) fail("bad combination of types");
        if (base == KW_INT) {
            type = TY_INT;
            if (shorts) type = TY_SHORT;
            if (longs == 1) type = TY_LONG;
            if (longs == 2) type = TY_LLONG;
            if (is_unsigned) type = type + 1;
        } else if (base == KW_CHAR) {
            type = TY_CHAR;
            if (is_signed) type = TY_SCHAR;
            if (is_unsigned) type = TY_UCHAR;
            if (longs || shorts) fail("bad combination of types");
        } else if (base == KW_DOUBLE) {
            type = TY_DOUBLE + longs;
            if (longs > 1 || shorts || is_signed || is_unsigned) fail("bad combination of types");
        } else {
            if (counts) fail("bad combination of types");
            if (base == KW_FLOAT) type = TY_FLOAT;
            if (base == KW_BOOL) type = TY_BOOL;
            if (base == KW_VOID) type = TY_VOID;
        }
    }
    spec_storage = storage;
    spec_inline = is_inline;
    attribute_align = align;
    return type;
}

long add_op(long kind, long value, long variadic) {
    if (op_count >= OP_MAX) fail("declarator too complicated");
    op_kind[op_count] = kind;
    op_value[op_count] = value;
    op_variadic[op_count] = variadic;
    op_count = op_count + 1;
    return 0;
}

// Parameters between parentheses; the '(' is behind.
long parameters() {
    long first = 0;
    long last = 0;
    long variadic = 0;
    if (tok == ')') {
        next();
        return add_op(OP_FUNCTION, 0, 2);
    }
    if (tok == T_NAME && !at_type()) {
        // An old-style definition: names only, their types follow.
        long name = 1;
        while (name) {
            if (tok != T_NAME) fail("expected the name of a parameter");
            long q = new_field(tok_name, 0);
            if (last) f_next[last] = q;
            else first = q;
            last = q;
            next();
            name = accept(',');
        }
        expect(')');
        old_style = first;
        return add_op(OP_FUNCTION, first, 2);
    }
    long may = may_vary;
    may_vary = 0;
    enter_scope();
    long more = 1;
    if (tok == KW_VOID) {
        if (peek() == ')') {
            next();
            more = 0;
        }
    }
    while (more) {
        if (accept(T_DOTS)) {
            variadic = 1;
            more = 0;
        } else {
            if (!at_type()) fail("expected the type of a parameter");
            long type = specifiers();
            if (spec_storage) fail("a storage class in a parameter");
            type = declarator(type);
            attributes();
            if (t_kind[type] == K_ARRAY) type = pointer_to(t_base[type]);
            else if (t_kind[type] == K_FUNCTION) type = pointer_to(type);
            if (type == TY_VOID) fail("a parameter of type void");
            long p = new_field(declared_name, type);
            if (last) f_next[last] = p;
            else first = p;
            last = p;
            more = accept(',');
        }
    }
    leave_scope();
    expect(')');
    may_vary = may;
    return add_op(OP_FUNCTION, first, variadic);
}

// Reads a declarator, or one without a name, and appends its steps to op_* in the order in which they apply.
long declarator_steps() {
    long begin = op_count;
    long stars = 0;
    deeper();
    while (tok == '*' || tok == KW_QUALIFIER || tok == KW_ATTRIBUTE) {
        if (tok == KW_ATTRIBUTE) attributes();
        else {
            if (tok == '*') stars = stars + 1;
            next();
        }
    }
    if (tok == '(') {
        // Parentheses around a declarator, or the parameters of a function without a name?
        long kind = peek();
        if (kind != ')' && kind != T_DOTS && !peek_type()) {
            next();
            declarator_steps();
            expect(')');
        }
    } else if (tok == T_NAME) {
        declared_name = tok_name;
        next();
    }
    long middle = op_count;
    while (tok == '(' || tok == '[') {
        // What stands in the brackets or parentheses may have declarators of its own.
        long name = declared_name;
        if (accept('(')) parameters();
        else {
            next();
            long len = -1;
            while (tok == KW_QUALIFIER || tok == KW_STATIC) next();
            if (tok != ']') {
                long may = may_vary;
                may_vary = 0;
                long n = conditional();
                if (n_op[n] == N_CONST) {
                    len = n_value[n];
                    if (len < 0) fail("an array of negative length");
                } else if (may && middle == begin && op_count == middle) variable_length = n;
                else fail("arrays of variable length are not supported here");
                may_vary = may;
            }
            expect(']');
            add_op(OP_ARRAY, len, 0);
        }
        declared_name = name;
    }
    // Order of application: the stars, what follows the name from the last to the first, what stands in the parentheses.
    long end = op_count;
    while (stars) {
        add_op(OP_POINTER, 0, 0);
        stars = stars - 1;
    }
    long i = end - 1;
    while (i >= middle) {
        add_op(op_kind[i], op_value[i], op_variadic[i]);
        i = i - 1;
    }
    i = begin;
    while (i < middle) {
        add_op(op_kind[i], op_value[i], op_variadic[i]);
        i = i + 1;
    }
    i = end;
    while (i < op_count) {
        op_kind[begin + i - end] = op_kind[i];
        op_value[begin + i - end] = op_value[i];
        op_variadic[begin + i - end] = op_variadic[i];
        i = i + 1;
    }
    op_count = begin + op_count - end;
    return shallower(0);
}

// The type that the declarator makes of `type`; sets declared_name.
long declarator(long type) {
    long begin = op_count;
    declared_name = 0;
    declarator_steps();
    long i = begin;
    while (i < op_count) {
        if (op_kind[i] == OP_POINTER) type = pointer_to(type);
        else if (op_kind[i] == OP_ARRAY) type = array_of(type, op_value[i]);
        else type = function_type(type, op_value[i], op_variadic[i]);
        i = i + 1;
    }
    op_count = begin;
    return type;
}

// A type between parentheses, as in casts and sizeof.
long type_name() {
    long type = specifiers();
    if (spec_storage) fail("a storage class in a type name");
    type = declarator(type);
    if (declared_name) fail("a name in a type name");
    if (old_style) fail("expected the type of a parameter");
    return type;
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
    keyword(KW_QUALIFIER, "__extension__");
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
    keyword(KW_REFUSED, "_Complex");
    keyword(KW_REFUSED, "__complex__");
    keyword(KW_REFUSED, "_Imaginary");
    keyword(KW_REFUSED, "_Atomic");
    keyword(KW_REFUSED, "_Generic");
    keyword(KW_REFUSED, "_Static_assert");
    keyword(KW_REFUSED, "_Thread_local");
    keyword(KW_REFUSED, "__thread");
    keyword(KW_REFUSED, "_Alignas");
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
