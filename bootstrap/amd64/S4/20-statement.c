// Statements and declarations: the last step from tokens to code. Each statement's code is emitted as soon as it is read.

enum {
    CASE_MAX = 65536
};

long result_type;             // of the current function
long result_place;            // where the hidden pointer to a struct result is kept, or 0
long label_return;
long label_break;             // 0 outside loops and switches
long label_continue;

long case_count;              // cases of all open switches
long case_value[CASE_MAX];
long case_last[CASE_MAX];     // of a range of values; else the same
long case_label[CASE_MAX];
long switch_first;            // first case of the innermost switch; -1 outside
long switch_default;
long switch_type;

long statement();
long asm_statement();          // 23-assembly.c
long asm_register_name();     // 22-operand.c
long add_register_variable(long place, long r);
long register_variables;      // of the current function, see there

long declare_typedef(long name, long type) {
    long s = name_symbol[name];
    if (s && s_scope[s] == scope) {
        if (s_kind[s] != S_TYPEDEF || !same_type(s_type[s], type)) fail_name("declared twice:", name);
        return 0;
    }
    return new_symbol(S_TYPEDEF, name, type, 0);
}

// Declares a function or a variable with an address in the program; returns its object.
long declare_object(long name, long type, long storage) {
    long s = name_symbol[name];
    long g = 0;
    // An earlier declaration that is visible and has linkage gives the object.
    if (s && s_kind[s] == S_GLOBAL && g_name[s_value[s]] == name && (s_scope[s] == 0 || storage == KW_EXTERN)) g = s_value[s];
    else if (s && s_scope[s] == scope) fail_name("declared twice:", name);
    if (g == 0) {
        if (storage == KW_STATIC) g = new_object(name, type, 1);
        else {
            g = global_object(name, type);
        }
    } else if (storage == KW_STATIC && !g_static[g]) fail_name("static after a declaration that is not:", name);
    if (g_type[g] == 0) g_type[g] = type;
    if (s && s_kind[s] == S_GLOBAL && s_value[s] == g && s_type[s] && !same_type(s_type[s], type)) fail_name("declared with another type before:", name);
    if (!same_type(g_type[g], type)) {
        // Files may differ in what they know of a variable; room is made for the largest.
        if (g_section[g] <= SEC_TENTATIVE && t_size[type] > t_size[g_type[g]]) g_type[g] = type;
    } else if (t_size[type] >= 0) g_type[g] = type;
    if (t_kind[type] == K_FUNCTION && t_variadic[type] != 2 && t_variadic[g_type[g]] == 2) g_type[g] = type;
    if (attribute_align) g_align[g] = maximum(g_align[g], attribute_align);
    if (spec_const && is_arithmetic(type)) g_const[g] = 1;
    if (s == 0 || s_scope[s] != scope) new_symbol(S_GLOBAL, name, type, g);
    else if (t_size[type] >= 0) s_type[s] = type;
    else if (t_kind[type] == K_FUNCTION && same_type(g_type[g], type)) s_type[s] = g_type[g];
    return g;
}

long initialise_global(long g) {
    long from = initial_count;
    long type = read_initial(g_type[g]);
    g_type[g] = type;
    if (g_name[g]) s_type[name_symbol[g_name[g]]] = type;
    if (t_size[type] < 0) fail("a variable of incomplete type");
    initialise_object(g, from);
    initial_count = from;
    return 0;
}

long local_variable(long name, long type) {
    long from = initial_count;
    long align = maximum(t_align[type], attribute_align);
    check_new(name);
    if (spec_storage == KW_STATIC) {
        long g = new_object(name, type, 1);
        // A name without linkage: nothing else may find it, see declare_object.
        g_name[g] = 0;
        g_const[g] = spec_const && is_arithmetic(type);
        g_align[g] = align;
        new_symbol(S_GLOBAL, name, type, g);
        if (accept('=')) {
            long static_symbol = name_symbol[name];
            type = read_initial(type);
            g_type[g] = type;
            s_type[static_symbol] = type;
            if (t_size[type] < 0) fail_name("a variable of incomplete type:", name);
            initialise_object(g, from);
        } else {
            if (t_size[type] < 0) fail_name("a variable of incomplete type:", name);
            g_section[g] = SEC_TENTATIVE;
        }
        initial_count = from;
        return 0;
    }
    long place = 0;
    if (t_size[type] >= 0) place = new_local(t_size[type], align);
    long s = new_symbol(S_LOCAL, name, type, place);
    if (accept('=')) {
        type = read_initial(type);
        if (t_size[type] < 0) fail_name("a variable of incomplete type:", name);
        if (place == 0) {
            place = new_local(t_size[type], align);
            s_type[s] = type;
            s_value[s] = place;
        }
        initialise_local(place, type, from);
        initial_count = from;
    } else if (t_size[type] < 0) fail_name("a variable of incomplete type:", name);
    return 0;
}

