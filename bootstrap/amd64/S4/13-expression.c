// Expressions: from tokens to nodes.

long compound_literal(long type);  // 14-initial.c
long statement_expression();       // 15-statement.c

enum { STRING_MAX = 4194304 };

char string[STRING_MAX];      // the string literals just read, joined
long string_len;              // without the zero at the end
long string_wide;             // one of them was L"..."
long function_name;           // of the current function

long at_wide_string() {
    return tok == T_STRING && text[name_start[tok_name]] == 'L';
}

// Joins adjacent string literals into `string`. A wide one has the same characters, all below 128.
long read_strings() {
    string_len = 0;
    string_wide = 0;
    while (tok == T_STRING) {
        long i = name_start[tok_name] + 1;
        if (at_wide_string()) {
            string_wide = 1;
            i = i + 1;
        }
        long end = name_start[tok_name] + name_len[tok_name] - 1;
        while (i < end) {
            long c = escape(i);
            i = escape_end;
            if (string_len >= STRING_MAX - 2) fail("string too long");
            string[string_len] = c;
            string_len = string_len + 1;
        }
        next();
    }
    string[string_len] = 0;
    if (string_wide) {
        long k = 0;
        while (k < string_len) {
            if (string[k] < 0) fail("wide characters above 127 are not supported");
            k = k + 1;
        }
    }
    return 0;
}

// The joined string as a name.
long joined_name() {
    long from = text_len;
    long i = 0;
    while (i < string_len) {
        text_byte(string[i]);
        i = i + 1;
    }
    return intern(from);
}

// The joined string as an unnamed array in the data.
long string_object() {
    long element = TY_CHAR;
    if (string_wide) element = TY_INT;
    long size = t_size[element];
    long type = array_of(element, string_len + 1);
    long g = new_object(0, type, 1);
    g_section[g] = SEC_DATA;
    g_offset[g] = data_align(size);
    long i = 0;
    data_room((string_len + 1) * size);
    while (i <= string_len) {
        data[g_offset[g] + i * size] = string[i];
        i = i + 1;
    }
    return new_node(N_GLOBAL, type, g, 0, 0);
}

long symbol_node(long name) {
    long s = name_symbol[name];
    if (s == 0) fail_name("not declared:", name);
    if (s_kind[s] == S_CONSTANT) return constant(s_value[s], s_type[s]);
    if (s_kind[s] == S_LOCAL) return new_node(N_LOCAL, s_type[s], 0, 0, s_value[s]);
    if (s_kind[s] == S_VARIABLE_ARRAY) {
        long p = pointer_to(t_base[s_type[s]]);
        p = new_node(N_LOCAL, p, 0, 0, s_value[s]);
        return new_node(N_DEREF, s_type[s], p, 0, 0);
    }
    if (s_kind[s] == S_TYPEDEF) fail_name("a type where a value is expected:", name);
    return new_node(N_GLOBAL, s_type[s], s_value[s], 0, 0);
}

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
        n = new_node(N_VA_ARG, type, list, 0, 0);
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

long primary() {
    long n = 0;
    long v = 0;
    if (tok == T_NUMBER) {
        v = parse_number(tok_name);
        if (number_is_float()) n = float_constant(v, num_exponent, number_type());
        else n = constant(v, number_type());
        next();
        return n;
    }
    if (tok == T_CHAR) {
        v = parse_character(tok_name);
        next();
        return constant(v, TY_INT);
    }
    if (tok == T_STRING) {
        read_strings();
        return string_object();
    }
    if (tok == T_NAME) {
        v = tok_name;
        next();
        return symbol_node(v);
    }
    if (tok == '(') {
        next();
        if (tok == '{') return statement_expression();
        n = expression();
        expect(')');
        return n;
    }
    if (tok == KW_VA_START || tok == KW_VA_ARG || tok == KW_VA_END || tok == KW_VA_COPY) return builtin_va(tok);
    if (tok == KW_SETJMP || tok == KW_LONGJMP) return builtin_jump(tok);
    if (tok == KW_SYSCALL) return builtin_syscall();
    if (tok == KW_OFFSETOF) return builtin_offsetof();
    if (tok == KW_FUNC) {
        if (function_name == 0) fail("__func__ outside a function");
        next();
        string_len = 0;
        string_wide = 0;
        while (string_len < name_len[function_name]) {
            string[string_len] = text[name_start[function_name] + string_len];
            string_len = string_len + 1;
        }
        string[string_len] = 0;
        return string_object();
    }
    if (tok == KW_REFUSED) fail_name("not supported:", tok_name);
    if (tok == T_EOF) fail("the file ends inside an expression");
    return fail_name("expected an expression before", tok_name);
}

