// Link: addresses for everything, references filled in, and the ELF file.
//
// The file has two loadable segments: code (readable, executable) behind the ELF header at 0x400000, and data (readable, writable) at the next
// page boundary, followed in memory by the variables that start as zero. Section headers and a symbol table come last; the kernel ignores
// them, people and their tools do not.

enum {
    BASE = 0x400000,
    PAGE = 4096,
    HEADER = 176              // ELF header and two program headers
};

long entry;                   // place of the first instruction in code
char image[50331648];         // the file, so that it is written at once
long image_len;
long strings_len;             // of the names of symbols

// Code before everything: hands the initial stack to __s4_start. A program that has its own _start begins there instead.
long emit_entry() {
    long g = global_object(name_of("__s4_start"), 0);
    entry = code_len;
    x86(0x31ed);              // xor ebp, ebp
    x86(0x4889e7);            // mov rdi, rsp
    x86(0x4883e4f0);          // and rsp, -16
    x86(0xe8);
    fix(FIX_CALL, code_len, g, 0);
    word(0);
    return x86(0xf4);         // hlt
}

// Appends a number to the file.
long put_number(long v, long size) {
    if (image_len > 50331640) fail("program too large: more than 48 MiB of file");
    while (size > 0) {
        image[image_len] = v;
        v = v >> 8;
        image_len = image_len + 1;
        size = size - 1;
    }
    return 0;
}

long program_header(long flags, long offset, long address, long file_size, long memory_size) {
    put_number(1, 4);         // PT_LOAD
    put_number(flags, 4);
    put_number(offset, 8);
    put_number(address, 8);
    put_number(address, 8);
    put_number(file_size, 8);
    put_number(memory_size, 8);
    return put_number(PAGE, 8);
}

// Gives aliases without a definition of their own the place of what they name.
long resolve_aliases() {
    long g = 1;
    while (g <= object_count) {
        if (g_alias[g] && g_section[g] == SEC_NONE) {
            // An alias may name another one.
            long target = g_alias[g];
            long hops = 0;
            while (g_alias[target] && g_section[target] == SEC_NONE && hops < 100) {
                target = g_alias[target];
                hops = hops + 1;
            }
            here_file = g_file[g];
            here_line = g_line[g];
            if (g_section[target] == SEC_NONE) fail_name("an alias of something that is never defined:", g_name[g]);
            g_section[g] = g_section[target];
            g_offset[g] = g_offset[target];
            g_size[g] = g_size[target];
        }
        g = g + 1;
    }
    return 0;
}

// Places variables without initialiser behind the data; returns the size of data and these.
long place_zeros() {
    long end = data_len;
    long g = 1;
    while (g <= object_count) {
        if (g_section[g] == SEC_TENTATIVE) {
            here_file = g_file[g];
            here_line = g_line[g];
            long type = g_type[g];
            long size = t_size[type];
            // "int a[];" at file scope is one element.
            if (size < 0 && t_kind[type] == K_ARRAY) size = t_size[t_base[type]];
            if (size < 0) fail("a variable of incomplete type");
            g_section[g] = SEC_ZERO;
            end = round_up(end, maximum(t_align[type], g_align[g]));
            g_offset[g] = end;
            end = end + size;
            if (end > 0x40000000) fail("program too large: more than 1 GiB of data");
        }
        g = g + 1;
    }
    return end;
}

long apply_fixes(long code_base, long data_base) {
    long i = 0;
    while (i < fix_count) {
        long g = fix_object[i];
        long place = fix_at[i];
        long target = data_base;
        if (g_section[g] == SEC_NONE && !g_weak[g]) {
            here_file = g_file[g];
            here_line = g_line[g];
            fail_name("never defined:", g_name[g]);
        }
        if (g_section[g] == SEC_CODE) target = code_base;
        if (g_section[g] == SEC_NONE) target = 0;
        target = target + g_offset[g] + fix_add[i];
        if (fix_kind[i] == FIX_CALL) set_word(place, target - (code_base + place + 4));
        else if (fix_kind[i] == FIX_ADDRESS) set_word(place, target);
        else data_store(place, target, 8);
        i = i + 1;
    }
    return 0;
}

// Writes the image to the file that `path` names; a file that cannot be written whole is removed.
long write_image(long fd) {
    long done = 0;
    while (done < image_len) {
        long n = os_write(fd, image, done, image_len - done);
        if (n <= 0) {
            os_unlink(path);
            here_file = 0;
            fail("cannot write the output");
        }
        done = done + n;
    }
    return 0;
}

// One symbol of the table; its name goes to the strings later, in the same order.
long put_symbol(long g, long code_base, long data_base) {
    long base = data_base;
    long kind = 1;            // STT_OBJECT
    long section = 2;
    long size = t_size[g_type[g]];
    if (g_section[g] == SEC_CODE) {
        base = code_base;
        kind = 2;             // STT_FUNC
        section = 1;
        size = g_size[g];
    }
    if (g_section[g] == SEC_ZERO) section = 3;
    put_number(strings_len, 4);
    put_number(kind + (!g_static[g]) * 16, 1);
    put_number(0, 1);
    put_number(section, 2);
    put_number(base + g_offset[g], 8);
    put_number(maximum(size, 0), 8);
    strings_len = strings_len + name_len[g_name[g]] + 1;
    return 0;
}

