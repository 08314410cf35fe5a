// Source: files, and tokens read from them.
//
// A file is read whole into `src`, once, and backslash-newline pairs are removed at that moment (line numbers stay right because the
// removed newlines are put back after the joined line). `lex` then reads one token. Which tokens reach the compiler is the business of the
// preprocessor in the next two files.

enum {
    SRC_MAX = 16777216,
    FILE_MAX = 4096,
    INCLUDE_MAX = 64,
    PATH_MAX = 4096,

    // Kinds of token. A punctuator of one character is its own ASCII code.
    T_EOF = 0,
    T_NAME = 128, T_NUMBER, T_CHAR, T_STRING, T_OTHER,
    T_EOL,                    // end of a directive
    T_PARAM,                  // in a macro body: parameter number tok_name
    T_END,                    // end of a macro argument that is being expanded
    T_NOTHING,                // an empty argument next to ##
    T_ARROW, T_INC, T_DEC, T_SHL, T_SHR, T_LE, T_GE, T_EQ, T_NE, T_AND, T_OR, T_DOTS, T_PASTE,
    T_MUL_SET, T_DIV_SET, T_MOD_SET, T_ADD_SET, T_SUB_SET, T_SHL_SET, T_SHR_SET, T_AND_SET, T_XOR_SET, T_OR_SET,
    T_LAST,

    // Flags of a token.
    F_SPACE = 1,              // white space stands before it
    F_LINE = 2,               // it is the first on its line
    F_FIXED = 4               // a macro name that must not be expanded any more
};

char src[SRC_MAX];
long src_len;

long file_count;
long file_name[FILE_MAX];
long file_begin[FILE_MAX];
char file_missing[NAME_MAX];  // no file has this name: it is not searched again
long file_once[FILE_MAX];     // #pragma once: the unit in which it was read, or 0

// The position in the file being read, and the files that included it.
long at;
long at_line;                 // flag: no token of this line was read yet
long depth;
long inc_at[INCLUDE_MAX];
long inc_line[INCLUDE_MAX];
long inc_file[INCLUDE_MAX];
long inc_real[INCLUDE_MAX];
long inc_conditions[INCLUDE_MAX];
long inc_next[INCLUDE_MAX];
long include_next;            // of the file being read: the first -I folder behind the one that it was found in

long real_file;               // number of the file being read, whatever #line says
long token_at;                // where the token that was read last begins, and its line
long token_line;

long tok;                     // the token: kind, spelling, flags
long tok_name;
long tok_flags;

long in_directive;            // a newline ends the token stream with T_EOL

long punct_name[256];         // spelling of each punctuator
char path[PATH_MAX];

// Reads the file whose path is in `path`, zero-terminated; returns its number, or 0 if it cannot be opened.
long load_file(long name) {
    long f = 1;
    while (f <= file_count) {
        if (file_name[f] == name) return f;
        f = f + 1;
    }
    if (file_missing[name]) return 0;
    long fd = os_open(path, 0, 0);
    if (fd < 0) {
        file_missing[name] = 1;
        return 0;
    }
    file_count = file_count + 1;
    if (file_count >= FILE_MAX) fail("too many files");
    file_name[f] = name;
    file_begin[f] = src_len;
    long got = os_read(fd, src, src_len, SRC_MAX - src_len - 4);
    long end = src_len;
    while (got > 0) {
        end = end + got;
        got = os_read(fd, src, end, SRC_MAX - end - 4);
    }
    if (got < 0) {
        file_count = file_count - 1;
        return 0;
    }
    if (end >= SRC_MAX - 8) fail("too much source: more than 16 MiB");
    // Join continued lines in place.
    long from = src_len;
    long to = src_len;
    long removed = 0;
    while (from < end) {
        long c = src[from];
        if (c == 0) fail_name("a zero byte in", name);
        if (c == '\\' && src[from + 1] == '\n' && from + 1 < end) {
            removed = removed + 1;
            from = from + 2;
        } else {
            src[to] = c;
            to = to + 1;
            from = from + 1;
            if (c == '\n') {
                while (removed) {
                    src[to] = '\n';
                    to = to + 1;
                    removed = removed - 1;
                }
            }
        }
    }
    // Every line ends with a newline, the last one too.
    if (to > src_len && src[to - 1] != '\n') {
        src[to] = '\n';
        to = to + 1;
    }
    src[to] = 0;
    src_len = to + 1;
    return f;
}

