#ifndef L0_ERRNO_H
#define L0_ERRNO_H
extern int errno;
#define ENOENT 2
#define EINTR 4
#define ENOMEM 12
#define EEXIST 17
#define EINVAL 22
#define ERANGE 34
#endif
