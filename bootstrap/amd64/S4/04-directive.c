// Directives: #define, #include, #if and the others, and the stream of tokens that obeys them.

enum {
    INCLUDE_DIR_MAX = 64,
    CONDITION_MAX = 256
};

long include_dirs;
long include_dir[INCLUDE_DIR_MAX];
long conditions;
long condition_line[CONDITION_MAX];   // where the #if stands
long condition_else[CONDITION_MAX];   // #else was seen

long pp_unsigned;             // the value of an #if expression is unsigned

long w_define;                // names of the directives
long w_undef;
long w_include;
long w_include_next;
long w_if;
long w_ifdef;
long w_ifndef;
long w_elif;
long w_else;
long w_endif;
long w_error;
long w_warning;
long w_pragma;
long w_line;
long w_defined;
long w_va_args;
long w_pack;
long w_once;
long w_push;
long w_pop;
long w_has_include;

long unit_number;                    // which of the units is being compiled, from 1 on

// #pragma pack: the greatest alignment of members, or 0; and what `push` kept.
long pack_align;
long packs;
long pack_kept[CONDITION_MAX];

long parse_number(long name);  // 05-number.c
long parse_character(long name);  // 06-character.c
long number_unsigned();
long number_is_float();

long skip_line() {
    while (tok != T_EOL) lex();
    return 0;
}

long define_macro(long name, long kind) {
    macro_count = macro_count + 1;
    if (macro_count >= MACRO_MAX) fail("too many macros");
    long m = macro_count;
    m_name[m] = name;
    m_kind[m] = kind;
    m_params[m] = 0;
    m_begin[m] = body_end;
    m_end[m] = body_end;
    m_plain[m] = 1;
    m_busy[m] = 0;
    name_macro[name] = m;
    return m;
}

long body_token(long t) {
    if (body_end >= TEMP_BEGIN) fail("macro bodies too large");
    tl[body_end] = t;
    body_end = body_end + 1;
    return 0;
}

long same_body(long a, long b) {
    if (m_kind[a] != m_kind[b] || m_params[a] != m_params[b]) return 0;
    if (m_end[a] - m_begin[a] != m_end[b] - m_begin[b]) return 0;
    long i = 0;
    while (i < m_end[a] - m_begin[a]) {
        if (tl[m_begin[a] + i] != tl[m_begin[b] + i]) return 0;
        i = i + 1;
    }
    return 1;
}

// Parameter names of the macro being defined.
long param_name[256];

long read_params(long m) {
    long n = 0;
    m_kind[m] = M_FUNCTION;
    lex();
    while (tok != ')') {
        if (n >= 255) fail("too many macro parameters");
        if (tok == T_DOTS) {
            m_kind[m] = M_VARIADIC;
            param_name[n] = w_va_args;
            lex();
        } else {
            if (tok != T_NAME) fail("expected a macro parameter");
            param_name[n] = tok_name;
            lex();
            if (tok == T_DOTS) {
                m_kind[m] = M_VARIADIC;
                lex();
            }
        }
        n = n + 1;
        if (tok == ',' && m_kind[m] == M_FUNCTION) {
            lex();
            if (tok == ')') fail("expected a macro parameter");
        } else if (tok != ')') fail("expected ')' after macro parameters");
    }
    m_params[m] = n;
    return 0;
}

long directive_define() {
    lex();
    if (tok != T_NAME || tok_name == w_defined) fail("expected a macro name");
    long name = tok_name;
    long old = name_macro[name];
    long m = define_macro(name, M_OBJECT);
    if (src[at] == '(') {
        lex();
        read_params(m);
        m_plain[m] = 0;
    }
    lex();
    while (tok != T_EOL) {
        long t = pack(tok, tok_flags & F_SPACE, tok_name);
        if (body_end == m_begin[m]) t = pack(tok, 0, tok_name);
        long i = 0;
        while (i < m_params[m]) {
            if (tok == T_NAME && tok_name == param_name[i]) t = pack(T_PARAM, token_flags(t), i);
            i = i + 1;
        }
        if (tok == T_PASTE) m_plain[m] = 0;
        if (tok == T_NAME && tok_name == w_va_args && token_kind(t) != T_PARAM) fail("__VA_ARGS__ outside a variadic macro");
        body_token(t);
        lex();
    }
    m_end[m] = body_end;
    if (old) {
        if (m_kind[old] > M_VARIADIC) fail_name("this macro cannot be defined anew:", name);
        if (same_body(old, m)) name_macro[name] = old;
        else {
            warn("macro defined twice with different bodies '");
            say_name(name);
            say("'; the later counts");
            end_warning();
        }
    }
    return 0;
}

