// Macros: definition bodies, arguments, # and ##, and the stream of expanded tokens.
//
// A token in a list is one number: kind, flags and name packed together. `tl` holds three areas: the bodies of all macros, results of
// expansion (dropped when the file is being read again), and arguments (a stack: nested calls use the space above and give it back).
// Results are read by pushing them on the stack of sources `st`; below that stack lies the file. A macro is busy while its result is on
// the stack; its name met meanwhile is fixed and never expanded again.

enum {
    MACRO_MAX = 65536,
    LIST_MAX = 2097152,
    TEMP_BEGIN = 524288,
    ARGUMENT_BEGIN = 1572864,
    STACK_MAX = 4096,
    ARG_MAX = 8192,

    M_OBJECT = 0, M_FUNCTION, M_VARIADIC, M_FILE, M_LINE, M_COUNTER, M_PRAGMA
};

long tl[LIST_MAX];
long body_end;                // end of the bodies
long temp_end;                // end of the results
long argument_end;            // end of the arguments

long macro_count;
long m_name[MACRO_MAX];
long m_kind[MACRO_MAX];
long m_params[MACRO_MAX];     // number of parameters, the ... included
long m_begin[MACRO_MAX];      // body
long m_end[MACRO_MAX];
long m_plain[MACRO_MAX];      // the body has no ## and no parameters: it can be read as it is
long m_busy[MACRO_MAX];

long st;                      // sources on the stack
long st_at[STACK_MAX];
long st_end[STACK_MAX];
long st_macro[STACK_MAX];     // its macro; -1: reading its end gives T_END
long counter;                 // __COUNTER__ in this unit
long w_va_opt;
long collecting;              // macro calls whose arguments are being read

long arg_count;
long arg_begin[ARG_MAX];      // tokens of each argument
long arg_end[ARG_MAX];
long arg_full_begin[ARG_MAX]; // the same, expanded
long arg_full_end[ARG_MAX];

long next_line_token();       // 04-directive.c: next token of the file, directives obeyed
long obey_pragma(long name);  // and what _Pragma("...") does

long token_kind(long t) {
    return t & 511;
}

long token_flags(long t) {
    return (t >> 9) & 7;
}

long token_name(long t) {
    return t >> 12;
}

long pack(long kind, long flags, long name) {
    return kind | (flags << 9) | (name << 12);
}

long temp_token(long t) {
    if (temp_end >= ARGUMENT_BEGIN) fail("macro expansion too large");
    tl[temp_end] = t;
    temp_end = temp_end + 1;
    return 0;
}

long argument_token(long t) {
    if (argument_end >= LIST_MAX) fail("macro arguments too large");
    tl[argument_end] = t;
    argument_end = argument_end + 1;
    return 0;
}

long push_source(long begin, long end, long macro) {
    st = st + 1;
    if (st >= STACK_MAX) fail("macros nested too deeply");
    st_at[st] = begin;
    st_end[st] = end;
    st_macro[st] = macro;
    if (macro > 0) m_busy[macro] = 1;
    return 0;
}

long pop_source() {
    if (st_macro[st] > 0) m_busy[st_macro[st]] = 0;
    st = st - 1;
    return 0;
}

// Next token without expansion.
long raw() {
    while (st) {
        if (st_at[st] < st_end[st]) {
            long t = tl[st_at[st]];
            st_at[st] = st_at[st] + 1;
            tok = token_kind(t);
            tok_flags = token_flags(t);
            tok_name = token_name(t);
            if (tok == T_NAME) {
                if (m_busy[name_macro[tok_name]]) tok_flags = tok_flags | F_FIXED;
            }
            return 0;
        }
        if (st_macro[st] < 0) {
            tok = T_END;
            return 0;
        }
        pop_source();
    }
    return next_line_token();
}

