// Link: addresses for everything, references filled in, and the ELF file.
//
// The file has two loadable segments: code (readable, executable) behind the ELF header at 0x400000, and data (readable, writable) at the next
// page boundary, followed in memory by the variables that start as zero.

enum {
    BASE = 0x400000,
    PAGE = 4096,
    HEADER = 176              // ELF header and two program headers
};

long entry;                   // place of the first instruction in code
char head[256];               // the headers
long head_len;

// Code before everything: hands the initial stack to __s4_start.
long emit_entry() {
    long type = function_type(TY_VOID, 0, 2);
    long g = global_object(name_of("__s4_start"), type);
    entry = code_len;
    x86(0x31ed);              // xor ebp, ebp
    x86(0x4889e7);            // mov rdi, rsp
    x86(0x4883e4f0);          // and rsp, -16
    x86(0xe8);
    fix(FIX_CALL, code_len, g, 0);
    word(0);
    return x86(0xf4);         // hlt
}

long head_number(long v, long size) {
    while (size > 0) {
        head[head_len] = v;
        v = v >> 8;
        head_len = head_len + 1;
        size = size - 1;
    }
    return 0;
}

long program_header(long flags, long offset, long address, long file_size, long memory_size) {
    head_number(1, 4);        // PT_LOAD
    head_number(flags, 4);
    head_number(offset, 8);
    head_number(address, 8);
    head_number(address, 8);
    head_number(file_size, 8);
    head_number(memory_size, 8);
    return head_number(PAGE, 8);
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
        if (g_section[g] == SEC_NONE) {
            here_file = g_file[g];
            here_line = g_line[g];
            fail_name("never defined:", g_name[g]);
        }
        if (g_section[g] == SEC_CODE) target = code_base;
        target = target + g_offset[g] + fix_add[i];
        if (fix_kind[i] == FIX_CALL) set_word(place, target - (code_base + place + 4));
        else if (fix_kind[i] == FIX_ADDRESS) set_word(place, target);
        else data_store(place, target, 8);
        i = i + 1;
    }
    return 0;
}

long write_all(long fd, char *bytes, long len) {
    long done = 0;
    while (done < len) {
        long n = os_write(fd, bytes, done, len - done);
        if (n <= 0) {
            here_file = 0;
            fail("cannot write the output");
        }
        done = done + n;
    }
    return 0;
}

// One buffer for the file, so that it is written at once.
char image[134217728];

long write_program(long output) {
    long code_base = BASE + HEADER;
    long file_data = round_up(HEADER + code_len, PAGE);
    long data_base = BASE + file_data;
    long memory = place_zeros();
    long i = 0;
    apply_fixes(code_base, data_base);
    here_file = 0;
    head_number(0x00010102464c457f, 8);
    head_number(0, 8);
    head_number(2, 2);        // executable
    head_number(62, 2);       // x86-64
    head_number(1, 4);
    head_number(code_base + entry, 8);
    head_number(64, 8);       // program headers
    head_number(0, 8);
    head_number(0, 4);
    head_number(64, 2);
    head_number(56, 2);
    head_number(2, 2);
    head_number(64, 2);
    head_number(0, 4);
    program_header(5, 0, BASE, HEADER + code_len, HEADER + code_len);
    program_header(6, file_data, data_base, data_len, memory);
    while (i < HEADER) {
        image[i] = head[i];
        i = i + 1;
    }
    i = 0;
    while (i < code_len) {
        image[HEADER + i] = code[i];
        i = i + 1;
    }
    i = 0;
    while (i < data_len) {
        image[file_data + i] = data[i];
        i = i + 1;
    }
    set_path(output);
    long fd = os_open(path, 577, 493);  // O_WRONLY | O_CREAT | O_TRUNC, mode 0755
    if (fd < 0) fail_name("cannot create", output);
    return write_all(fd, image, file_data + data_len);
}
