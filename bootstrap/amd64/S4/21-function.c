// Functions, and declarations at file scope: the last step from tokens to code.

long set_hidden(long place, long type, long n);  // 22-operand.c

// The types of old-style parameters, between ')' and '{'. Those not mentioned are int.
long old_style_types(long first) {
    long p = first;
    while (at_type()) {
        long base = specifiers();
        if (spec_storage) fail("a storage class in a parameter");
        long more = 1;
        while (more) {
            long type = declarator(base);
            p = first;
            while (p && f_name[p] != declared_name) p = f_next[p];
            if (p == 0 || f_type[p]) fail_name("not a parameter, or declared twice:", declared_name);
            if (t_kind[type] == K_ARRAY) type = pointer_to(t_base[type]);
            else if (t_kind[type] == K_FUNCTION) type = pointer_to(type);
            if (type == TY_VOID) fail("a parameter of type void");
            // The caller passes a double; the function begins with its conversion.
            f_bit[p] = type == TY_FLOAT;
            if (type == TY_FLOAT) type = TY_DOUBLE;
            f_type[p] = type;
            more = accept(',');
        }
        expect(';');
    }
    p = first;
    while (p) {
        if (f_type[p] == 0) f_type[p] = TY_INT;
        p = f_next[p];
    }
    if (tok != '{') fail("expected a function's body after old-style parameters");
    return 0;
}

// The object that a definition of g gives its content to: g, or one that nobody refers to if a better definition is there already.
long defined_object(long g, long name) {
    long weak = attribute_weak;
    attribute_weak = 0;
    if (g_section[g] > SEC_TENTATIVE || (g_section[g] == SEC_NONE && g_alias[g])) {
        if (weak) return new_object(0, g_type[g], 1);
        if (!g_weak[g]) fail_name("defined twice:", name);
    }
    g_weak[g] = weak;
    return g;
}

// The declared object g is another name of one that was declared before.
long declare_alias(long g, long storage) {
    long s = name_symbol[attribute_alias];
    if (s == 0 || s_kind[s] != S_GLOBAL) fail_name("an alias of something that is not declared before:", attribute_alias);
    if (storage == KW_STATIC) fail("a static alias is not supported");
    if (g_alias[g] || g_section[g] != SEC_NONE) {
        // Another definition of this name counts before a weak alias, and a strong alias before a weak definition.
        if (attribute_weak) return 0;
        if (!g_weak[g]) fail_name("defined twice:", g_name[g]);
    }
    g_section[g] = SEC_NONE;
    g_alias[g] = s_value[s];
    g_weak[g] = attribute_weak;
    return 0;
}

// Puts the places of parameters, which are known now, into the tree of a length.
long settle_length(long n) {
    long op = n_op[n];
    if (op == N_LOCAL && n_value[n] >= PARAMETER) n_value[n] = f_offset[n_value[n] - PARAMETER];
    else if (op == N_DEREF || op == N_BITS || op == N_ADDRESS || op == N_CAST || op == N_NEG || op == N_NOT || op == N_ZERO) settle_length(n_a[n]);
    else if (op >= N_ADD && op <= N_EITHER) {
        settle_length(n_a[n]);
        settle_length(n_b[n]);
    } else if (op != N_LOCAL && op != N_GLOBAL && op != N_CONST) fail("this length of a parameter's array is not supported");
    return 0;
}

// Computes the sizes of the arrays of variable length that a parameter's type has.
long settle_sizes(long type) {
    if (t_kind[type] != K_POINTER && t_kind[type] != K_ARRAY) return 0;
    settle_sizes(t_base[type]);
    if (!t_variable[type] || t_place[type]) return 0;
    settle_length(t_length[type]);
    return generate_discard(keep_size(type));
}

