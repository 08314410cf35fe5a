// Expressions: from tokens to nodes.

long compound_literal(long type);  // 18-initial.c
long statement_expression();       // 20-statement.c
long label_address();              // 19-jump.c

long function_name;           // of the current function

// Joins adjacent string literals into `string`.
long read_strings() {
    string_parts = 0;
    while (tok == T_STRING) {
        add_part(tok_name);
        next();
    }
    return join_parts();
}

// The type of an element of a string, or of a character constant with this prefix.
long element_type(long kind) {
    if (kind == L_16) return TY_USHORT;
    if (kind == L_32) return TY_UINT;
    if (kind == L_WIDE) return TY_INT;
    return TY_CHAR;
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
    long element = element_type(string_kind);
    long size = t_size[element];
    long type = array_of(element, string_len + 1);
    long g = new_object(0, type, 1);
    g_section[g] = SEC_DATA;
    g_offset[g] = data_align(size);
    long i = 0;
    data_room((string_len + 1) * size);
    while (i <= string_len) {
        data_store(g_offset[g] + i * size, string[i], size);
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

long builtin(long kind);      // 17-builtin.c

long primary() {
    long n = 0;
    long v = 0;
    if (tok == T_NUMBER) {
        v = parse_number(tok_name);
        if (number_is_float()) {
            n = float_constant(v, num_exponent, number_type());
            if (num_imaginary) n = pair(zero_of(n_type[n]), n);
        }
        else n = constant(v, number_type());
        next();
        return n;
    }
    if (tok == T_CHAR) {
        v = parse_character(tok_name);
        long wide = literal_kind(tok_name);
        next();
        if (wide == L_BYTES) return constant(v, TY_UCHAR);
        if (wide == L_PLAIN) return constant(v, TY_INT);
        return constant(v, element_type(wide));
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
    if (tok >= KW_VA_START && tok <= KW_BUILTIN) return builtin(tok);
    if (tok == KW_FUNC) {
        if (function_name == 0) fail("__func__ outside a function");
        next();
        string_len = 0;
        string_kind = L_PLAIN;
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
    if (in_memory(result)) {
        if (t_size[result] < 0) fail("a call that returns an incomplete type");
        hidden = new_local(round_up(maximum(t_size[result], 8), 8), 16);
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

// A type name that may have arrays of variable length; `sizes` must be computed before it is used.
long variable_type_name() {
    sizes = 0;
    may_vary = in_function;
    long type = type_name();
    may_vary = 0;
    return type;
}

long size_of(long is_align) {
    next();
    long type = 0;
    long sizes_first = 0;
    if (tok == '(' && peek_type()) {
        next();
        type = variable_type_name();
        sizes_first = sizes;
        expect(')');
        if (tok == '{') {
            long n = compound_literal(type);
            type = n_type[postfix(n)];
        }
    } else {
        long m = unary();
        if (n_op[m] == N_BITS) fail("the size of a bit-field");
        type = n_type[m];
        if (t_variable[type]) sizes_first = decay(m);
    }
    if (t_variable[type] && !is_align) {
        long size = cast(variable_size(type), TY_ULONG);
        return with_prepared(sizes_first, size);
    }
    if (sizes_first) fail("arrays of variable length are not supported here");
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
        if (!is_number(n_type[n])) fail("expected a number after '+'");
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
    if (op == T_AND) return label_address();
    if (op == KW_REAL || op == KW_IMAGINARY) {
        next();
        n = unary();
        return complex_part(n, op == KW_IMAGINARY);
    }
    if (op == KW_SIZEOF) return size_of(0);
    if (op == KW_ALIGNOF) return size_of(1);
    if (op == '(' && peek_type()) {
        next();
        long type = variable_type_name();
        long sizes_first = sizes;
        expect(')');
        if (sizes_first) {
            if (!is_pointer(type)) fail("arrays of variable length are not supported here");
            n = cast(decay(unary()), type);
            return with_prepared(sizes_first, n);
        }
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
