// Declare: type specifiers, structs, enums and declarators.

enum {
    OP_MAX = 4096,
    OP_POINTER = 1, OP_ARRAY, OP_FUNCTION,
    OP_VARIABLE,              // an array whose length is a node

    PARAMETER = 0x40000000    // and more: the place of a parameter of a function that has not begun
};

long op_count;                // steps from the specifier's type to the declarator's
long op_kind[OP_MAX];
long op_value[OP_MAX];
long op_variadic[OP_MAX];
long declared_name;           // name in the last declarator, or 0
long may_vary;                // an array may have a variable length here
long in_parameters;           // a parameter is being declared
long sizes;                   // computes the sizes of the arrays of variable length that were just declared, or 0
long old_style;               // first parameter of an old-style function, whose types are still to come, or 0

long specifiers();
long declarator(long type);

long struct_fields(long type) {
    long last = 0;
    t_fields[type] = 0;
    while (tok != '}') {
        while (tok == KW_ASSERT) static_assertion();
        if (tok == '}') break;
        if (!at_type()) fail("expected a member declaration");
        long base = specifiers();
        long align = attribute_align;
        long packed = attribute_packed;
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
            attribute_align = align;
            attribute_packed = packed;
            attributes();
            if (attribute_align && width >= 0) fail("the aligned attribute of a bit-field is not supported");
            if (t_size[ft] < 0 && (t_kind[ft] != K_ARRAY || tok != ';')) fail("a member of incomplete type");
            long g = new_field(name, ft);
            f_width[g] = width;
            f_align[g] = attribute_align;
            f_packed[g] = attribute_packed;
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
    long most = pack_align;
    next();
    attribute_align = align;
    attribute_packed = packed;
    attributes();
    lay_out(type, attribute_packed, attribute_align, most);
    attribute_align = 0;
    attribute_packed = 0;
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
    long is_const = 0;
    long complexes = 0;
    long align = 0;
    attribute_align = 0;
    attribute_packed = 0;
    while (at_type() && !(tok == T_NAME && (type || base || longs || shorts || is_signed || is_unsigned || complexes))) {
        if (tok == T_NAME) {
            type = s_type[name_symbol[tok_name]];
            next();
        } else if (tok == KW_STRUCT || tok == KW_UNION) {
            if (type || base) fail("two types in one declaration");
            long whole_packed = attribute_packed;
            type = struct_specifier(tok == KW_UNION);
            attribute_packed = whole_packed;
        } else if (tok == KW_ENUM) {
            if (type || base) fail("two types in one declaration");
            type = enum_specifier();
        } else if (tok == KW_TYPEOF) {
            if (type || base) fail("two types in one declaration");
            type = typeof_specifier();
        } else if (tok == KW_ATTRIBUTE || tok == KW_ALIGNAS) {
            attribute_align = 0;
            if (tok == KW_ALIGNAS) alignas_specifier();
            else attributes();
            align = maximum(align, attribute_align);
        } else {
            if (tok == KW_LONG) longs = longs + 1;
            else if (tok == KW_SHORT) shorts = shorts + 1;
            else if (tok == KW_SIGNED) is_signed = 1;
            else if (tok == KW_UNSIGNED) is_unsigned = 1;
            else if (tok == KW_COMPLEX) complexes = 1;
            else if (tok == KW_TYPEDEF || tok == KW_EXTERN || tok == KW_STATIC) {
                if (storage) fail("two storage classes in one declaration");
                storage = tok;
            } else if (tok == KW_INLINE) is_inline = 1;
            else if (tok == KW_VA_LIST) type = TY_VA_LIST;
            else if (tok == KW_QUALIFIER) {
                // const, __const and __const__; volatile and its likes.
                long i = name_start[tok_name];
                if (text[i] == '_') i = i + 2;
                if (text[i] == 'c' && text[i + 1] == 'o') is_const = is_const | 1;
                if (text[i] == 'v') is_const = is_const | 2;
            } else if (tok != KW_AUTO) {
                if (base || type) fail("two types in one declaration");
                base = tok;
            }
            next();
        }
    }
    if (complexes && base == 0 && type == 0 && longs < 2) base = KW_DOUBLE;
    if (complexes && (type || (base != KW_DOUBLE && base != KW_FLOAT))) fail("complex numbers of this type are not supported");
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
    if (complexes) type = complex_of(type);
    spec_storage = storage;
    spec_inline = is_inline;
    spec_const = is_const == 1;
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

// The node that keeps the size of an array type of variable length in a local of its own; the element's size is known.
long keep_size(long type) {
    long base = t_base[type];
    long element = 0;
    if (t_variable[base]) element = variable_size(base);
    else element = constant(t_size[base], TY_LONG);
    t_place[type] = new_local(8, 8);
    long n = cast(t_length[type], TY_LONG);
    n = operate(N_MUL, TY_LONG, n, element);
    long place = new_node(N_LOCAL, TY_LONG, 0, 0, t_place[type]);
    return new_node(N_ASSIGN, TY_LONG, place, n, 0);
}

// An array of variable length, or of elements that are such arrays.
long variable_array_of(long base, long length) {
    if (t_size[base] < 0 && !t_variable[base]) fail("an array of an incomplete type");
    if (t_kind[base] == K_FUNCTION) fail("an array of functions");
    long a = new_type(K_ARRAY, -1, t_align[base]);
    t_base[a] = base;
    t_len[a] = -1;
    t_variable[a] = 1;
    t_length[a] = length;
    if (in_parameters) return a;
    long n = keep_size(a);
    if (sizes) n = new_node(N_COMMA, TY_LONG, sizes, n, 0);
    sizes = n;
    return a;
}

// The first brackets behind a parameter's name: what stands in them has no meaning, the parameter is a pointer.
long skip_length() {
    long nested = 0;
    while (tok != ']' || nested) {
        long called = tok == T_NAME;
        if (tok == T_EOF) fail("expected ']'");
        if (tok == '=' || tok == T_INC || tok == T_DEC || (tok >= T_MUL_SET && tok <= T_OR_SET)) fail("a length with an effect in a parameter is not supported");
        if (tok == '[') nested = nested + 1;
        if (tok == ']') nested = nested - 1;
        next();
        if (called && tok == '(') fail("a length with an effect in a parameter is not supported");
    }
    return -1;
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
    long within = in_parameters;
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
            may_vary = 0;
            in_parameters = 0;
            long type = specifiers();
            if (spec_storage) fail("a storage class in a parameter");
            may_vary = 1;
            in_parameters = 1;
            type = declarator(type);
            attributes();
            if (t_kind[type] == K_ARRAY) type = pointer_to(t_base[type]);
            else if (t_kind[type] == K_FUNCTION) type = pointer_to(type);
            if (type == TY_VOID) fail("a parameter of type void");
            long p = new_field(declared_name, type);
            if (declared_name) new_symbol(S_LOCAL, declared_name, type, PARAMETER + p);
            if (last) f_next[last] = p;
            else first = p;
            last = p;
            more = accept(',');
        }
    }
    leave_scope();
    expect(')');
    may_vary = may;
    in_parameters = within;
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
            long step = OP_ARRAY;
            if (in_parameters && middle == begin && op_count == begin) len = skip_length();
            else if (tok != ']') {
                long may = may_vary;
                long within = in_parameters;
                may_vary = 0;
                in_parameters = 0;
                long n = promote(decay(conditional()));
                if (!is_integer(n_type[n])) fail("a length that is no integer");
                len = n_value[n];
                if (n_op[n] != N_CONST) {
                    if (!may) fail("arrays of variable length are not supported here");
                    step = OP_VARIABLE;
                    len = n;
                } else if (len < 0) fail("an array of negative length");
                may_vary = may;
                in_parameters = within;
            }
            expect(']');
            add_op(step, len, 0);
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
        else if (op_kind[i] == OP_VARIABLE) type = variable_array_of(type, op_value[i]);
        else if (op_kind[i] == OP_ARRAY && t_variable[type] && op_value[i] >= 0) {
            long len = constant(op_value[i], TY_LONG);
            type = variable_array_of(type, len);
        } else if (op_kind[i] == OP_ARRAY && !(t_variable[type] && in_parameters)) type = array_of(type, op_value[i]);
        else if (op_kind[i] == OP_ARRAY) {
            // A parameter: it is a pointer to its element.
            type = pointer_to(type);
        }
        else type = function_type(type, op_value[i], op_variadic[i]);
        i = i + 1;
    }
    op_count = begin;
    return type;
}

// A type between parentheses, as in casts and sizeof.
long type_name() {
    long may = may_vary;
    long within = in_parameters;
    may_vary = 0;
    in_parameters = 0;
    long type = specifiers();
    if (spec_storage) fail("a storage class in a type name");
    may_vary = may;
    type = declarator(type);
    in_parameters = within;
    if (declared_name) fail("a name in a type name");
    if (old_style) fail("expected the type of a parameter");
    return type;
}