long directive_undef() {
    lex();
    if (tok != T_NAME) fail("expected a macro name");
    name_macro[tok_name] = 0;
    lex();
    return 0;
}

// The file `name` in the directory whose name is dir (0: the working directory); its number or 0.
long find_file(long dir, long name) {
    long from = text_len;
    if (dir) {
        text_name(dir);
        text_byte('/');
    }
    text_name(name);
    long full = intern(from);
    set_path(full);
    return load_file(full);
}

long directory_of(long name) {
    long i = name_len[name];
    while (i > 0 && text[name_start[name] + i - 1] != '/') i = i - 1;
    if (i == 0) return 0;
    long from = text_len;
    long j = 0;
    while (j < i - 1) {
        text_byte(text[name_start[name] + j]);
        j = j + 1;
    }
    return intern(from);
}

long found_dir;               // of find_header: the first -I folder behind the one where it was

// Reads the name of a header after #include or within __has_include(...) and searches it: its file, or 0; found_name is what was named.
// is_next: the search begins behind the folder of this file.
long found_name;

long find_header(long is_next) {
    while (src[at] == ' ' || src[at] == '\t') at = at + 1;
    long f = 0;
    long d = 0;
    long name = 0;
    long from = 0;
    long quote = src[at];
    if (quote == '"' || quote == '<') {
        if (quote == '<') quote = '>';
        at = at + 1;
        from = at;
        while (src[at] != quote) {
            if (src[at] == '\n') fail("expected a file name after #include");
            at = at + 1;
        }
        take(T_STRING, from);
        name = tok_name;
        at = at + 1;
    } else {
        expand();
        if (tok != T_STRING) fail("expected a file name after #include");
        from = text_len;
        long i = 1;
        while (i < name_len[tok_name] - 1) {
            text_byte(text[name_start[tok_name] + i]);
            i = i + 1;
        }
        name = intern(from);
        quote = '"';
    }
    lex();
    if (text[name_start[name]] == '/') f = find_file(0, name);
    else {
        if (quote == '"' && !is_next) f = find_file(directory_of(file_name[real_file]), name);
        if (is_next) d = include_next;
        while (f == 0 && d < include_dirs) {
            f = find_file(include_dir[d], name);
            d = d + 1;
        }
    }
    found_dir = d;
    found_name = name;
    return f;
}

long directive_include(long is_next) {
    long f = find_header(is_next);
    if (tok != T_EOL) fail("unexpected text after #include");
    if (f == 0) fail_name("cannot open the file", found_name);
    if (file_once[f] == unit_number) return 0;
    if (depth >= INCLUDE_MAX - 1) fail("files included too deeply");
    inc_at[depth] = at;
    inc_line[depth] = here_line;
    inc_file[depth] = here_file;
    inc_conditions[depth] = conditions;
    inc_next[depth] = include_next;
    inc_real[depth] = real_file;
    include_next = found_dir;
    depth = depth + 1;
    enter_file(f);
    return 0;
}

long pp_expression();

long pp_primary() {
    long v = 0;
    if (tok == T_NUMBER) {
        v = parse_number(tok_name);
        if (number_is_float()) fail("floating number in #if");
        pp_unsigned = number_unsigned();
        expand();
        return v;
    }
    pp_unsigned = 0;
    if (tok == T_CHAR) {
        v = parse_character(tok_name);
        expand();
        return v;
    }
    if (tok == T_NAME) {
        if (tok_name == w_defined) {
            raw();
            long parenthesis = tok == '(';
            if (parenthesis) raw();
            if (tok != T_NAME) fail("expected a name after 'defined'");
            v = name_macro[tok_name] != 0 || tok_name == w_has_include;
            if (parenthesis) {
                raw();
                if (tok != ')') fail("expected ')' after 'defined'");
            }
        }
        if (tok_name == w_has_include) {
            lex();
            if (st || tok != '(') fail("expected '(' after __has_include");
            v = find_header(0) != 0;
            if (tok != ')') fail("expected ')' after __has_include");
        }
        expand();
        return v;
    }
    if (tok == '(') {
        expand();
        v = pp_expression();
        if (tok != ')') fail("expected ')' in #if");
        expand();
        return v;
    }
    return fail("bad expression in #if");
}

