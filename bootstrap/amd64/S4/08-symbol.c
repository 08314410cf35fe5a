// Symbols: what identifiers and tags mean in the scope at hand, and the objects that become part of the program.
//
// Symbols and tags form stacks; leaving a scope pops them and gives each name back the meaning it had. Objects (variables and functions with
// an address in the program) live until the end, in all translation units together; those with external linkage are found by name.

enum {
    SYMBOL_MAX = 262144,
    TAG_MAX = 65536,
    OBJECT_MAX = 131072,
    SCOPE_MAX = 512,

    S_TYPEDEF = 1, S_CONSTANT, S_LOCAL, S_GLOBAL,
    S_VARIABLE_ARRAY,         // a local array of variable length; its address is in the local at s_value

    SEC_NONE = 0,             // declared only
    SEC_TENTATIVE,            // a variable without an initialiser: zero at the end
    SEC_CODE,
    SEC_DATA,
    SEC_ZERO
};

long symbol_count;
long s_kind[SYMBOL_MAX];
long s_name[SYMBOL_MAX];
long s_type[SYMBOL_MAX];
long s_value[SYMBOL_MAX];     // constant, distance from rbp, or object
long s_outer[SYMBOL_MAX];     // what the name meant before
long s_scope[SYMBOL_MAX];

long tag_count;
long tag_name[TAG_MAX];
long tag_type[TAG_MAX];
long tag_is_enum[TAG_MAX];
long tag_outer[TAG_MAX];
long tag_scope[TAG_MAX];

long scope;                   // 0: file scope
long scope_symbols[SCOPE_MAX];
long scope_tags[SCOPE_MAX];

long object_count;
long g_name[OBJECT_MAX];      // 0: a string or another unnamed object
long g_type[OBJECT_MAX];
long g_section[OBJECT_MAX];
long g_offset[OBJECT_MAX];
long g_size[OBJECT_MAX];
long g_align[OBJECT_MAX];
long g_static[OBJECT_MAX];
long g_file[OBJECT_MAX];      // where it was first mentioned
long g_line[OBJECT_MAX];
long g_weak[OBJECT_MAX];       // may be replaced by another definition, or be missing: its address is 0 then
long g_const[OBJECT_MAX];      // a const number: an initialiser may read it
long g_alias[OBJECT_MAX];      // the object that it is another name of, or 0

long enter_scope() {
    scope = scope + 1;
    if (scope >= SCOPE_MAX) fail("blocks nested too deeply");
    scope_symbols[scope] = symbol_count;
    scope_tags[scope] = tag_count;
    return 0;
}

// Forgets the symbols and tags made after the first `symbols` and `tags`.
long pop_symbols(long symbols, long tags) {
    while (symbol_count > symbols) {
        name_symbol[s_name[symbol_count]] = s_outer[symbol_count];
        symbol_count = symbol_count - 1;
    }
    while (tag_count > tags) {
        name_tag[tag_name[tag_count]] = tag_outer[tag_count];
        tag_count = tag_count - 1;
    }
    return 0;
}

long leave_scope() {
    pop_symbols(scope_symbols[scope], scope_tags[scope]);
    scope = scope - 1;
    return 0;
}

long new_symbol(long kind, long name, long type, long value) {
    symbol_count = symbol_count + 1;
    if (symbol_count >= SYMBOL_MAX) fail("too many symbols");
    s_kind[symbol_count] = kind;
    s_name[symbol_count] = name;
    s_type[symbol_count] = type;
    s_value[symbol_count] = value;
    s_outer[symbol_count] = name_symbol[name];
    s_scope[symbol_count] = scope;
    name_symbol[name] = symbol_count;
    return symbol_count;
}

// Fails if the name already has a meaning in this very scope.
long check_new(long name) {
    long s = name_symbol[name];
    if (s && s_scope[s] == scope) fail_name("declared twice:", name);
    return 0;
}

long new_tag(long name, long type, long is_enum) {
    tag_count = tag_count + 1;
    if (tag_count >= TAG_MAX) fail("too many tags");
    tag_name[tag_count] = name;
    tag_type[tag_count] = type;
    tag_is_enum[tag_count] = is_enum;
    tag_outer[tag_count] = name_tag[name];
    tag_scope[tag_count] = scope;
    name_tag[name] = tag_count;
    return tag_count;
}

long new_object(long name, long type, long is_static) {
    object_count = object_count + 1;
    if (object_count >= OBJECT_MAX) fail("too many objects");
    g_name[object_count] = name;
    g_type[object_count] = type;
    g_static[object_count] = is_static;
    g_file[object_count] = here_file;
    g_line[object_count] = here_line;
    g_align[object_count] = 1;
    return object_count;
}

// The object with external linkage of this name.
long global_object(long name, long type) {
    long g = name_global[name];
    if (g == 0) {
        g = new_object(name, type, 0);
        name_global[name] = g;
    }
    return g;
}
