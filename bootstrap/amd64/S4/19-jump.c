// Jumps: labels of the source, goto, and arrays of variable length, whose room on the stack jumps have to give back.

enum {
    GOTO_MAX = 65536,
    VARIABLE_MAX = 65536
};

long goto_count;              // labels of the current function
long goto_name[GOTO_MAX];
long goto_label[GOTO_MAX];
long goto_placed[GOTO_MAX];
long goto_taken[GOTO_MAX];    // its address was taken: any `goto *` may lead there
long goto_array[GOTO_MAX];    // the innermost array that is alive at it

// Arrays of variable length lie below the frame, each below those outside. Leaving the block of one puts rsp back where it was before.
long variable_count;          // of the current function; one is known by its number
long variable_outer[VARIABLE_MAX];  // the array that was innermost before, 0: none
long variable_kept[VARIABLE_MAX];   // the local in which rsp from before is kept
long array_now;               // the innermost one that is alive
long array_break;             // the same at the beginning of the loop or switch that `break` leaves, and of the loop of `continue`
long array_continue;
long array_switch;            // and at the beginning of the switch

long pending_count;           // jumps to labels that were still to come
long pending_label[GOTO_MAX];
long pending_array[GOTO_MAX]; // the innermost array at the jump
long pending_place[GOTO_MAX]; // the instruction there that may have to free arrays, or 0

long address_count;           // addresses of labels in the data
long address_place[GOTO_MAX];
long address_label[GOTO_MAX];

// The jump label that the source label `name` stands for.
long goto_index(long name) {
    if (name_label[name]) return name_label[name];
    goto_count = goto_count + 1;
    if (goto_count >= GOTO_MAX) fail("too many labels");
    goto_name[goto_count] = name;
    long l = new_label();
    goto_label[goto_count] = l;
    goto_placed[goto_count] = 0;
    goto_taken[goto_count] = 0;
    goto_array[goto_count] = 0;
    name_label[name] = goto_count;
    return goto_count;
}

// A local array of variable length: room for it, and the symbol.
long variable_array(long name, long type) {
    long place = new_local(8, 8);
    long kept = new_local(8, 8);
    check_new(name);
    if (t_align[type] > 16) fail("an array of variable length aligned to more than 16 bytes is not supported");
    if (in_statements) fail("an array of variable length in a statement expression is not supported");
    if (tok == '=') fail("an initialiser of an array of variable length");
    variable_count = variable_count + 1;
    if (variable_count >= VARIABLE_MAX) fail("too many arrays of variable length");
    variable_outer[variable_count] = array_now;
    variable_kept[variable_count] = kept;
    array_now = variable_count;
    x86(0x4889a5);            // mov [rbp + d], rsp
    word(kept);
    generate(variable_size(type));
    x86(0x4883c00f);          // add rax, 15
    x86(0x4883e0f0);          // and rax, -16
    x86(0x4829c4);            // sub rsp, rax
    x86(0x4889a5);            // mov [rbp + d], rsp
    word(place);
    return new_symbol(S_VARIABLE_ARRAY, name, type, place);
}

// The local with the rsp that frees the arrays within `outer`, for a jump from where `inner` is alive; 0 if there are none.
long place_to_free(long inner, long outer) {
    long place = 0;
    while (inner != outer) {
        if (inner == 0) fail("a jump into the scope of an array of variable length");
        place = variable_kept[inner];
        inner = variable_outer[inner];
    }
    return place;
}

// Frees the arrays that came after `alive`, in code that goes on elsewhere.
long free_arrays(long alive) {
    long place = place_to_free(array_now, alive);
    if (place == 0) return 0;
    x86(0x488ba5);            // mov rsp, [rbp + d]
    return word(place);
}

long goto_statement() {
    next();
    if (in_statements) fail("goto in a statement expression is not supported");
    if (accept('*')) {
        long n = expression();
        n = convert(n, pointer_to(TY_VOID));
        if (array_now) fail("a computed goto in the scope of an array of variable length is not supported");
        generate(n);
        x86(0xffe0);          // jmp rax
        return expect(';');
    }
    if (tok != T_NAME) fail("expected a label after 'goto'");
    long l = goto_index(tok_name);
    if (goto_placed[l]) free_arrays(goto_array[l]);
    else {
        if (pending_count >= GOTO_MAX) fail("too many jumps");
        pending_label[pending_count] = l;
        pending_array[pending_count] = array_now;
        pending_place[pending_count] = 0;
        if (array_now) {
            pending_place[pending_count] = code_len;
            x86(0x488ba5);    // mov rsp, [rbp + d], or nothing: see place_goto_label
            word(0);
        }
        pending_count = pending_count + 1;
    }
    jump(goto_label[l]);
    next();
    return expect(';');
}

// The label l of the source is here. Jumps to it from before are now told which arrays they free.
long place_goto_label(long l) {
    long i = 0;
    if (in_statements) fail("a label in a statement expression is not supported");
    if (goto_placed[l]) fail_name("label placed twice:", goto_name[l]);
    goto_placed[l] = 1;
    goto_array[l] = array_now;
    while (i < pending_count) {
        if (pending_label[i] == l) {
            long place = place_to_free(pending_array[i], array_now);
            long from = pending_place[i];
            if (place) set_word(from + 3, place);
            else if (from) {
                // An instruction of seven bytes that does nothing.
                code[from] = 0x0f;
                code[from + 1] = 0x1f;
                code[from + 2] = 0x80;
            }
        }
        i = i + 1;
    }
    return place_label(goto_label[l]);
}

// &&label
long label_address() {
    next();
    if (tok != T_NAME) fail("expected a label after '&&'");
    if (!in_function || in_statements) fail("the address of a label is not supported here");
    long l = goto_index(tok_name);
    goto_taken[l] = 1;
    next();
    l = goto_label[l];
    return new_node(N_LABEL, pointer_to(TY_VOID), 0, 0, l);
}

// The data at `place` becomes the address of a label of this function.
long add_label_address(long place, long l) {
    if (address_count >= GOTO_MAX) fail("too many addresses of labels");
    address_place[address_count] = place;
    address_label[address_count] = l;
    address_count = address_count + 1;
    return 0;
}

long begin_jumps() {
    goto_count = 0;
    pending_count = 0;
    address_count = 0;
    variable_count = 0;
    array_now = 0;
    array_break = 0;
    array_continue = 0;
    return 0;
}

// At the end of function g: every label was there.
long end_jumps(long g) {
    while (goto_count) {
        if (!goto_placed[goto_count]) fail_name("no such label:", goto_name[goto_count]);
        if (goto_taken[goto_count] && goto_array[goto_count]) fail_name("the address of a label in the scope of an array of variable length:", goto_name[goto_count]);
        name_label[goto_name[goto_count]] = 0;
        goto_count = goto_count - 1;
    }
    while (address_count) {
        address_count = address_count - 1;
        fix(FIX_DATA, address_place[address_count], g, label_at[address_label[address_count]] - g_offset[g]);
    }
    return 0;
}