long set_path(long name) {
    if (name_len[name] >= PATH_MAX) fail("path too long");
    long i = 0;
    while (i <= name_len[name]) {
        path[i] = text[name_start[name] + i];
        i = i + 1;
    }
    return 0;
}

// Continue reading at the beginning of file f.
long enter_file(long f) {
    at = file_begin[f];
    at_line = F_LINE;
    real_file = f;
    here_file = file_name[f];
    here_line = 1;
    return 0;
}

// Adds the line of the source to the message, with a mark below the token that was read last. Not if the error is elsewhere.
long say_source() {
    long begin = token_at;
    if (here_file == 0 || token_line != here_line || src[begin] == 0) return 0;
    while (begin > 0 && src[begin - 1] != '\n' && src[begin - 1] != 0) begin = begin - 1;
    long i = begin;
    say("    ");
    while (src[i] != '\n' && i < begin + 200) {
        say_byte(src[i]);
        i = i + 1;
    }
    say("\n    ");
    i = begin;
    while (i < token_at && i < begin + 200) {
        if (src[i] == '\t') say_byte('\t');
        else say_byte(' ');
        i = i + 1;
    }
    return say("^\n");
}

long is_letter(long c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

long is_digit(long c) {
    return c >= '0' && c <= '9';
}

// Skips a comment that begins at `at`.
long skip_comment() {
    if (src[at + 1] == '/') {
        while (src[at] != '\n') at = at + 1;
        return 0;
    }
    long first = here_line;
    at = at + 2;
    while (src[at] != '*' || src[at + 1] != '/') {
        if (src[at] == '\n') here_line = here_line + 1;
        if (src[at] == 0) {
            here_line = first;
            fail("unterminated comment");
        }
        at = at + 1;
    }
    at = at + 2;
    return 0;
}

// Takes the spelling from `from` up to `at`.
long take(long kind, long from) {
    long begin = text_len;
    while (from < at) {
        text_byte(src[from]);
        from = from + 1;
    }
    tok = kind;
    tok_name = intern(begin);
    return 0;
}

// Takes a punctuator of `len` bytes.
long punct(long kind, long len) {
    at = at + len;
    tok = kind;
    tok_name = punct_name[kind];
    return 0;
}

// A literal that begins at `from`, its quote at `at`; a prefix becomes part of its spelling.
long lex_quoted(long quote, long kind, long from) {
    at = at + 1;
    while (src[at] != quote) {
        if (src[at] == '\\') at = at + 1;
        if (src[at] == '\n') fail("unterminated string or character");
        at = at + 1;
    }
    at = at + 1;
    take(kind, from);
    return 0;
}

long lex_number() {
    long from = at;
    long more = 1;
    while (more) {
        long c = src[at];
        long d = src[at + 1];
        if ((c == 'e' || c == 'E' || c == 'p' || c == 'P') && (d == '+' || d == '-')) at = at + 2;
        else if (is_letter(c) || is_digit(c) || c == '.') at = at + 1;
        else more = 0;
    }
    return take(T_NUMBER, from);
}

long lex_punct(long c) {
    long d = src[at + 1];
    if (d == '=') {
        if (c == '=') return punct(T_EQ, 2);
        if (c == '!') return punct(T_NE, 2);
        if (c == '<') return punct(T_LE, 2);
        if (c == '>') return punct(T_GE, 2);
        if (c == '+') return punct(T_ADD_SET, 2);
        if (c == '-') return punct(T_SUB_SET, 2);
        if (c == '*') return punct(T_MUL_SET, 2);
        if (c == '/') return punct(T_DIV_SET, 2);
        if (c == '%') return punct(T_MOD_SET, 2);
        if (c == '&') return punct(T_AND_SET, 2);
        if (c == '|') return punct(T_OR_SET, 2);
        if (c == '^') return punct(T_XOR_SET, 2);
    }
    if (d == c) {
        if (c == '+') return punct(T_INC, 2);
        if (c == '-') return punct(T_DEC, 2);
        if (c == '&') return punct(T_AND, 2);
        if (c == '|') return punct(T_OR, 2);
        if (c == '#') return punct(T_PASTE, 2);
        if (c == '<') {
            if (src[at + 2] == '=') return punct(T_SHL_SET, 3);
            return punct(T_SHL, 2);
        }
        if (c == '>') {
            if (src[at + 2] == '=') return punct(T_SHR_SET, 3);
            return punct(T_SHR, 2);
        }
        if (c == '.' && src[at + 2] == '.') return punct(T_DOTS, 3);
    }
    if (c == '-' && d == '>') return punct(T_ARROW, 2);
    if (c > ' ' && c < 127 && punct_name[c]) return punct(c, 1);
    at = at + 1;
    return take(T_OTHER, at - 1);
}

// Is what stands from `from` up to `at` the prefix of a wide or Unicode literal: L, u, U or (of strings) u8?
long literal_prefix(long from) {
    long c = src[from];
    if (src[at] != '"' && src[at] != '\'') return 0;
    if (at - from == 1) return c == 'L' || c == 'u' || c == 'U';
    return at - from == 2 && c == 'u' && src[from + 1] == '8';
}

// Reads one token of the file: tok, tok_name, tok_flags.
long lex() {
    tok_flags = at_line;
    while (1) {
        long c = src[at];
        if (c == ' ' || c == '\t' || c == '\r' || c == 12 || c == 11) at = at + 1;
        else if (c == '\n') {
            if (in_directive) {
                tok = T_EOL;
                return 0;
            }
            at = at + 1;
            here_line = here_line + 1;
            tok_flags = F_LINE;
        } else if (c == '/' && (src[at + 1] == '*' || src[at + 1] == '/')) skip_comment();
        else {
            at_line = 0;
            token_at = at;
            token_line = here_line;
            if (c == 0) {
                tok = T_EOF;
                return 0;
            }
            if (is_letter(c)) {
                long from = at;
                while (is_letter(src[at]) || is_digit(src[at])) at = at + 1;
                if (literal_prefix(from)) {
                    long kind = T_STRING;
                    if (src[at] == '\'') kind = T_CHAR;
                    return lex_quoted(src[at], kind, from);
                }
                return take(T_NAME, from);
            }
            if (is_digit(c) || (c == '.' && is_digit(src[at + 1]))) return lex_number();
            if (c == '"') return lex_quoted('"', T_STRING, at);
            if (c == '\'') return lex_quoted('\'', T_CHAR, at);
            return lex_punct(c);
        }
        tok_flags = tok_flags | F_SPACE;
    }
}

long define_punct(long kind, char *s) {
    punct_name[kind] = name_of(s);
    return 0;
}

long init_source() {
    long c = 33;
    while (c < 127) {
        if (!is_letter(c) && !is_digit(c) && c != '"' && c != '\'' && c != '`' && c != '@' && c != '$' && c != '\\') {
            long from = text_len;
            text_byte(c);
            punct_name[c] = intern(from);
        }
        c = c + 1;
    }
    define_punct(T_ARROW, "->");
    define_punct(T_INC, "++");
    define_punct(T_DEC, "--");
    define_punct(T_SHL, "<<");
    define_punct(T_SHR, ">>");
    define_punct(T_LE, "<=");
    define_punct(T_GE, ">=");
    define_punct(T_EQ, "==");
    define_punct(T_NE, "!=");
    define_punct(T_AND, "&&");
    define_punct(T_OR, "||");
    define_punct(T_DOTS, "...");
    define_punct(T_PASTE, "##");
    define_punct(T_MUL_SET, "*=");
    define_punct(T_DIV_SET, "/=");
    define_punct(T_MOD_SET, "%=");
    define_punct(T_ADD_SET, "+=");
    define_punct(T_SUB_SET, "-=");
    define_punct(T_SHL_SET, "<<=");
    define_punct(T_SHR_SET, ">>=");
    define_punct(T_AND_SET, "&=");
    define_punct(T_XOR_SET, "^=");
    define_punct(T_OR_SET, "|=");
    return 0;
}
