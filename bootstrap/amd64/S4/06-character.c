// Characters: escapes in literals, UTF-8, wide characters, and the contents of strings.
//
// A string is read into a list of numbers, one for each of its elements. What an element is, its prefix says: a byte without one and with
// u8, 16 bits with u, 32 bits with U and L. The source is UTF-8; strings of bytes keep it as it is, the others have what it stands for.

enum {
    STRING_MAX = 4194304,
    PART_MAX = 65536,

    // Kinds of literal.
    L_PLAIN = 0, L_BYTES, L_16, L_32, L_WIDE
};

long string[STRING_MAX];      // the elements of the string literals just read, joined; a zero behind them
long string_len;
long string_kind;
long string_parts;
long string_part[PART_MAX];   // the literals to join

long escape_end;              // where the character read by escape ends
long escape_universal;        // it was written as \u or \U

// The kind of the literal `name`; its quote is at text[escape_end].
long literal_kind(long name) {
    long i = name_start[name];
    long kind = L_PLAIN;
    if (text[i] == 'L') kind = L_WIDE;
    if (text[i] == 'U') kind = L_32;
    if (text[i] == 'u') kind = L_16;
    if (text[i] == 'u' && text[i + 1] == '8') kind = L_BYTES;
    escape_end = i + (kind != L_PLAIN) + (kind == L_BYTES);
    return kind;
}

long most_of_kind(long kind) {
    if (kind == L_16) return 65535;
    if (kind == L_32 || kind == L_WIDE) return 0xffffffff;
    return 255;
}

// The number of `digits` hexadecimal digits at text[i].
long universal(long i, long digits) {
    long v = 0;
    long end = i + digits;
    while (i < end) {
        if (digit_value(text[i]) > 15) fail("a universal character name without all its digits");
        v = v * 16 + digit_value(text[i]);
        i = i + 1;
    }
    if (v > 0x10ffff || (v >= 0xd800 && v < 0xe000)) fail("a universal character name that is no character");
    escape_end = end;
    escape_universal = 1;
    return v;
}

// The value of the (maybe escaped) character at text[i], an element of at most `most`; plain bytes are 0..255.
long escape(long i, long most) {
    long c = text[i] & 255;
    escape_end = i + 1;
    escape_universal = 0;
    if (c != '\\') return c;
    c = text[i + 1];
    escape_end = i + 2;
    if (c == 'n') return '\n';
    if (c == 't') return '\t';
    if (c == 'r') return '\r';
    if (c == 'a') return 7;
    if (c == 'b') return 8;
    if (c == 'f') return 12;
    if (c == 'v') return 11;
    if (c == 'e') return 27;
    if (c == '\\' || c == '\'' || c == '"' || c == '?') return c;
    if (c == 'u') return universal(i + 2, 4);
    if (c == 'U') return universal(i + 2, 8);
    long v = 0;
    long n = 0;
    if (c == 'x') {
        while (digit_value(text[i + 2 + n]) < 16) {
            v = v * 16 + digit_value(text[i + 2 + n]);
            if (v > most) fail("character escape too large for its literal");
            n = n + 1;
        }
        if (n == 0) fail("\\x without digits");
        escape_end = i + 2 + n;
        return v;
    }
    while (n < 3 && digit_value(text[i + 1 + n]) < 8) {
        v = v * 8 + digit_value(text[i + 1 + n]);
        n = n + 1;
    }
    if (n == 0) fail("unknown escape in a string or character");
    if (v > most) fail("character escape too large for its literal");
    escape_end = i + 1 + n;
    return v;
}