// Is the next token an opening parenthesis? Looks past the end of macro results and of lines.
long at_parenthesis() {
    while (st) {
        if (st_at[st] < st_end[st]) return token_kind(tl[st_at[st]]) == '(';
        if (st_macro[st] < 0) return 0;
        pop_source();
    }
    long i = at;
    while (1) {
        long c = src[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == 11 || c == 12 || (c == '\n' && !in_directive)) i = i + 1;
        else if (c == '/' && src[i + 1] == '*') {
            i = i + 2;
            while (src[i] && (src[i] != '*' || src[i + 1] != '/')) i = i + 1;
            if (src[i]) i = i + 2;
        } else if (c == '/' && src[i + 1] == '/') {
            while (src[i] != '\n') i = i + 1;
        } else return c == '(';
    }
}

long expand();

// Reads the arguments of macro m, from its '(' to its ')'. They become arguments first .. arg_count.
long collect(long m, long first) {
    long nested = 0;
    long line = here_line;
    collecting = collecting + 1;
    raw();
    arg_count = first + 1;
    if (arg_count + m_params[m] >= ARG_MAX) fail("too many macro arguments");
    arg_begin[first] = argument_end;
    raw();
    while (tok != ')' || nested) {
        if (tok == T_EOF || tok == T_END || tok == T_EOL) {
            here_line = line;
            fail_name("unterminated call of macro", m_name[m]);
        }
        if (tok == ',' && nested == 0 && (m_kind[m] != M_VARIADIC || arg_count - first < m_params[m])) {
            arg_end[arg_count - 1] = argument_end;
            if (arg_count >= ARG_MAX - 1) fail("too many macro arguments");
            arg_begin[arg_count] = argument_end;
            arg_count = arg_count + 1;
        } else {
            if (tok == '(') nested = nested + 1;
            if (tok == ')') nested = nested - 1;
            if (tok_flags & F_LINE) tok_flags = tok_flags - F_LINE;
            argument_token(pack(tok, tok_flags, tok_name));
        }
        raw();
    }
    arg_end[arg_count - 1] = argument_end;
    long given = arg_count - first;
    if (m_params[m] == 0 && given == 1 && arg_begin[first] == arg_end[first]) {
        given = 0;
        arg_count = first;
    }
    if (m_kind[m] == M_VARIADIC && given == m_params[m] - 1) {
        arg_begin[arg_count] = argument_end;
        arg_end[arg_count] = argument_end;
        arg_count = arg_count + 1;
        given = given + 1;
    }
    if (given != m_params[m]) fail_name("wrong number of arguments for macro", m_name[m]);
    collecting = collecting - 1;
    return 0;
}

// Expands each argument by itself.
long expand_arguments(long first) {
    long a = first;
    long end = arg_count;
    collecting = collecting + 1;
    while (a < end) {
        arg_full_begin[a] = argument_end;
        push_source(arg_begin[a], arg_end[a], -1);
        expand();
        while (tok != T_END) {
            argument_token(pack(tok, tok_flags, tok_name));
            expand();
        }
        st = st - 1;
        arg_full_end[a] = argument_end;
        a = a + 1;
    }
    collecting = collecting - 1;
    return 0;
}

// The operator #: one string of the spelling of tokens begin .. end.
long stringize(long begin, long end, long flags) {
    long i = begin;
    long from = text_len;
    text_byte('"');
    while (i < end) {
        long t = tl[i];
        long k = token_kind(t);
        if (i > begin && token_flags(t) & F_SPACE) text_byte(' ');
        long j = name_start[token_name(t)];
        long stop_at = j + name_len[token_name(t)];
        while (j < stop_at) {
            if ((k == T_STRING || k == T_CHAR) && (text[j] == '"' || text[j] == '\\')) text_byte('\\');
            text_byte(text[j]);
            j = j + 1;
        }
        i = i + 1;
    }
    text_byte('"');
    long name = intern(from);
    return temp_token(pack(T_STRING, flags, name));
}