long pp_unary() {
    long op = tok;
    deeper();
    long v = 0;
    if (op == '-' || op == '+' || op == '~' || op == '!') {
        expand();
        v = pp_unary();
        shallower(0);
        if (op == '-') return 0 - v;
        if (op == '~') return ~v;
        if (op == '+') return v;
        pp_unsigned = 0;
        return v == 0;
    }
    return shallower(pp_primary());
}

// How tightly a binary operator binds, 0 if the token is none.
long precedence(long op) {
    if (op == '*' || op == '/' || op == '%') return 10;
    if (op == '+' || op == '-') return 9;
    if (op == T_SHL || op == T_SHR) return 8;
    if (op == '<' || op == '>' || op == T_LE || op == T_GE) return 7;
    if (op == T_EQ || op == T_NE) return 6;
    if (op == '&') return 5;
    if (op == '^') return 4;
    if (op == '|') return 3;
    if (op == T_AND) return 2;
    if (op == T_OR) return 1;
    return 0;
}

// The value of a op b in 64 bits; is_unsigned: both were converted to an unsigned type.
long calculate(long op, long a, long b, long is_unsigned) {
    if (op == '+') return a + b;
    if (op == '-') return a - b;
    if (op == '*') return a * b;
    if (op == '/' || op == '%') {
        if (b == 0) fail("division by zero in a constant expression");
        long q = 0;
        if (is_unsigned) q = udiv(a, b);
        else if (b == -1) q = 0 - a;
        else q = a / b;
        if (op == '/') return q;
        return a - q * b;
    }
    if (op == T_SHL) return a << (b & 63);
    if (op == T_SHR && is_unsigned) return ushr(a, b & 63);
    if (op == T_SHR) return a >> (b & 63);
    if (op == '&') return a & b;
    if (op == '^') return a ^ b;
    if (op == '|') return a | b;
    if (op == T_EQ) return a == b;
    if (op == T_NE) return a != b;
    if (op == T_AND) return a && b;
    if (op == T_OR) return a || b;
    if (op == '>') return calculate('<', b, a, is_unsigned);
    if (op == T_GE) return !calculate('<', a, b, is_unsigned);
    if (op == T_LE) return !calculate('<', b, a, is_unsigned);
    if (is_unsigned) return below(a, b);
    return a < b;
}

long pp_binary(long least) {
    long v = pp_unary();
    long p = precedence(tok);
    while (p >= least && p > 0) {
        long op = tok;
        long u = pp_unsigned;
        expand();
        long w = pp_binary(p + 1);
        u = u | pp_unsigned;
        if (p == 8) u = 0;
        if ((op == '/' || op == '%') && w == 0) {
            // The unevaluated side of && and || may divide by zero: give any value, the other side decides.
            if (least > 2) return 0;
            fail("division by zero in #if");
        }
        v = calculate(op, v, w, u);
        pp_unsigned = u && p > 7;
        if (p < 6 && p > 2) pp_unsigned = u;
        p = precedence(tok);
    }
    return v;
}

long pp_expression() {
    long v = pp_binary(1);
    if (tok != '?') return v;
    deeper();
    expand();
    long a = pp_expression();
    if (tok != ':') fail("expected ':' in #if");
    expand();
    long b = pp_expression();
    shallower(0);
    if (v) return a;
    return b;
}

long pp_condition() {
    expand();
    long v = pp_expression();
    if (tok != T_EOL) fail("unexpected text after the #if expression");
    return v != 0;
}