long declaration() {
    old_style = 0;
    long base = specifiers();
    long storage = spec_storage;
    long align = attribute_align;
    long more = tok != ';';
    while (more) {
        long mark = node_count;
        attribute_align = align;
        sizes = 0;
        may_vary = 1;
        long type = declarator(base);
        may_vary = 0;
        long name = declared_name;
        long in_register = -1;
        if (tok == KW_ASM) in_register = asm_register_name();
        attributes();
        spec_storage = storage;
        if (tok == KW_REFUSED) fail_name("not supported:", tok_name);
        if (name == 0) fail("expected a name in the declaration");
        if (old_style) fail("expected the type of a parameter");
        if (sizes || t_variable[type]) {
            if (storage && storage != KW_TYPEDEF) fail("arrays of variable length are not supported here");
            if (sizes) generate_discard(sizes);
        }
        if (storage == KW_TYPEDEF) {
            if (attribute_align) fail("the aligned attribute of a typedef is not supported");
            declare_typedef(name, type);
        }
        else if (t_variable[type]) variable_array(name, type);
        else if (t_kind[type] == K_FUNCTION) declare_object(name, type, KW_EXTERN);
        else if (type == TY_VOID) fail_name("a variable of type void:", name);
        else if (storage == KW_EXTERN) {
            if (tok == '=') fail("an extern variable with an initialiser inside a function");
            declare_object(name, type, KW_EXTERN);
        } else {
            local_variable(name, type);
            long s = name_symbol[name];
            if (in_register >= 0 && s_kind[s] == S_LOCAL) add_register_variable(s_value[s], in_register);
            else if (in_register >= 0) fail("a static variable in a register");
        }
        node_count = mark;
        more = accept(',');
    }
    return expect(';');
}

// The condition in parentheses; jumps to `label` if it is `sense`.
long condition(long sense, long label) {
    expect('(');
    long n = truth(decay(expression()));
    expect(')');
    return generate_branch(n, sense, label);
}

long if_statement() {
    long other = new_label();
    next();
    condition(0, other);
    statement();
    if (tok == KW_ELSE) {
        long done = new_label();
        next();
        jump(done);
        place_label(other);
        statement();
        return place_label(done);
    }
    return place_label(other);
}

// The body of a loop with its own break and continue labels.
long loop_body(long again, long out) {
    long old_break = label_break;
    long old_continue = label_continue;
    long old_alive_break = array_break;
    long old_alive_continue = array_continue;
    label_break = out;
    label_continue = again;
    array_break = array_now;
    array_continue = array_now;
    statement();
    label_break = old_break;
    label_continue = old_continue;
    array_break = old_alive_break;
    array_continue = old_alive_continue;
    return 0;
}

long while_statement() {
    long again = new_label();
    long out = new_label();
    next();
    place_label(again);
    condition(0, out);
    loop_body(again, out);
    jump(again);
    return place_label(out);
}

long do_statement() {
    long top = new_label();
    long again = new_label();
    long out = new_label();
    next();
    place_label(top);
    loop_body(again, out);
    place_label(again);
    if (tok != KW_WHILE) fail("expected 'while' after the body of 'do'");
    next();
    condition(1, top);
    expect(';');
    return place_label(out);
}

long for_statement() {
    long top = new_label();
    long step = new_label();
    long out = new_label();
    long body = new_label();
    long alive = array_now;
    next();
    expect('(');
    enter_scope();
    if (at_type()) declaration();
    else {
        if (tok != ';') generate_discard(expression());
        expect(';');
    }
    place_label(top);
    if (tok != ';') generate_branch(truth(decay(expression())), 0, out);
    expect(';');
    if (tok != ')') {
        // The step stands before the body; jump over it.
        jump(body);
        place_label(step);
        generate_discard(expression());
        jump(top);
        place_label(body);
    } else step = top;
    expect(')');
    loop_body(step, out);
    jump(step);
    leave_scope();
    place_label(out);
    free_arrays(alive);
    array_now = alive;
    return 0;
}

