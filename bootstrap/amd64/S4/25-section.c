// Assembly outside functions: labels, directives, and files that hold nothing else (their names end in ".s").
//
// Such text becomes code where it stands. A label is an object of the program; unless the text makes it global or weak, or C has declared
// it, no other file finds it. Directives that only tell a linker or a debugger something are left out; those for other sections are refused.

enum { ASM_NAMES_MAX = 4096 };

long asm_names;               // that the text makes global or weak
long asm_listed[ASM_NAMES_MAX];
long asm_is_weak[ASM_NAMES_MAX];

long listed_row(long name) {
    long i = 0;
    while (i < asm_names && asm_listed[i] != name) i = i + 1;
    if (i == asm_names) return -1;
    return i;
}

long skip_asm_line() {
    while (asm_text[asm_at] && asm_text[asm_at] != '\n' && asm_text[asm_at] != ';') asm_at = asm_at + 1;
    return 0;
}

// The name at asm_at, which must be there.
long asm_needed_name() {
    asm_skip_blanks();
    long name = asm_word();
    if (name == 0) fail("expected a name in the assembly");
    return name;
}

// Notes what the text makes global or weak.
long list_names(long weak) {
    long more = 1;
    while (more) {
        long name = asm_needed_name();
        long row = listed_row(name);
        if (row < 0) {
            row = asm_names;
            if (asm_names >= ASM_NAMES_MAX) fail("too many names in the assembly");
            asm_names = asm_names + 1;
            asm_listed[row] = name;
            asm_is_weak[row] = 0;
        }
        if (weak) asm_is_weak[row] = 1;
        more = asm_skip_blanks() == ',';
        if (more) asm_at = asm_at + 1;
    }
    return 0;
}

// A directive; asm_at is at its '.'.
long asm_directive() {
    asm_at = asm_at + 1;
    long name = asm_word();
    if (name == name_of("global") || name == name_of("globl")) return list_names(0);
    if (name == name_of("weak")) {
        long first = asm_names;
        list_names(1);
        while (first < asm_names) {
            long g = asm_object(asm_listed[first]);
            if (g_section[g] == SEC_NONE) g_weak[g] = 1;
            first = first + 1;
        }
        return 0;
    }
    if (name == name_of("set")) {
        long other = asm_needed_name();
        if (asm_skip_blanks() != ',') fail("expected ',' in the assembly");
        asm_at = asm_at + 1;
        long same = asm_needed_name();
        long alias = asm_object(other);
        if (g_section[alias] != SEC_NONE || g_alias[alias]) fail_name("defined twice:", other);
        g_alias[alias] = asm_object(same);
        return 0;
    }
    if (name == name_of("byte")) {
        long more = 1;
        while (more) {
            asm_skip_blanks();
            emit(asm_number());
            more = asm_skip_blanks() == ',';
            if (more) asm_at = asm_at + 1;
        }
        return 0;
    }
    if (name == name_of("hidden") || name == name_of("type") || name == name_of("size") || name == name_of("text")) return skip_asm_line();
    if (name == 0) fail("expected a directive in the assembly");
    return fail_name("unsupported directive in assembly:", name);
}

// Reads a label and says whether there was one: a digit or a name, and a ':'.
long asm_label() {
    long from = asm_at;
    long c = asm_text[asm_at];
    long name = asm_word();
    if (name == 0 || asm_text[asm_at] != ':') {
        asm_at = from;
        return 0;
    }
    asm_at = asm_at + 1;
    if (is_digit(c)) {
        long digit = c - '0';
        if (asm_at - from != 2) fail("a label of more than one digit is not supported in assembly");
        if (numeric_next[digit] == 0) numeric_next[digit] = new_label();
        place_label(numeric_next[digit]);
        numeric_last[digit] = numeric_next[digit];
        numeric_next[digit] = 0;
        return 1;
    }
    if (in_function) fail("a label with a name in an asm statement is not supported");
    long g = asm_object(name);
    long row = listed_row(name);
    attribute_weak = 0;
    if (row >= 0) attribute_weak = asm_is_weak[row];
    else if (g_weak[g]) attribute_weak = 1;
    g_weak[g] = g_weak[g] && g_section[g] != SEC_NONE;
    g = defined_object(g, name);
    g_section[g] = SEC_CODE;
    g_offset[g] = code_len;
    return 1;
}

// Looks at all labels before the text is assembled: one that is not made global is this text's own.
long asm_find_labels() {
    long begins = 1;
    asm_names = 0;
    asm_at = 0;
    while (asm_skip_blanks()) {
        long c = asm_text[asm_at];
        long from = asm_at;
        if (begins && c == '.') {
            asm_at = asm_at + 1;
            long directive_name = asm_word();
            if (directive_name == name_of("global") || directive_name == name_of("globl")) list_names(0);
            else if (directive_name == name_of("weak")) list_names(1);
            else skip_asm_line();
        } else if (begins && is_letter(c)) {
            asm_word();
            begins = asm_text[asm_at] == ':';
        } else {
            begins = c == ';' || c == '\n' || c == ':';
            asm_at = asm_at + 1;
        }
        if (asm_at == from) asm_at = asm_at + 1;
    }
    begins = 1;
    asm_at = 0;
    while (asm_skip_blanks()) {
        long d = asm_text[asm_at];
        if (begins && is_letter(d)) {
            long name = asm_word();
            begins = asm_text[asm_at] == ':';
            if (begins && listed_row(name) < 0 && name_symbol[name] == 0) {
                long g = new_object(name, 0, 1);
                new_symbol(S_GLOBAL, name, 0, g);
            }
        } else {
            begins = d == ';' || d == '\n' || d == ':';
            asm_at = asm_at + 1;
        }
    }
    return 0;
}

// The text in asm_text as code outside functions.
long assemble() {
    long line = here_line;
    asm_has_operands = 0;
    label_count = 0;
    asm_find_labels();
    here_line = line;
    return asm_template();
}

// asm("text"); at file scope.
long asm_declaration() {
    next();
    while (tok == KW_QUALIFIER) next();
    expect('(');
    if (tok != T_STRING) fail("expected the text of an asm statement");
    read_strings();
    asm_take_text();
    assemble();
    expect(')');
    return expect(';');
}

// A unit that is assembly: the file f.
long assemble_file(long f) {
    long i = file_begin[f];
    long to = 0;
    enter_file(f);
    while (src[i]) {
        if (to >= ASM_TEXT_MAX - 2) fail("a file of assembly is too long");
        asm_text[to] = src[i];
        to = to + 1;
        i = i + 1;
    }
    asm_text[to] = 0;
    asm_text[to + 1] = 0;
    a_count = 0;
    asm_file = 1;
    token_line = 0;
    assemble();
    asm_file = 0;
    return 0;
}
