// The process and the kernel: start and end, files by descriptor, memory maps, time.
#include "l0.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int errno;
char **environ;

int main();  // with or without parameters, as the program likes

// Called with the stack the kernel made: argument count, arguments, 0, environment, 0.
void __s4_start(long *stack) {
    environ = (char **)(stack + stack[0] + 2);
    exit(main((int)stack[0], (char **)(stack + 1), environ));
}

long l0_result(long result) {
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static void (*exit_functions[32])(void);
static int exit_count;

int atexit(void (*function)(void)) {
    if (exit_count == 32)
        return -1;
    exit_functions[exit_count++] = function;
    return 0;
}

void _exit(int status) {
    for (;;)
        __l0_syscall(231, status, 0, 0, 0, 0, 0);
}

void exit(int status) {
    while (exit_count)
        exit_functions[--exit_count]();
    l0_flush_all();
    _exit(status);
}

void abort(void) {
    l0_flush_all();
    __l0_syscall(62, __l0_syscall(39, 0, 0, 0, 0, 0, 0), 6, 0, 0, 0, 0);
    _exit(127);
}

#ifdef __S4__
void longjmp(jmp_buf buffer, int value) {
    __s4_longjmp(buffer, value ? value : 1);
}
#endif

int open(const char *path, int flags, ...) {
    va_list list;
    int mode;
    va_start(list, flags);
    mode = flags & O_CREAT ? va_arg(list, int) : 0;
    va_end(list);
    return (int)l0_result(__l0_syscall(2, (long)path, flags, mode, 0, 0, 0));
}

int close(int fd) { return (int)l0_result(__l0_syscall(3, fd, 0, 0, 0, 0, 0)); }

ssize_t read(int fd, void *to, size_t count) { return l0_result(__l0_syscall(0, fd, (long)to, count, 0, 0, 0)); }

ssize_t write(int fd, const void *from, size_t count) { return l0_result(__l0_syscall(1, fd, (long)from, count, 0, 0, 0)); }

off_t lseek(int fd, off_t offset, int whence) { return l0_result(__l0_syscall(8, fd, offset, whence, 0, 0, 0)); }

int unlink(const char *path) { return (int)l0_result(__l0_syscall(87, (long)path, 0, 0, 0, 0, 0)); }

int remove(const char *path) {
    if (unlink(path) == 0)
        return 0;
    return (int)l0_result(__l0_syscall(84, (long)path, 0, 0, 0, 0, 0));
}

int rename(const char *from, const char *to) { return (int)l0_result(__l0_syscall(82, (long)from, (long)to, 0, 0, 0, 0)); }

char *getcwd(char *to, size_t size) { return l0_result(__l0_syscall(79, (long)to, size, 0, 0, 0, 0)) < 0 ? NULL : to; }

// No search along PATH: what L0's programs start is named by its path.
int execvp(const char *path, char *const *arguments) {
    return (int)l0_result(__l0_syscall(59, (long)path, (long)arguments, (long)environ, 0, 0, 0));
}

// The path itself, if something is there; links are not followed.
char *realpath(const char *path, char *resolved) {
    if (l0_result(__l0_syscall(21, (long)path, 0, 0, 0, 0, 0)) < 0)
        return NULL;
    return resolved ? strcpy(resolved, path) : strdup(path);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, long offset) {
    return (void *)l0_result(__l0_syscall(9, (long)address, length, protection, flags, fd, offset));
}

int mprotect(void *address, size_t length, int protection) {
    return (int)l0_result(__l0_syscall(10, (long)address, length, protection, 0, 0, 0));
}

int munmap(void *address, size_t length) { return (int)l0_result(__l0_syscall(11, (long)address, length, 0, 0, 0, 0)); }

int sem_init(sem_t *semaphore, int shared, unsigned value) {
    (void)shared;
    *semaphore = (int)value;
    return 0;
}

int sem_wait(sem_t *semaphore) {
    --*semaphore;
    return 0;
}

int sem_post(sem_t *semaphore) {
    ++*semaphore;
    return 0;
}

int gettimeofday(struct timeval *to, void *zone) { return (int)l0_result(__l0_syscall(96, (long)to, (long)zone, 0, 0, 0, 0)); }

time_t time(time_t *to) {
    struct timeval now;
    gettimeofday(&now, NULL);
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}

static int is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

struct tm *gmtime(const time_t *when) {
    static struct tm result;
    static const char days_of_month[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    long days = *when / 86400, rest = *when % 86400;
    int year = 1970, month = 0, length;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    result.tm_hour = (int)(rest / 3600);
    result.tm_min = (int)(rest / 60 % 60);
    result.tm_sec = (int)(rest % 60);
    result.tm_wday = (int)((days % 7 + 11) % 7);
    while (days < 0)
        days += 365 + is_leap(--year);
    while (days >= 365 + is_leap(year))
        days -= 365 + is_leap(year++);
    result.tm_year = year - 1900;
    result.tm_yday = (int)days;
    for (;;) {
        length = days_of_month[month] + (month == 1 && is_leap(year));
        if (days < length)
            break;
        days -= length;
        month++;
    }
    result.tm_mon = month;
    result.tm_mday = (int)days + 1;
    return &result;
}

// Local time is UTC.
struct tm *localtime(const time_t *when) { return gmtime(when); }
