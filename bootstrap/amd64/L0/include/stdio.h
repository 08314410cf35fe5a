#ifndef L0_STDIO_H
#define L0_STDIO_H
#include <stdarg.h>
#include <stddef.h>
#define EOF (-1)
#define BUFSIZ 4096
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
typedef struct l0_file FILE;
extern FILE *stdin, *stdout, *stderr;
FILE *fopen(const char *path, const char *mode);
FILE *fdopen(int fd, const char *mode);
int fclose(FILE *file);
int fflush(FILE *file);
size_t fread(void *to, size_t size, size_t count, FILE *file);
size_t fwrite(const void *from, size_t size, size_t count, FILE *file);
int fgetc(FILE *file);
char *fgets(char *to, int size, FILE *file);
int fputc(int byte, FILE *file);
int fputs(const char *text, FILE *file);
int putchar(int byte);
int puts(const char *text);
int fseek(FILE *file, long offset, int whence);
long ftell(FILE *file);
int feof(FILE *file);
int ferror(FILE *file);
int fileno(FILE *file);
int printf(const char *format, ...);
int fprintf(FILE *file, const char *format, ...);
int sprintf(char *to, const char *format, ...);
int snprintf(char *to, size_t size, const char *format, ...);
int vprintf(const char *format, va_list list);
int vfprintf(FILE *file, const char *format, va_list list);
int vsprintf(char *to, const char *format, va_list list);
int vsnprintf(char *to, size_t size, const char *format, va_list list);
int sscanf(const char *text, const char *format, ...);
int remove(const char *path);
int rename(const char *from, const char *to);
void perror(const char *what);
#define getc fgetc
#define putc fputc
#endif
