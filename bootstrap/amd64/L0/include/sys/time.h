#ifndef L0_SYS_TIME_H
#define L0_SYS_TIME_H
#include <time.h>
struct timeval {
    long tv_sec, tv_usec;
};
int gettimeofday(struct timeval *to, void *zone);
#endif