// Goes to the next directive line at this depth of #if without looking at tokens; leaves `at` behind the '#'.
long skip_to_directive() {
    while (1) {
        while (src[at] == ' ' || src[at] == '\t') at = at + 1;
        if (src[at] == '#') {
            at = at + 1;
            return 0;
        }
        while (src[at] != '\n') {
            long c = src[at];
            if (c == '/' && (src[at + 1] == '*' || src[at + 1] == '/')) skip_comment();
            else if (c == '"' || c == '\'') {
                at = at + 1;
                while (src[at] != c && src[at] != '\n') {
                    if (src[at] == '\\' && src[at + 1] != '\n') at = at + 1;
                    at = at + 1;
                }
                if (src[at] == c) at = at + 1;
            } else at = at + 1;
        }
        at = at + 1;
        here_line = here_line + 1;
        if (src[at] == 0) {
            here_line = condition_line[conditions];
            fail("#if without #endif");
        }
    }
}

// Skips groups whose condition is false. may_take: a later #elif or #else may still be chosen.
long skip_group(long may_take) {
    long nested = 0;
    while (1) {
        skip_line();
        at = at + 1;
        here_line = here_line + 1;
        if (src[at] == 0) {
            here_line = condition_line[conditions];
            fail("#if without #endif");
        }
        skip_to_directive();
        lex();
        if (tok == T_NAME) {
            if (tok_name == w_if || tok_name == w_ifdef || tok_name == w_ifndef) nested = nested + 1;
            else if (tok_name == w_endif) {
                if (nested == 0) {
                    conditions = conditions - 1;
                    lex();
                    return 0;
                }
                nested = nested - 1;
            } else if (nested == 0 && (tok_name == w_else || tok_name == w_elif)) {
                if (condition_else[conditions]) fail("#else or #elif after #else");
                if (tok_name == w_else) {
                    condition_else[conditions] = 1;
                    lex();
                    if (may_take) return 0;
                } else if (may_take) {
                    if (pp_condition()) return 0;
                }
            }
        }
    }
}

long open_condition(long holds) {
    conditions = conditions + 1;
    if (conditions >= CONDITION_MAX) fail("#if nested too deeply");
    condition_line[conditions] = here_line;
    condition_else[conditions] = 0;
    if (!holds) skip_group(1);
    return 0;
}

long directive_error() {
    say_place(here_file, here_line);
    say("#error");
    while (src[at] != '\n') {
        say_byte(src[at]);
        at = at + 1;
    }
    return stop();
}

// #pragma pack(...), up to the ')'. It changes the layout of structs that end behind it.
long pragma_pack() {
    lex();
    if (tok != '(') fail("expected '(' after #pragma pack");
    lex();
    if (tok == ')') pack_align = 0;
    while (tok != ')') {
        if (tok == T_NAME && tok_name == w_push) {
            if (packs >= CONDITION_MAX) fail("#pragma pack pushed too often");
            pack_kept[packs] = pack_align;
            packs = packs + 1;
        } else if (tok == T_NAME && tok_name == w_pop) {
            if (packs == 0) fail("#pragma pack popped too often");
            packs = packs - 1;
            pack_align = pack_kept[packs];
        } else {
            if (tok != T_NUMBER) fail("expected push, pop or a number in #pragma pack");
            long v = parse_number(tok_name);
            if (v < 1 || v > 16 || v & (v - 1)) fail("bad alignment");
            pack_align = v;
        }
        lex();
        if (tok == ',') lex();
        else if (tok != ')') fail("expected ')' after #pragma pack");
    }
    return lex();
}

long directive_pragma() {
    lex();
    if (tok == T_NAME && tok_name == w_pack) return pragma_pack();
    if (tok == T_NAME && tok_name == w_once) file_once[real_file] = unit_number;
    return skip_line();
}

// _Pragma: those that change nothing are forgotten.
long obey_pragma(long name) {
    long i = name_start[name] + 1;
    long p = name_start[w_pack];
    while (text[i] == ' ') i = i + 1;
    if (text_equal(i, p, 4)) fail("_Pragma(\"pack\") is not supported");
    return 0;
}