long function_definition(long name, long type, long declared) {
    long g = defined_object(declared, name);
    if (t_variadic[type] == 2) {
        // "f() { ... }" takes no arguments.
        t_variadic[type] = 0;
    }
    g_section[g] = SEC_CODE;
    g_offset[g] = code_len;
    function_name = name;
    in_function = 1;
    frame = 0;
    pushed = 0;
    label_count = 0;
    begin_jumps();
    register_variables = 0;
    switch_first = -1;
    label_break = 0;
    label_continue = 0;
    label_return = new_label();
    result_type = t_base[type];
    if (result_type != TY_VOID && t_size[result_type] < 0) fail("a function that returns an incomplete type");
    x86(0x55);                // push rbp
    x86(0x4889e5);            // mov rbp, rsp
    x86(0x4881ec);            // sub rsp, frame
    long frame_word = code_len;
    word(0);
    receive_parameters(type);
    result_place = -8;
    enter_scope();
    long p = t_fields[type];
    while (p) {
        if (f_name[p] == 0) fail("a parameter without a name");
        check_new(f_name[p]);
        if (f_bit[p]) {
            long place = new_local(8, 8);
            long passed = new_node(N_LOCAL, TY_DOUBLE, 0, 0, f_offset[p]);
            set_hidden(place, TY_FLOAT, passed);
            new_symbol(S_LOCAL, f_name[p], TY_FLOAT, place);
        } else new_symbol(S_LOCAL, f_name[p], f_type[p], f_offset[p]);
        p = f_next[p];
    }
    p = t_fields[type];
    while (p) {
        settle_sizes(f_type[p]);
        p = f_next[p];
    }
    expect('{');
    while (tok != '}') {
        if (tok == T_EOF) fail_name("the file ends inside function", name);
        statement();
    }
    leave_scope();
    load_number(0);           // main returns 0 at its end
    place_label(label_return);
    x86(0xc9);                // leave
    x86(0xc3);                // ret
    set_word(frame_word, round_up(frame, 16));
    g_size[g] = code_len - g_offset[g];
    end_jumps(g);
    in_function = 0;
    function_name = 0;
    return next();
}

long asm_declaration();       // 25-section.c

long external_declaration() {
    if (accept(';')) return 0;
    if (tok == KW_ASM) return asm_declaration();
    if (tok == KW_ASSERT) return static_assertion();
    attribute_weak = 0;
    old_style = 0;
    if (!at_type()) fail_name("expected a declaration before", tok_name);
    long base = specifiers();
    long storage = spec_storage;
    long is_inline = spec_inline;
    long align = attribute_align;
    long weak = attribute_weak;
    long more = tok != ';';
    while (more) {
        attribute_align = align;
        attribute_weak = weak;
        attribute_alias = 0;
        long type = declarator(base);
        long name = declared_name;
        if (tok == KW_ASM) fail("asm names are not supported");
        attributes();
        if (tok == KW_REFUSED) fail_name("not supported:", tok_name);
        if (name == 0) fail("expected a name in the declaration");
        if (old_style) {
            if (t_kind[type] != K_FUNCTION || t_fields[type] != old_style || storage == KW_TYPEDEF) fail("expected the type of a parameter");
            old_style = 0;
            weak = attribute_weak;
            old_style_types(t_fields[type]);
            attribute_weak = weak;
        }
        if (storage == KW_TYPEDEF) {
            if (attribute_align) fail("the aligned attribute of a typedef is not supported");
            declare_typedef(name, type);
        } else if (t_kind[type] == K_FUNCTION) {
            // An inline function without extern is one of this file's own.
            long linkage = storage;
            if (is_inline && storage == 0) linkage = KW_STATIC;
            long f = declare_object(name, type, linkage);
            if (tok == '{') {
                function_definition(name, type, f);
                node_count = 0;
                return 0;
            }
            if (at_type()) fail("expected ';' or a function's body");
            if (attribute_alias) declare_alias(f, linkage);
            else if (attribute_weak && g_section[f] == SEC_NONE) g_weak[f] = 1;
        } else {
            if (type == TY_VOID) fail_name("a variable of type void:", name);
            long g = declare_object(name, type, storage);
            if (accept('=')) {
                g = defined_object(g, name);
                if (t_size[type] >= 0) g_type[g] = type;
                initialise_global(g);
            }
            else if (attribute_alias) declare_alias(g, storage);
            else if (attribute_weak && storage == KW_EXTERN) g_weak[g] = 1;
            else if (storage != KW_EXTERN && g_section[g] == SEC_NONE) g_section[g] = SEC_TENTATIVE;
        }
        more = accept(',');
    }
    node_count = 0;
    return expect(';');
}
