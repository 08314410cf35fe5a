// One thread only: a semaphore is a count that never has to wait.
#ifndef L0_SEMAPHORE_H
#define L0_SEMAPHORE_H
typedef int sem_t;
int sem_init(sem_t *semaphore, int shared, unsigned value);
int sem_wait(sem_t *semaphore);
int sem_post(sem_t *semaphore);
#endif