// Compares rax with the sorted cases first .. last and jumps.
long dispatch(long first, long last, long otherwise) {
    long middle = (first + last) / 2;
    long v = case_value[middle];
    if (first > last) return jump(otherwise);
    if (v >= -2147483648 && v <= 0x7fffffff) {
        x86(0x483d);          // cmp rax, v
        word(v);
    } else {
        load_number_rcx(v);
        x86(0x4839c8);
    }
    jump_if(CC_EQUAL, case_label[middle]);
    if (first == last && case_last[middle] == v) return jump(otherwise);
    long upper = new_label();
    jump_if(CC_GREATER, upper);
    dispatch(first, middle - 1, otherwise);
    place_label(upper);
    if (case_last[middle] != v) {
        load_number_rcx(case_last[middle]);
        x86(0x4839c8);
        jump_if(CC_LESS_EQUAL, case_label[middle]);
    }
    return dispatch(middle + 1, last, otherwise);
}

long sort_cases(long first, long last) {
    long i = first + 1;
    while (i <= last) {
        long v = case_value[i];
        long l = case_label[i];
        long w = case_last[i];
        long j = i - 1;
        while (j >= first && case_value[j] > v) {
            case_value[j + 1] = case_value[j];
            case_label[j + 1] = case_label[j];
            case_last[j + 1] = case_last[j];
            j = j - 1;
        }
        case_value[j + 1] = v;
        case_label[j + 1] = l;
        case_last[j + 1] = w;
        i = i + 1;
    }
    i = first;
    while (i < last) {
        if (case_last[i] >= case_value[i + 1]) fail("two equal cases in one switch");
        i = i + 1;
    }
    return 0;
}

long switch_statement() {
    long old_first = switch_first;
    long old_default = switch_default;
    long old_type = switch_type;
    long old_break = label_break;
    long old_alive = array_break;
    long old_alive_switch = array_switch;
    long choose_label = new_label();
    long out = new_label();
    next();
    expect('(');
    long n = promote(decay(expression()));
    if (!is_integer(n_type[n])) fail("switch on something that is no integer");
    expect(')');
    generate(n);
    long place = new_local(8, 8);
    x86(0x488985);            // mov [rbp + d], rax
    word(place);
    jump(choose_label);
    switch_first = case_count;
    switch_default = 0;
    switch_type = n_type[n];
    label_break = out;
    array_break = array_now;
    array_switch = array_now;
    statement();
    array_break = old_alive;
    array_switch = old_alive_switch;
    jump(out);
    place_label(choose_label);
    x86(0x488b85);
    word(place);
    if (switch_default == 0) switch_default = out;
    sort_cases(switch_first, case_count - 1);
    dispatch(switch_first, case_count - 1, switch_default);
    place_label(out);
    case_count = switch_first;
    switch_first = old_first;
    switch_default = old_default;
    switch_type = old_type;
    label_break = old_break;
    return 0;
}

long case_statement() {
    if (switch_first < 0) fail("case outside a switch");
    if (array_now != array_switch) fail("a case in the scope of an array of variable length");
    next();
    long n = conditional();
    if (n_op[n] != N_CONST) fail("expected a constant integer expression");
    n = cast(n, switch_type);
    long last = n;
    if (accept(T_DOTS)) {
        last = conditional();
        if (n_op[last] != N_CONST) fail("expected a constant integer expression");
        last = cast(last, switch_type);
        if (n_value[last] < n_value[n] || (t_unsigned[switch_type] && n_value[last] >= 0 && n_value[n] < 0)) fail("a range of cases that is empty");
    }
    expect(':');
    if (case_count >= CASE_MAX) fail("too many cases");
    case_value[case_count] = n_value[n];
    case_last[case_count] = n_value[last];
    long l = new_label();
    case_label[case_count] = l;
    place_label(l);
    case_count = case_count + 1;
    return statement();
}

long default_statement() {
    if (switch_first < 0) fail("default outside a switch");
    if (array_now != array_switch) fail("a case in the scope of an array of variable length");
    if (switch_default) fail("two defaults in one switch");
    next();
    expect(':');
    switch_default = new_label();
    place_label(switch_default);
    return statement();
}