// Does object g stand in the symbol table, among the static ones or the others?
long has_symbol(long g, long is_static) {
    return g_name[g] && g_section[g] != SEC_NONE && g_static[g] == is_static;
}

// The symbol table and the names; returns the index of the first symbol that is not static.
long put_symbols(long code_base, long data_base) {
    long is_static = 1;
    long count = 1;
    long first = 0;
    put_number(0, 8);         // the empty symbol
    put_number(0, 8);
    put_number(0, 8);
    strings_len = 1;
    while (is_static >= 0) {
        long g = 1;
        while (g <= object_count) {
            if (has_symbol(g, is_static)) {
                put_symbol(g, code_base, data_base);
                count = count + 1;
            }
            g = g + 1;
        }
        if (is_static) first = count;
        is_static = is_static - 1;
    }
    return first;
}

long put_names() {
    long is_static = 1;
    put_number(0, 1);
    while (is_static >= 0) {
        long g = 1;
        while (g <= object_count) {
            if (has_symbol(g, is_static)) {
                long i = name_start[g_name[g]];
                long end = i + name_len[g_name[g]];
                while (i < end) {
                    put_number(text[i], 1);
                    i = i + 1;
                }
                put_number(0, 1);
            }
            g = g + 1;
        }
        is_static = is_static - 1;
    }
    return 0;
}

long put_text(char *s) {
    long i = 0;
    while (s[i]) {
        put_number(s[i], 1);
        i = i + 1;
    }
    return put_number(0, 1);
}

long section_header(long name, long kind, long flags, long address, long offset, long size) {
    put_number(name, 4);
    put_number(kind, 4);
    put_number(flags, 8);
    put_number(address, 8);
    put_number(offset, 8);
    return put_number(size, 8);
}

// The rest of a section header: link, info, alignment, size of an entry.
long section_rest(long link, long info, long align, long each) {
    put_number(link, 4);
    put_number(info, 4);
    put_number(align, 8);
    return put_number(each, 8);
}

// Appends everything that is not loaded, and the place of the section headers to the ELF header.
long put_sections(long code_base, long data_base, long file_data, long memory) {
    long symbols = image_len;
    long first = put_symbols(code_base, data_base);
    long strings = image_len;
    put_names();
    // The names of the sections: ".text" is at 1, ".data" at 7 and so on.
    long names = image_len;
    put_text("");
    put_text(".text");
    put_text(".data");
    put_text(".bss");
    put_text(".symtab");
    put_text(".strtab");
    put_text(".shstrtab");
    long headers = image_len;
    section_header(0, 0, 0, 0, 0, 0);
    section_rest(0, 0, 0, 0);
    section_header(1, 1, 6, code_base, HEADER, code_len);
    section_rest(0, 0, 1, 0);
    section_header(7, 1, 3, data_base, file_data, data_len);
    section_rest(0, 0, 16, 0);
    section_header(13, 8, 3, data_base + data_len, file_data + data_len, memory - data_len);
    section_rest(0, 0, 1, 0);
    section_header(18, 2, 0, 0, symbols, strings - symbols);
    section_rest(5, first, 8, 24);
    section_header(26, 3, 0, 0, strings, names - strings);
    section_rest(0, 0, 1, 0);
    section_header(34, 3, 0, 0, names, headers - names);
    section_rest(0, 0, 1, 0);
    long end = image_len;
    image_len = 40;
    put_number(headers, 8);
    image_len = end;
    return 0;
}

long write_program(long output) {
    long code_base = BASE + HEADER;
    long file_data = round_up(HEADER + code_len, PAGE);
    long data_base = BASE + file_data;
    long memory = place_zeros();
    long i = 0;
    resolve_aliases();
    long g = name_global[name_of("_start")];
    if (g_section[g] == SEC_CODE) {
        entry = g_offset[g];
        g = name_global[name_of("__s4_start")];
        g_weak[g] = 1;
    }
    apply_fixes(code_base, data_base);
    here_file = 0;
    put_number(0x00010102464c457f, 8);
    put_number(0, 8);
    put_number(2, 2);         // executable
    put_number(62, 2);        // x86-64
    put_number(1, 4);
    put_number(code_base + entry, 8);
    put_number(64, 8);        // program headers
    put_number(0, 8);         // section headers: set by put_sections
    put_number(0, 4);
    put_number(64, 2);
    put_number(56, 2);
    put_number(2, 2);
    put_number(64, 2);
    put_number(7, 2);
    put_number(6, 2);
    program_header(5, 0, BASE, HEADER + code_len, HEADER + code_len);
    program_header(6, file_data, data_base, data_len, memory);
    while (i < code_len) {
        image[HEADER + i] = code[i];
        i = i + 1;
    }
    i = 0;
    while (i < data_len) {
        image[file_data + i] = data[i];
        i = i + 1;
    }
    image_len = round_up(file_data + data_len, 8);
    put_sections(code_base, data_base, file_data, memory);
    set_path(output);
    long fd = os_open(path, 577, 493);  // O_WRONLY | O_CREAT | O_TRUNC, mode 0755
    if (fd < 0) fail_name("cannot create", output);
    return write_image(fd);
}
