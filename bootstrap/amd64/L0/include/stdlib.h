#ifndef L0_STDLIB_H
#define L0_STDLIB_H
#include <stddef.h>
#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void free(void *memory);
void abort(void);
void exit(int status);
int atexit(void (*function)(void));
char *getenv(const char *name);
int atoi(const char *text);
long atol(const char *text);
int abs(int value);
long strtol(const char *text, char **end, int base);
unsigned long strtoul(const char *text, char **end, int base);
long long strtoll(const char *text, char **end, int base);
unsigned long long strtoull(const char *text, char **end, int base);
float strtof(const char *text, char **end);
double strtod(const char *text, char **end);
long double strtold(const char *text, char **end);
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
char *realpath(const char *path, char *resolved);
#endif