// The default promotions of arguments without a declared type.
long promote_argument(long n) {
    n = promote(decay(n));
    if (n_type[n] == TY_FLOAT) return cast(n, TY_DOUBLE);
    return n;
}

long call(long callee) {
    callee = decay(callee);
    if (!is_pointer(n_type[callee]) || t_kind[t_base[n_type[callee]]] != K_FUNCTION) fail("this is not a function");
    long type = t_base[n_type[callee]];
    long result = t_base[type];
    long p = t_fields[type];
    long first = 0;
    long last = 0;
    long hidden = 0;
    next();
    while (tok != ')') {
        long v = assignment();
        if (p) {
            v = convert(v, f_type[p]);
            p = f_next[p];
        } else {
            if (!t_variadic[type]) fail("too many arguments");
            v = promote_argument(v);
            if (n_type[v] == TY_VOID) fail("an argument of type void");
        }
        long arg = new_node(N_ARG, n_type[v], v, 0, 0);
        if (last) n_b[last] = arg;
        else first = arg;
        last = arg;
        if (tok != ')') {
            expect(',');
            if (tok == ')') fail("expected an argument");
        }
    }
    if (p) fail("too few arguments");
    next();
    if (t_kind[result] == K_STRUCT) {
        if (t_size[result] < 0) fail("a call that returns an incomplete type");
        hidden = new_local(t_size[result], 16);
    } else if (result != TY_VOID && t_size[result] < 0) fail("a call that returns an incomplete type");
    return new_node(N_CALL, result, callee, first, hidden);
}

long dereference(long n) {
    n = decay(n);
    if (!is_pointer(n_type[n])) fail("expected a pointer");
    long t = t_base[n_type[n]];
    if (n_op[n] == N_ADDRESS) {
        long x = n_a[n];
        if (n_op[x] == N_LOCAL || n_op[x] == N_GLOBAL) return new_node(n_op[x], t, n_a[x], 0, n_value[x]);
    }
    return new_node(N_DEREF, t, n, 0, 0);
}

long postfix(long n) {
    while (1) {
        if (tok == '[') {
            next();
            long i = expression();
            expect(']');
            n = dereference(binary(N_ADD, n, i));
        } else if (tok == '(') n = call(n);
        else if (tok == '.' || tok == T_ARROW) {
            if (tok == T_ARROW) n = dereference(n);
            next();
            if (tok != T_NAME) fail("expected the name of a member");
            n = member(n, tok_name);
            next();
        } else if (tok == T_INC) {
            n = post_step(n, N_ADD);
            next();
        } else if (tok == T_DEC) {
            n = post_step(n, N_SUB);
            next();
        } else return n;
    }
}

long unary();  // below

long size_of(long is_align) {
    next();
    long type = 0;
    if (tok == '(' && peek_type()) {
        next();
        type = type_name();
        expect(')');
        if (tok == '{') {
            long n = compound_literal(type);
            type = n_type[postfix(n)];
        }
    } else {
        if (tok == T_NAME && !is_align) {
            long s = name_symbol[tok_name];
            if (s_kind[s] == S_VARIABLE_ARRAY) {
                long after = peek();
                if (after != '[' && after != T_ARROW && after != '(') {
                    long size = new_node(N_LOCAL, TY_ULONG, 0, 0, s_value[s] + 8);
                    next();
                    return new_node(N_CAST, TY_ULONG, size, 0, 0);
                }
            }
        }
        long m = unary();
        if (n_op[m] == N_BITS) fail("the size of a bit-field");
        type = n_type[m];
    }
    if (is_align) return constant(t_align[type], TY_ULONG);
    if (type == TY_VOID || t_kind[type] == K_FUNCTION) return constant(1, TY_ULONG);
    if (t_size[type] < 0) fail("the size of an incomplete type");
    return constant(t_size[type], TY_ULONG);
}

