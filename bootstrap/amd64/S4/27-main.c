// Main: the command line, and one translation unit after the other.
//
//   s4 -o OUTPUT [-I DIRECTORY]... [-D NAME[=VALUE]]... [-U NAME]... [-include FILE]... FILE...
//
// Files whose names end in ".s" are assembly, all others C. All files together are one program.

enum { UNIT_MAX = 4096, DEFINE_MAX = 1024 };

long unit_count;
long unit_name[UNIT_MAX];
long define_count;
long define_name[DEFINE_MAX];     // text of the #define, #undef or #include line
long define_option[DEFINE_MAX];   // 'D', 'U' or 'i'
long output_name;
long predefined;                  // name of the file that holds the definitions given before the first line

// Argument i from its byte j on, as a name; 0 if there is no such argument.
long argument(long i, long j) {
    long from = text_len;
    long c = os_arg(i, j);
    if (c < 0) return 0;
    while (c > 0) {
        text_byte(c);
        j = j + 1;
        c = os_arg(i, j);
    }
    return intern(from);
}

long usage() {
    say("usage: s4 -o OUTPUT [-I DIRECTORY]... [-D NAME[=VALUE]]... [-U NAME]... [-include FILE]... FILE.c...");
    return stop();
}

long read_arguments() {
    long i = 1;
    long include_option = name_of("-include");
    while (os_arg(i, 0) >= 0) {
        if (os_arg(i, 0) == '-' && os_arg(i, 1) > 0) {
            long option = os_arg(i, 1);
            long value = 0;
            if (option == 'i' && argument(i, 0) != include_option) usage();
            if (os_arg(i, 2) > 0 && option != 'i') value = argument(i, 2);
            else {
                i = i + 1;
                value = argument(i, 0);
            }
            if (value == 0) usage();
            if (option == 'o' && output_name == 0) output_name = value;
            else if (option == 'I' && include_dirs < INCLUDE_DIR_MAX) {
                include_dir[include_dirs] = value;
                include_dirs = include_dirs + 1;
            } else if ((option == 'D' || option == 'U' || option == 'i') && define_count < DEFINE_MAX) {
                define_option[define_count] = option;
                define_name[define_count] = value;
                define_count = define_count + 1;
            } else usage();
        } else {
            if (unit_count >= UNIT_MAX) usage();
            long unit = argument(i, 0);
            unit_name[unit_count] = unit;
            unit_count = unit_count + 1;
        }
        i = i + 1;
    }
    if (output_name == 0 || unit_count == 0) usage();
    return 0;
}

long source_byte(long c) {
    src[src_len] = c;
    src_len = src_len + 1;
    return 0;
}

long source_text(char *s) {
    long i = 0;
    while (s[i]) {
        source_byte(s[i]);
        i = i + 1;
    }
    return 0;
}

// The text of all #define lines that stand before each unit, as a file.
long make_predefined() {
    long d = 0;
    predefined = name_of("<command line>");
    file_count = file_count + 1;
    file_name[file_count] = predefined;
    file_begin[file_count] = src_len;
    source_text("#define __STDC__ 1\n#define __STDC_VERSION__ 199901L\n#define __STDC_HOSTED__ 1\n#define __x86_64__ 1\n#define __x86_64 1\n");
    source_text("#define __amd64__ 1\n#define __linux__ 1\n#define __linux 1\n#define __unix__ 1\n#define __LP64__ 1\n#define __ELF__ 1\n#define __S4__ 1\n");
    source_text("#define __CHAR_BIT__ 8\n#define __SIZE_TYPE__ unsigned long\n#define __PTRDIFF_TYPE__ long\n#define __WCHAR_TYPE__ int\n#define __WINT_TYPE__ unsigned\n");
    while (d < define_count) {
        long i = name_start[define_name[d]];
        long end = i + name_len[define_name[d]];
        long seen = 0;
        long option = define_option[d];
        if (option == 'D') source_text("#define ");
        else if (option == 'U') source_text("#undef ");
        else source_text("#include \"");
        while (i < end) {
            long c = text[i];
            if (c == '=' && !seen && option == 'D') {
                seen = 1;
                c = ' ';
            }
            source_byte(c);
            i = i + 1;
        }
        if (!seen && option == 'D') source_text(" 1");
        if (option == 'i') source_byte('"');
        source_byte('\n');
        d = d + 1;
    }
    source_byte(0);
    return file_count;
}

// Compiles one unit. Its macros, file-scope symbols and tags are forgotten at the end; objects stay.
long compile_unit(long name, long definitions) {
    long macro = 1;
    set_path(name);
    here_file = 0;
    long f = load_file(name);
    if (f == 0) fail_name("cannot open the file", name);
    if (name_len[name] > 2 && two_letters(name_start[name] + name_len[name] - 2, '.', 's')) {
        assemble_file(f);
        return pop_symbols(0, 0);
    }
    while (macro <= macro_count) {
        name_macro[m_name[macro]] = 0;
        macro = macro + 1;
    }
    macro_count = 0;
    body_end = 0;
    define_macro(name_of("__FILE__"), M_FILE);
    define_macro(name_of("__LINE__"), M_LINE);
    define_macro(name_of("__COUNTER__"), M_COUNTER);
    define_macro(name_of("_Pragma"), M_PRAGMA);
    counter = 0;
    pack_align = 0;
    packs = 0;
    unit_number = unit_number + 1;
    enter_file(f);
    // The definitions are read as a file that the unit's first line includes.
    inc_at[0] = at;
    inc_line[0] = 1;
    inc_file[0] = name;
    inc_conditions[0] = 0;
    inc_real[0] = f;
    inc_next[0] = 0;
    include_next = 0;
    depth = 1;
    enter_file(definitions);
    next();
    while (tok != T_EOF) external_declaration();
    pop_symbols(0, 0);
    return 0;
}

long start() {
    long u = 0;
    init_source();
    init_directive();
    init_type();
    init_declare();
    init_builtin();
    init_assembly();
    read_arguments();
    temp_end = TEMP_BEGIN;
    argument_end = ARGUMENT_BEGIN;
    long definitions = make_predefined();
    emit_entry();
    while (u < unit_count) {
        compile_unit(unit_name[u], definitions);
        u = u + 1;
    }
    write_program(output_name);
    return 0;
}