// The operator ##: replaces the tokens at i and i + 1 of the result by the one token that their joined spelling is.
long paste(long i) {
    long a = tl[i];
    long b = tl[i + 1];
    long joined = a;
    if (token_kind(a) == T_NOTHING) joined = b;
    else if (token_kind(b) != T_NOTHING) {
        long old_at = at;
        long old_line = at_line;
        long old_token = token_at;
        long from = text_len;
        text_name(token_name(a));
        text_name(token_name(b));
        long j = from;
        if (text_len - from > SRC_MAX - 8 - src_len) fail("too much source: more than 16 MiB");
        at = src_len;
        while (j < text_len) {
            src[at] = text[j];
            at = at + 1;
            j = j + 1;
        }
        src[at] = '\n';
        src[at + 1] = 0;
        text_len = from;
        long end = at;
        at = src_len;
        at_line = 0;
        lex();
        if (at != end) fail_name("## does not make one token of what begins with", token_name(a));
        // A new token: that its left part was not to be expanded says nothing about it.
        joined = pack(tok, token_flags(a) & (F_SPACE | F_LINE), tok_name);
        at = old_at;
        at_line = old_line;
        token_at = old_token;
    }
    tl[i] = joined;
    i = i + 1;
    while (i + 1 < temp_end) {
        tl[i] = tl[i + 1];
        i = i + 1;
    }
    temp_end = temp_end - 1;
    return 0;
}

// Copies tokens into the result. The first one takes the white space of the parameter.
long copy_tokens(long begin, long end, long flags) {
    long i = begin;
    while (i < end) {
        long t = tl[i];
        if (i == begin) t = pack(token_kind(t), (token_flags(t) & F_FIXED) | flags, token_name(t));
        temp_token(t);
        i = i + 1;
    }
    return 0;
}

// Where the parenthesis ends that opens at token i of a body.
long closing(long i, long end) {
    long nested = 0;
    while (i < end) {
        if (token_kind(tl[i]) == '(') nested = nested + 1;
        if (token_kind(tl[i]) == ')') nested = nested - 1;
        if (nested == 0) return i;
        i = i + 1;
    }
    return fail("expected '(' and ')' after __VA_OPT__");
}

// __VA_OPT__ at token i of the body of macro m: the token at which to go on. What it holds counts if there are arguments for the `...`;
// its closing parenthesis is then met later and left out, see va_opt_end.
long va_opt_end;

long va_opt(long m, long i, long first) {
    long end = closing(i + 1, m_end[m]);
    long rest = first + m_params[m] - 1;
    if (m_kind[m] != M_VARIADIC) fail("__VA_OPT__ outside a variadic macro");
    if (i > m_begin[m] && (token_kind(tl[i - 1]) == T_PASTE || token_kind(tl[i - 1]) == '#')) fail("# or ## before __VA_OPT__ is not supported");
    if (end + 1 < m_end[m] && token_kind(tl[end + 1]) == T_PASTE) fail("## after __VA_OPT__ is not supported");
    if (end > i + 2 && (token_kind(tl[i + 2]) == T_PASTE || token_kind(tl[end - 1]) == T_PASTE)) fail("## at the edge of __VA_OPT__");
    if (arg_full_begin[rest] == arg_full_end[rest]) return end + 1;
    va_opt_end = end;
    return i + 2;
}