long unary_inside() {
    long op = tok;
    long n = 0;
    if (op == T_INC || op == T_DEC) {
        next();
        n = unary();
        long one = constant(1, TY_INT);
        if (op == T_INC) return assign_with(N_ADD, n, one);
        return assign_with(N_SUB, n, one);
    }
    if (op == '-') {
        next();
        return negate(unary());
    }
    if (op == '+') {
        next();
        n = promote(unary());
        if (!is_arithmetic(n_type[n])) fail("expected a number after '+'");
        // The result is no lvalue.
        if (is_lvalue(n)) return new_node(N_CAST, n_type[n], n, 0, 0);
        return n;
    }
    if (op == '~') {
        next();
        return invert(unary());
    }
    if (op == '!') {
        next();
        return not(unary());
    }
    if (op == '*') {
        next();
        return dereference(unary());
    }
    if (op == '&') {
        next();
        n = unary();
        if (!is_lvalue(n)) fail("the address of a value");
        return address_of(n, pointer_to(n_type[n]));
    }
    if (op == T_AND) fail("addresses of labels are not supported");
    if (op == KW_SIZEOF) return size_of(0);
    if (op == KW_ALIGNOF) return size_of(1);
    if (op == KW_QUALIFIER) {
        next();
        return unary();
    }
    if (op == '(' && peek_type()) {
        next();
        long type = type_name();
        expect(')');
        if (tok == '{') return postfix(compound_literal(type));
        n = decay(unary());
        if (t_kind[type] == K_STRUCT && n_type[n] == type) return n;
        if (type != TY_VOID && n_type[n] == TY_VOID) fail("a void expression is cast to a value");
        if (type == n_type[n] && is_lvalue(n)) return new_node(N_CAST, type, n, 0, 0);
        return cast(n, type);
    }
    return postfix(primary());
}

long unary() {
    deeper();
    return shallower(unary_inside());
}

long node_of_precedence(long op) {
    if (op == '*') return N_MUL;
    if (op == '/') return N_DIV;
    if (op == '%') return N_MOD;
    if (op == '+') return N_ADD;
    if (op == '-') return N_SUB;
    if (op == T_SHL) return N_SHL;
    if (op == T_SHR) return N_SHR;
    if (op == '<' || op == '>') return N_LT;
    if (op == T_LE || op == T_GE) return N_LE;
    if (op == T_EQ) return N_EQ;
    if (op == T_NE) return N_NE;
    if (op == '&') return N_AND;
    if (op == '^') return N_XOR;
    return N_OR;
}

long binary_level(long least) {
    long a = unary();
    long p = precedence(tok);
    while (p >= least && p > 0) {
        long op = tok;
        next();
        long b = binary_level(p + 1);
        if (op == T_AND) a = logical(N_BOTH, a, b);
        else if (op == T_OR) a = logical(N_EITHER, a, b);
        else if (op == '>' || op == T_GE) a = binary(node_of_precedence(op), b, a);
        else a = binary(node_of_precedence(op), a, b);
        p = precedence(tok);
    }
    return a;
}

// A conditional expression: what constants are made of.
long conditional() {
    long c = binary_level(1);
    if (tok != '?') return c;
    next();
    if (tok == ':') {
        // "x ?: y" is "x ? x : y" with x evaluated once.
        long first = 0;
        next();
        c = promote(decay(c));
        if (n_op[c] != N_CONST && n_op[c] != N_FLOAT) {
            require_scalar(c);
            long place = new_local(16, 16);
            place = new_node(N_LOCAL, n_type[c], 0, 0, place);
            first = new_node(N_ASSIGN, n_type[c], place, c, 0);
            c = place;
        }
        deeper();
        long other = shallower(conditional());
        other = choose(c, c, other);
        return with_prepared(first, other);
    }
    long a = expression();
    expect(':');
    deeper();
    long b = shallower(conditional());
    return choose(c, a, b);
}

long assignment() {
    long n = conditional();
    long op = tok;
    if (op == '=') {
        next();
        deeper();
        return assign(n, shallower(assignment()));
    }
    if (op >= T_MUL_SET && op <= T_OR_SET) {
        next();
        long v = decay(assignment());
        if (!is_lvalue(n)) fail("this cannot be assigned to");
        if (op == T_MUL_SET) return assign_with(N_MUL, n, v);
        if (op == T_DIV_SET) return assign_with(N_DIV, n, v);
        if (op == T_MOD_SET) return assign_with(N_MOD, n, v);
        if (op == T_ADD_SET) return assign_with(N_ADD, n, v);
        if (op == T_SUB_SET) return assign_with(N_SUB, n, v);
        if (op == T_SHL_SET) return assign_with(N_SHL, n, v);
        if (op == T_SHR_SET) return assign_with(N_SHR, n, v);
        if (op == T_AND_SET) return assign_with(N_AND, n, v);
        if (op == T_XOR_SET) return assign_with(N_XOR, n, v);
        return assign_with(N_OR, n, v);
    }
    return n;
}

long expression() {
    long n = assignment();
    while (tok == ',') {
        next();
        long right = decay(assignment());
        n = new_node(N_COMMA, n_type[right], n, right, 0);
    }
    return n;
}
