#ifndef L0_UNISTD_H
#define L0_UNISTD_H
#include <stddef.h>
typedef long ssize_t;
typedef long off_t;
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
int close(int fd);
ssize_t read(int fd, void *to, size_t count);
ssize_t write(int fd, const void *from, size_t count);
off_t lseek(int fd, off_t offset, int whence);
int unlink(const char *path);
char *getcwd(char *to, size_t size);
int execvp(const char *path, char *const *arguments);
void _exit(int status);
extern char **environ;
#endif