// Puts the body of macro m with its arguments in place into the result.
long substitute(long m, long first) {
    long i = m_begin[m];
    long end = m_end[m];
    long begin = temp_end;
    long joint = -1;              // where the right side of a ## begins, or -1
    long space = 0;               // before a __VA_OPT__: it belongs to what comes next
    va_opt_end = -1;
    while (i < end) {
        while (i < end && (i == va_opt_end || (token_kind(tl[i]) == T_NAME && token_name(tl[i]) == w_va_opt))) {
            if (i == va_opt_end) i = i + 1;
            else {
                space = token_flags(tl[i]);
                i = va_opt(m, i, first);
            }
        }
        if (i == end) break;
        long t = tl[i] | (space << 9);
        space = 0;
        long k = token_kind(t);
        long a = first + token_name(t);
        long pasted_left = joint >= 0;
        long pasted_right = 0;
        long follows = 0;
        if (i + 1 < end) {
            follows = tl[i + 1];
            pasted_right = token_kind(follows) == T_PASTE;
        }
        if (k == T_PASTE) {
            if (temp_end == begin || i + 1 == end) fail_name("## at the edge of macro", m_name[m]);
            joint = temp_end;
            long is_rest = m_kind[m] == M_VARIADIC && token_kind(follows) == T_PARAM && token_name(follows) == m_params[m] - 1;
            if (is_rest && token_kind(tl[temp_end - 1]) == ',') {
                // ", ## __VA_ARGS__": the comma goes when there are no such arguments, and nothing is joined.
                joint = -1;
                a = first + m_params[m] - 1;
                if (arg_begin[a] == arg_end[a]) temp_end = temp_end - 1;
            }
        } else {
            if (k == '#' && token_kind(follows) == T_PARAM && m_kind[m] != M_OBJECT) {
                a = first + token_name(follows);
                stringize(arg_begin[a], arg_end[a], token_flags(t));
                i = i + 1;
                pasted_right = 0;
                if (i + 1 < end) pasted_right = token_kind(tl[i + 1]) == T_PASTE;
            } else if (k == T_PARAM && (pasted_left || pasted_right)) {
                copy_tokens(arg_begin[a], arg_end[a], token_flags(t));
                if (arg_begin[a] == arg_end[a]) temp_token(T_NOTHING);
            } else if (k == T_PARAM) copy_tokens(arg_full_begin[a], arg_full_end[a], token_flags(t));
            else temp_token(t);
            if (pasted_left) paste(joint - 1);
            joint = -1;
        }
        i = i + 1;
    }
    // Empty arguments that met no other token vanish.
    long to = begin;
    i = begin;
    while (i < temp_end) {
        if (token_kind(tl[i]) != T_NOTHING) {
            tl[to] = tl[i];
            to = to + 1;
        }
        i = i + 1;
    }
    temp_end = to;
    return begin;
}

// Next token after macro expansion.
long expand() {
    while (1) {
        if (st == 0 && collecting == 0) temp_end = TEMP_BEGIN;
        raw();
        if (tok != T_NAME) return 0;
        long m = name_macro[tok_name];
        if (m == 0 || tok_flags & F_FIXED) return 0;
        long flags = tok_flags & (F_SPACE | F_LINE);
        long begin = temp_end;
        if (m_kind[m] == M_FILE) {
            tok = T_STRING;
            long from = text_len;
            text_byte('"');
            text_name(here_file);
            text_byte('"');
            tok_name = intern(from);
            return 0;
        }
        if (m_kind[m] == M_LINE) {
            tok = T_NUMBER;
            tok_name = name_of_number(here_line);
            return 0;
        }
        if (m_kind[m] == M_COUNTER) {
            tok = T_NUMBER;
            tok_name = name_of_number(counter);
            counter = counter + 1;
            return 0;
        }
        if (m_kind[m] == M_PRAGMA) {
            raw();
            if (tok == '(') raw();
            long pragma = tok_name;
            if (tok != T_STRING) fail("expected a string in parentheses after _Pragma");
            raw();
            if (tok != ')') fail("expected ')' after _Pragma");
            if (collecting) fail("_Pragma in the arguments of a macro is not supported");
            obey_pragma(pragma);
            begin = -1;
        } else if (m_kind[m] == M_OBJECT && m_plain[m]) push_source(m_begin[m], m_end[m], m);
        else if (m_kind[m] == M_OBJECT) {
            begin = substitute(m, 0);
            push_source(begin, temp_end, m);
        } else {
            if (!at_parenthesis()) return 0;
            long first = arg_count;
            long old_end = argument_end;
            collect(m, first);
            expand_arguments(first);
            begin = substitute(m, first);
            arg_count = first;
            argument_end = old_end;
            push_source(begin, temp_end, m);
        }
        if (begin >= 0 && flags && st_at[st] < st_end[st]) {
            // The first token of the result stands where the name stood. Bodies are read more than once, so this one is copied.
            long t = tl[st_at[st]];
            if (st_at[st] >= TEMP_BEGIN) tl[st_at[st]] = pack(token_kind(t), token_flags(t) | flags, token_name(t));
        }
    }
}