long return_statement() {
    next();
    if (tok != ';') {
        long n = decay(expression());
        if (result_type == TY_VOID) {
            if (n_type[n] != TY_VOID) fail("a value is returned from a void function");
            generate(n);
        } else {
            n = convert(n, result_type);
            generate(n);
            if (in_memory(result_type)) generate_result(result_type, result_place);
            else if (result_type == TY_FLOAT || result_type == TY_DOUBLE) to_xmm0(result_type);
        }
    }
    jump(label_return);
    return expect(';');
}

long block() {
    long alive = array_now;
    expect('{');
    enter_scope();
    while (tok != '}') {
        if (tok == T_EOF) fail("the file ends inside a function");
        statement();
    }
    leave_scope();
    free_arrays(alive);
    array_now = alive;
    return next();
}

long statement() {
    long mark = node_count;
    deeper();
    if (tok == '{') block();
    else if (tok == ';') next();
    else if (tok == KW_IF) if_statement();
    else if (tok == KW_WHILE) while_statement();
    else if (tok == KW_DO) do_statement();
    else if (tok == KW_FOR) for_statement();
    else if (tok == KW_SWITCH) switch_statement();
    else if (tok == KW_CASE) case_statement();
    else if (tok == KW_DEFAULT) default_statement();
    else if (tok == KW_RETURN) return_statement();
    else if (tok == KW_GOTO) goto_statement();
    else if (tok == KW_ASM) asm_statement();
    else if (tok == KW_ASSERT) static_assertion();
    else if (tok == KW_BREAK || tok == KW_CONTINUE) {
        long target = label_break;
        long alive = array_break;
        if (tok == KW_CONTINUE) {
            target = label_continue;
            alive = array_continue;
        }
        if (target == 0) fail("break or continue outside a loop");
        free_arrays(alive);
        jump(target);
        next();
        expect(';');
    } else {
        long is_label = 0;
        if (tok == T_NAME) is_label = peek() == ':';
        if (is_label) {
            long l = goto_index(tok_name);
            place_goto_label(l);
            next();
            next();
            attributes();
            if (tok != '}') statement();
        } else if (tok == KW_ATTRIBUTE) {
            attributes();
            expect(';');
        } else if (tok != KW_FUNC && at_type()) declaration();
        else {
            generate_discard(expression());
            expect(';');
        }
    }
    node_count = mark;
    return shallower(0);
}

// Does a statement that is an expression begin here?
long at_expression() {
    if (tok == '{' || tok == ';' || (tok >= KW_IF && tok <= KW_GOTO) || tok == KW_ASM || tok == KW_ATTRIBUTE) return 0;
    if (tok == T_NAME) {
        if (peek() == ':') return 0;
    }
    return !at_type();
}

// ({ ... }): the statements are emitted here and now, as a piece of code that the expression calls when its turn comes. The value of the
// last one stays in a hidden local.
long statement_expression() {
    long old_break = label_break;
    long old_continue = label_continue;
    long old_first = switch_first;
    long past = new_label();
    long code_label = new_label();
    long type = TY_VOID;
    long place = 0;
    if (!in_function) fail("a statement expression outside functions");
    jump(past);
    place_label(code_label);
    label_break = 0;
    label_continue = 0;
    switch_first = -1;
    in_statements = in_statements + 1;
    next();
    enter_scope();
    while (tok != '}') {
        long mark = node_count;
        if (tok == T_EOF) fail("the file ends inside a function");
        type = TY_VOID;
        if (at_expression()) {
            long n = decay(expression());
            expect(';');
            if (tok == '}' && n_type[n] != TY_VOID) {
                type = n_type[n];
                place = new_local(t_size[type], 16);
                long target = new_node(N_LOCAL, type, 0, 0, place);
                n = new_node(N_ASSIGN, type, target, n, 0);
            }
            generate_discard(n);
        } else statement();
        node_count = mark;
    }
    x86(0xc3);                // ret
    leave_scope();
    in_statements = in_statements - 1;
    label_break = old_break;
    label_continue = old_continue;
    switch_first = old_first;
    next();
    place_label(past);
    expect(')');
    long call_node = new_node(N_STATEMENTS, TY_VOID, 0, 0, code_label);
    if (type == TY_VOID) return call_node;
    long value = new_node(N_LOCAL, type, 0, 0, place);
    return new_node(N_COMMA, type, call_node, value, 0);
}