// #line NUMBER "FILE": what messages and __LINE__ say of the next line.
long directive_line() {
    if (tok == T_NAME) expand();
    if (tok != T_NUMBER) fail("expected a number after #line");
    long line = parse_number(tok_name);
    expand();
    if (tok == T_STRING) {
        long from = text_len;
        long i = 1;
        while (i < name_len[tok_name] - 1) {
            text_byte(text[name_start[tok_name] + i]);
            i = i + 1;
        }
        here_file = intern(from);
    }
    here_line = line - 1;
    return skip_line();
}

// Obeys the directive whose '#' was just read.
long directive() {
    in_directive = 1;
    lex();
    long d = tok_name;
    if (tok == T_EOL) {
        in_directive = 0;
        return 0;
    }
    if (tok == T_NUMBER) {
        // What other preprocessors leave: a line of theirs.
        directive_line();
        in_directive = 0;
        return 0;
    }
    if (tok != T_NAME) fail("expected a directive after '#'");
    if (d == w_define) directive_define();
    else if (d == w_undef) directive_undef();
    else if (d == w_include || d == w_include_next) {
        directive_include(d == w_include_next);
        in_directive = 0;
        return 0;
    } else if (d == w_if) open_condition(pp_condition());
    else if (d == w_ifdef || d == w_ifndef) {
        lex();
        if (tok != T_NAME) fail("expected a name after #ifdef or #ifndef");
        long known = name_macro[tok_name] != 0 || tok_name == w_has_include;
        long holds = known == (d == w_ifdef);
        lex();
        open_condition(holds);
    } else if (d == w_elif || d == w_else) {
        if (conditions <= 0) fail("#else or #elif without #if");
        if (condition_else[conditions]) fail("#else or #elif after #else");
        if (d == w_else) condition_else[conditions] = 1;
        skip_group(0);
    } else if (d == w_endif) {
        if (conditions <= 0) fail("#endif without #if");
        conditions = conditions - 1;
        lex();
    } else if (d == w_error) directive_error();
    else if (d == w_pragma) directive_pragma();
    else if (d == w_line) directive_line();
    else if (d == w_warning) {
        warn("");
        while (src[at] != '\n') {
            say_byte(src[at]);
            at = at + 1;
        }
        end_warning();
        lex();
    } else fail_name("unsupported directive", d);
    if (tok != T_EOL) fail_name("unexpected text after directive", d);
    in_directive = 0;
    return 0;
}

// Next token of the file. At the end of an included file the including one goes on.
long next_line_token() {
    while (1) {
        lex();
        if (in_directive) return 0;
        if (tok == '#' && tok_flags & F_LINE) directive();
        else if (tok == T_EOF && depth) {
            depth = depth - 1;
            if (conditions != inc_conditions[depth]) {
                here_line = condition_line[conditions];
                fail("#if without #endif in this file");
            }
            at = inc_at[depth];
            here_file = inc_file[depth];
            here_line = inc_line[depth];
            include_next = inc_next[depth];
            real_file = inc_real[depth];
            at_line = F_LINE;
        } else {
            if (tok == T_EOF && conditions) {
                here_line = condition_line[conditions];
                fail("#if without #endif");
            }
            // Messages about the end name the last line.
            if (tok == T_EOF && here_line > 1) here_line = here_line - 1;
            return 0;
        }
    }
}

long init_directive() {
    w_define = name_of("define");
    w_undef = name_of("undef");
    w_include = name_of("include");
    w_include_next = name_of("include_next");
    w_if = name_of("if");
    w_ifdef = name_of("ifdef");
    w_ifndef = name_of("ifndef");
    w_elif = name_of("elif");
    w_else = name_of("else");
    w_endif = name_of("endif");
    w_error = name_of("error");
    w_warning = name_of("warning");
    w_pragma = name_of("pragma");
    w_line = name_of("line");
    w_defined = name_of("defined");
    w_va_args = name_of("__VA_ARGS__");
    w_va_opt = name_of("__VA_OPT__");
    w_pack = name_of("pack");
    w_once = name_of("once");
    w_push = name_of("push");
    w_pop = name_of("pop");
    w_has_include = name_of("__has_include");
    return 0;
}