// The character whose UTF-8 begins at text[i]: its number. Refuses what is not the shortest form of a character.
long decode(long i) {
    long c = text[i] & 255;
    long more = 0;
    long v = c;
    long least = 0;
    escape_end = i + 1;
    escape_universal = 0;
    if (c < 128) return c;
    if (c >= 0xf0 && c < 0xf8) {
        more = 3;
        v = c & 7;
        least = 0x10000;
    } else if (c >= 0xe0 && c < 0xf0) {
        more = 2;
        v = c & 15;
        least = 0x800;
    } else if (c >= 0xc0 && c < 0xe0) {
        more = 1;
        v = c & 31;
        least = 0x80;
    } else fail("a wide literal that is not UTF-8");
    while (more) {
        c = text[escape_end] & 255;
        if ((c & 0xc0) != 0x80) fail("a wide literal that is not UTF-8");
        v = (v << 6) | (c & 63);
        escape_end = escape_end + 1;
        more = more - 1;
    }
    if (v < least || v > 0x10ffff || (v >= 0xd800 && v < 0xe000)) fail("a wide literal that is not UTF-8");
    return v;
}

// One character of a literal of this kind: a number of an element, or of a character if escape_universal says so.
long literal_character(long i, long kind) {
    if (kind == L_PLAIN || kind == L_BYTES || text[i] == '\\') return escape(i, most_of_kind(kind));
    long v = decode(i);
    escape_universal = 1;
    return v;
}

long string_element(long v) {
    if (string_len >= STRING_MAX - 4) fail("string too long");
    string[string_len] = v;
    string_len = string_len + 1;
    return 0;
}

// Appends character number v: one element or, as UTF-8 and UTF-16, several.
long string_character(long v) {
    if (string_kind == L_32 || string_kind == L_WIDE) return string_element(v);
    if (string_kind == L_16) {
        if (v < 0x10000) return string_element(v);
        string_element(0xd800 + ((v - 0x10000) >> 10));
        return string_element(0xdc00 + ((v - 0x10000) & 0x3ff));
    }
    if (v < 0x80) return string_element(v);
    if (v < 0x800) string_element(0xc0 | (v >> 6));
    else {
        if (v < 0x10000) string_element(0xe0 | (v >> 12));
        else {
            string_element(0xf0 | (v >> 18));
            string_element(0x80 | ((v >> 12) & 63));
        }
        string_element(0x80 | ((v >> 6) & 63));
    }
    return string_element(0x80 | (v & 63));
}

long add_part(long name) {
    if (string_parts >= PART_MAX) fail("string too long");
    string_part[string_parts] = name;
    string_parts = string_parts + 1;
    return 0;
}

// Joins the parts. One with a prefix gives its kind to those without.
long join_parts() {
    long p = 0;
    string_len = 0;
    string_kind = L_PLAIN;
    while (p < string_parts) {
        long kind = literal_kind(string_part[p]);
        if (kind != L_PLAIN && string_kind != L_PLAIN && kind != string_kind) fail("strings of different kinds are joined");
        if (kind != L_PLAIN) string_kind = kind;
        p = p + 1;
    }
    p = 0;
    while (p < string_parts) {
        long name = string_part[p];
        long end = name_start[name] + name_len[name] - 1;
        literal_kind(name);
        long i = escape_end + 1;
        while (i < end) {
            long v = literal_character(i, string_kind);
            i = escape_end;
            if (escape_universal) string_character(v);
            else string_element(v);
        }
        p = p + 1;
    }
    string[string_len] = 0;
    return 0;
}

// The value of a character token. Without a prefix: a signed char, or several characters as gcc joins them.
long parse_character(long name) {
    long kind = literal_kind(name);
    long i = escape_end + 1;
    long end = name_start[name] + name_len[name] - 1;
    long v = 0;
    long n = 0;
    if (i == end) fail("empty character");
    while (i < end) {
        long c = literal_character(i, kind);
        if (escape_universal && c > most_of_kind(kind)) fail("a character that its literal cannot hold");
        i = escape_end;
        v = (v << 8) | c;
        n = n + 1;
    }
    if (kind != L_PLAIN) {
        if (n > 1) fail("a wide character constant of more than one character");
        if (kind == L_WIDE) return (v << 32) >> 32;
        return v;
    }
    if (n > 4) fail("character constant of more than four characters");
    if (n == 1) return (v ^ 128) - 128;
    return (v << 32) >> 32;
}
