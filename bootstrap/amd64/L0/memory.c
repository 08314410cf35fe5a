// Memory and strings.
#include "l0.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Blocks have sizes 32, 64, 128, ... with a 16-byte header that says which; free blocks of each size form a list.
struct block {
    int class;
    struct block *next;
};

enum { CLASSES = 40, CHUNK = 1 << 20 };

static struct block *free_blocks[CLASSES];
static char *chunk, *chunk_end;

void *malloc(size_t size) {
    int class = 5;
    size_t whole, chunk_size;
    struct block *b;
    if (size > (size_t)1 << 38) {
        errno = ENOMEM;
        return NULL;
    }
    while (((size_t)1 << class) < size + 16)
        class++;
    b = free_blocks[class];
    if (b) {
        free_blocks[class] = b->next;
        return (char *)b + 16;
    }
    whole = (size_t)1 << class;
    if ((size_t)(chunk_end - chunk) < whole) {
        // What is left of the old chunk is given up.
        chunk_size = whole > CHUNK ? whole : CHUNK;
        chunk = mmap(NULL, chunk_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (chunk == MAP_FAILED) {
            chunk = chunk_end = NULL;
            errno = ENOMEM;
            return NULL;
        }
        chunk_end = chunk + chunk_size;
    }
    b = (struct block *)chunk;
    chunk += whole;
    b->class = class;
    return (char *)b + 16;
}

void free(void *memory) {
    struct block *b;
    if (memory == NULL)
        return;
    b = (struct block *)((char *)memory - 16);
    b->next = free_blocks[b->class];
    free_blocks[b->class] = b;
}

void *realloc(void *old, size_t size) {
    struct block *b;
    size_t room;
    void *new;
    if (old == NULL)
        return malloc(size);
    b = (struct block *)((char *)old - 16);
    room = ((size_t)1 << b->class) - 16;
    if (size <= room)
        return old;
    new = malloc(size);
    if (new == NULL)
        return NULL;
    memcpy(new, old, room);
    free(old);
    return new;
}

void *calloc(size_t count, size_t size) {
    void *memory;
    if (size && count > ((size_t)1 << 38) / size) {
        errno = ENOMEM;
        return NULL;
    }
    memory = malloc(count * size);
    return memory ? memset(memory, 0, count * size) : NULL;
}

void *memcpy(void *to, const void *from, size_t count) {
    char *t = to;
    const char *f = from;
    while (count >= 8) {
        *(long *)t = *(const long *)f;
        t += 8;
        f += 8;
        count -= 8;
    }
    while (count--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    char *t = to;
    const char *f = from;
    if ((size_t)(t - f) >= count)
        return memcpy(to, from, count);
    while (count--)
        t[count] = f[count];
    return to;
}

void *memset(void *to, int byte, size_t count) {
    char *t = to;
    while (count--)
        *t++ = (char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t count) {
    const unsigned char *x = a, *y = b;
    for (; count; count--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *memory, int byte, size_t count) {
    const unsigned char *m = memory;
    for (; count; count--, m++)
        if (*m == (unsigned char)byte)
            return (void *)m;
    return NULL;
}

size_t strlen(const char *text) {
    const char *end = text;
    while (*end)
        end++;
    return (size_t)(end - text);
}

char *strcpy(char *to, const char *from) {
    char *t = to;
    while ((*t++ = *from++))
        ;
    return to;
}

char *strncpy(char *to, const char *from, size_t count) {
    size_t i = 0;
    for (; i < count && from[i]; i++)
        to[i] = from[i];
    for (; i < count; i++)
        to[i] = 0;
    return to;
}

char *strcat(char *to, const char *from) {
    strcpy(to + strlen(to), from);
    return to;
}

char *strncat(char *to, const char *from, size_t count) {
    char *t = to + strlen(to);
    while (count-- && *from)
        *t++ = *from++;
    *t = 0;
    return to;
}

int strcmp(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t count) {
    while (count && *a && *a == *b)
        a++, b++, count--;
    return count ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strchr(const char *text, int byte) {
    for (;; text++) {
        if (*text == (char)byte)
            return (char *)text;
        if (*text == 0)
            return NULL;
    }
}

char *strrchr(const char *text, int byte) {
    const char *found = NULL;
    for (;; text++) {
        if (*text == (char)byte)
            found = text;
        if (*text == 0)
            return (char *)found;
    }
}

char *strstr(const char *text, const char *part) {
    size_t length = strlen(part);
    for (;; text++) {
        if (strncmp(text, part, length) == 0)
            return (char *)text;
        if (*text == 0)
            return NULL;
    }
}

size_t strspn(const char *text, const char *bytes) {
    size_t n = 0;
    while (text[n] && strchr(bytes, text[n]))
        n++;
    return n;
}

size_t strcspn(const char *text, const char *bytes) {
    size_t n = 0;
    while (text[n] && !strchr(bytes, text[n]))
        n++;
    return n;
}

char *strpbrk(const char *text, const char *bytes) {
    text += strcspn(text, bytes);
    return *text ? (char *)text : NULL;
}

char *strdup(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

// Heap sort: the order of equal elements is always the same, and no memory is needed.
static void swap(char *a, char *b, size_t size) {
    while (size--) {
        char c = *a;
        *a++ = *b;
        *b++ = c;
    }
}

void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *)) {
    char *b = base;
    size_t end = count, first = count / 2, root, child;
    while (end > 1) {
        if (first > 0)
            first--;
        else
            swap(b, b + --end * size, size);
        root = first;
        while ((child = root * 2 + 1) < end) {
            if (child + 1 < end && compare(b + child * size, b + (child + 1) * size) < 0)
                child++;
            if (compare(b + root * size, b + child * size) >= 0)
                break;
            swap(b + root * size, b + child * size, size);
            root = child;
        }
    }
}

char *getenv(const char *name) {
    extern char **environ;
    size_t length = strlen(name);
    char **e;
    for (e = environ; *e; e++)
        if (strncmp(*e, name, length) == 0 && (*e)[length] == '=')
            return *e + length + 1;
    return NULL;
}

char *strerror(int error) {
    static char text[32];
    int i = 31;
    if (error == ENOENT)
        return "No such file or directory";
    if (error == EEXIST)
        return "File exists";
    if (error == ENOMEM)
        return "Cannot allocate memory";
    do
        text[--i] = (char)('0' + error % 10);
    while (error /= 10);
    return memcpy(text + i - 6, "Error ", 6);
}
