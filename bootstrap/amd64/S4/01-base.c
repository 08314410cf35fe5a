// Base: limits, the pool of names, and how S4 stops with an error.
//
// Every spelling (identifier, number, string, punctuator) is stored once in `text` and known by its number, a *name*. Equal spellings have
// equal names, so the rest of the compiler compares numbers. What a spelling means at the moment (macro, keyword, symbol, tag) is an array
// indexed by the name: no other lookup exists.

enum {
    TEXT_MAX = 16777216,      // bytes of all spellings
    NAME_MAX = 524288,        // different spellings
    HASH_SIZE = 65536,
    MESSAGE_MAX = 4096,
    NESTING_MAX = 1000,       // constructs within one another in the source
    TREE_MAX = 4000           // nodes below one another in an expression
};

char text[TEXT_MAX];
long text_len;

long name_count;
long name_start[NAME_MAX];    // where the spelling begins in text; a zero byte follows it
long name_len[NAME_MAX];
long name_next[NAME_MAX];     // next name with the same hash
long name_macro[NAME_MAX];    // macro of this name, or 0
long name_keyword[NAME_MAX];  // token of the keyword, or 0
long name_symbol[NAME_MAX];   // innermost visible symbol, or 0
long name_tag[NAME_MAX];      // innermost visible struct, union or enum tag, or 0
long name_global[NAME_MAX];   // linker object with external linkage, or 0
long name_label[NAME_MAX];    // label of the current function, or 0
long hash_head[HASH_SIZE];

long here_file;               // name of the file being read, and the line in it
long here_line;

char message[MESSAGE_MAX];
long message_len;

long say_byte(long c) {
    if (message_len < MESSAGE_MAX) {
        message[message_len] = c;
        message_len = message_len + 1;
    }
    return 0;
}

long say(char *s) {
    long i = 0;
    while (s[i]) {
        say_byte(s[i]);
        i = i + 1;
    }
    return 0;
}

long say_number(long v) {
    if (v < 0) {
        say_byte('-');
        v = 0 - v;
    }
    if (v > 9) say_number(v / 10);
    say_byte('0' + v % 10);
    return 0;
}

long say_name(long name) {
    long i = 0;
    while (i < name_len[name]) {
        say_byte(text[name_start[name] + i]);
        i = i + 1;
    }
    return 0;
}

// Where the error is: "file:line: ".
long say_place(long file, long line) {
    if (file) {
        say_name(file);
        say_byte(':');
        say_number(line);
        say(": ");
    }
    return 0;
}

long say_source();            // 02-source.c: the line of the source and a mark below the place in it

// Prints the message and ends with status 1. Nothing has been written before: output happens once, after the last check.
long stop() {
    say_byte('\n');
    say_source();
    os_write(2, message, 0, message_len);
    os_exit(1);
    return 0;
}

long fail(char *what) {
    say_place(here_file, here_line);
    say(what);
    return stop();
}

// The message, then 'name'.
long fail_name(char *what, long name) {
    say_place(here_file, here_line);
    say(what);
    say(" '");
    say_name(name);
    say("'");
    return stop();
}

// Something that compiles but is hardly meant: printed, and the work goes on. The caller adds to it and ends it with end_warning.
long warn(char *what) {
    say_place(here_file, here_line);
    say("warning: ");
    say(what);
    return 0;
}

long end_warning() {
    say_byte('\n');
    say_source();
    os_write(2, message, 0, message_len);
    message_len = 0;
    return 0;
}

// Recursion follows the nesting of the source, which must not exhaust the stack. Each deeper() has its shallower().
long nesting;

long deeper() {
    nesting = nesting + 1;
    if (nesting > NESTING_MAX) fail("nested too deeply");
    return 0;
}

long shallower(long result) {
    nesting = nesting - 1;
    return result;
}

long text_byte(long c) {
    if (text_len >= TEXT_MAX - 1) fail("too much text: more than 16 MiB of spellings");
    text[text_len] = c;
    text_len = text_len + 1;
    return 0;
}

// Appends the spelling of a name to the end of text.
long text_name(long name) {
    long i = name_start[name];
    long end = i + name_len[name];
    while (i < end) {
        text_byte(text[i]);
        i = i + 1;
    }
    return 0;
}

long text_equal(long a, long b, long len) {
    long i = 0;
    while (i < len) {
        if (text[a + i] != text[b + i]) return 0;
        i = i + 1;
    }
    return 1;
}

// The name of the bytes from `from` to the end of text. They are dropped again if the spelling was known.
long intern(long from) {
    long hash = 5381;
    long i = from;
    while (i < text_len) {
        long c = text[i];
        hash = hash * 33 + c;
        i = i + 1;
    }
    hash = (hash ^ (hash >> 17)) & (HASH_SIZE - 1);
    long len = text_len - from;
    long n = hash_head[hash];
    while (n) {
        if (name_len[n] == len && text_equal(name_start[n], from, len)) {
            text_len = from;
            return n;
        }
        n = name_next[n];
    }
    name_count = name_count + 1;
    n = name_count;
    if (n >= NAME_MAX) fail("too many names");
    name_start[n] = from;
    name_len[n] = len;
    name_next[n] = hash_head[hash];
    hash_head[hash] = n;
    text_byte(0);
    return n;
}

long name_of(char *s) {
    long from = text_len;
    long i = 0;
    while (s[i]) {
        text_byte(s[i]);
        i = i + 1;
    }
    return intern(from);
}

long name_of_number(long v) {
    long from = text_len;
    long scale = 1;
    while (v / scale > 9) scale = scale * 10;
    while (scale) {
        text_byte('0' + v / scale % 10);
        scale = scale / 10;
    }
    return intern(from);
}

long minimum(long a, long b) {
    if (a < b) return a;
    return b;
}

long maximum(long a, long b) {
    if (a > b) return a;
    return b;
}

// Unsigned comparison and division: the subset has only signed numbers.
long below(long a, long b) {
    if ((a < 0) != (b < 0)) return b < 0;
    return a < b;
}

long udiv(long a, long b) {
    if (b < 0) return !below(a, b);
    if (a >= 0) return a / b;
    long q = ((a >> 1) & 0x7fffffffffffffff) / b * 2;
    if (!below(a - q * b, b)) q = q + 1;
    return q;
}

// Logical shift right.
long ushr(long a, long n) {
    if (n == 0) return a;
    long rest = 63 - n;
    return (a >> n) & ((a - a + 2 << rest) - 1);
}

long round_up(long v, long align) {
    return (v + align - 1) / align * align;
}
