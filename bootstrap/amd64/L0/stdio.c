// Buffered files.
#include "l0.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// While reading, buffer[next .. end) was read from the file and not yet taken. While writing, buffer[0 .. next) waits to be written.
struct l0_file {
    int fd, writing, at_end, failed, line_buffered;
    int next, end;
    FILE *after;
    char buffer[BUFSIZ];
};

static FILE files[3] = {{0, 0}, {1, 1}, {2, 1}};
FILE *stdin = &files[0], *stdout = &files[1], *stderr = &files[2];
static FILE *opened;

int fflush(FILE *file) {
    int done = 0;
    if (file == NULL) {
        l0_flush_all();
        return 0;
    }
    while (file->writing && done < file->next) {
        ssize_t n = write(file->fd, file->buffer + done, (size_t)(file->next - done));
        if (n <= 0) {
            file->failed = 1;
            break;
        }
        done += (int)n;
    }
    if (file->writing)
        file->next = 0;
    return file->failed ? EOF : 0;
}

void l0_flush_all(void) {
    FILE *f;
    fflush(stdout);
    fflush(stderr);
    for (f = opened; f; f = f->after)
        fflush(f);
}

static FILE *new_file(int fd, int writing) {
    FILE *file;
    if (fd < 0)
        return NULL;
    file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    file->fd = fd;
    file->writing = writing;
    file->after = opened;
    opened = file;
    return file;
}

FILE *fdopen(int fd, const char *mode) { return new_file(fd, *mode != 'r'); }

FILE *fopen(const char *path, const char *mode) {
    int plus = strchr(mode, '+') != NULL, flags = plus ? O_RDWR : O_WRONLY;
    if (*mode == 'r')
        flags = plus ? O_RDWR : O_RDONLY;
    else
        flags |= O_CREAT | (*mode == 'a' ? O_APPEND : O_TRUNC);
    return new_file(open(path, flags, 0666), *mode != 'r');
}

int fclose(FILE *file) {
    FILE **f;
    int result = fflush(file);
    if (close(file->fd) < 0)
        result = EOF;
    for (f = &opened; *f; f = &(*f)->after)
        if (*f == file) {
            *f = file->after;
            free(file);
            break;
        }
    return result;
}

int fputc(int byte, FILE *file) {
    if (!file->writing) {
        // A file opened for both: what was read ahead is given back.
        lseek(file->fd, file->next - file->end, SEEK_CUR);
        file->next = file->end = 0;
        file->writing = 1;
    }
    file->buffer[file->next++] = (char)byte;
    if (file->next == BUFSIZ || (file->fd == 2 && byte == '\n'))
        fflush(file);
    return file->failed ? EOF : (unsigned char)byte;
}

int fgetc(FILE *file) {
    if (file->writing) {
        fflush(file);
        file->writing = 0;
        file->next = file->end = 0;
    }
    if (file->next == file->end) {
        ssize_t n = read(file->fd, file->buffer, BUFSIZ);
        if (n <= 0) {
            file->at_end |= n == 0;
            file->failed |= n < 0;
            return EOF;
        }
        file->next = 0;
        file->end = (int)n;
    }
    return (unsigned char)file->buffer[file->next++];
}

size_t fwrite(const void *from, size_t size, size_t count, FILE *file) {
    const char *f = from;
    size_t i, total = size * count;
    for (i = 0; i < total; i++)
        if (fputc(f[i], file) == EOF)
            return i / size;
    return count;
}

size_t fread(void *to, size_t size, size_t count, FILE *file) {
    char *t = to;
    size_t i, total = size * count;
    for (i = 0; i < total; i++) {
        int c = fgetc(file);
        if (c == EOF)
            return i / size;
        t[i] = (char)c;
    }
    return count;
}

char *fgets(char *to, int size, FILE *file) {
    int n = 0, c = 0;
    while (n < size - 1 && c != '\n' && (c = fgetc(file)) != EOF)
        to[n++] = (char)c;
    to[n] = 0;
    return n ? to : NULL;
}

int fputs(const char *text, FILE *file) {
    while (*text)
        if (fputc(*text++, file) == EOF)
            return EOF;
    return 0;
}

int putchar(int byte) { return fputc(byte, stdout); }

int puts(const char *text) {
    fputs(text, stdout);
    return putchar('\n') == EOF ? EOF : 0;
}

int fseek(FILE *file, long offset, int whence) {
    fflush(file);
    if (!file->writing && whence == SEEK_CUR)
        offset -= file->end - file->next;
    file->next = file->end = 0;
    file->at_end = 0;
    return lseek(file->fd, offset, whence) < 0 ? -1 : 0;
}

long ftell(FILE *file) {
    long at = lseek(file->fd, 0, SEEK_CUR);
    if (at < 0)
        return -1;
    return file->writing ? at + file->next : at - (file->end - file->next);
}

int feof(FILE *file) { return file->at_end; }
int ferror(FILE *file) { return file->failed; }
int fileno(FILE *file) { return file->fd; }

void perror(const char *what) { fprintf(stderr, "%s: %s\n", what, strerror(errno)); }

void __assert_fail(const char *what, unsigned line, const char *function) {
    fprintf(stderr, "%s: line %u: assertion failed: %s\n", function, line, what);
    abort();
}
