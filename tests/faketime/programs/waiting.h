/* waiting.h -- what programs that wait, and tell how long that took, have in common. */
#ifndef PROGRAMS_WAITING_H
#define PROGRAMS_WAITING_H

#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000L

/* `length` nanoseconds from now, less than a second. */
static inline struct timespec in_a_while(clockid_t id, long length)
{
    struct timespec then;

    clock_gettime(id, &then);
    then.tv_nsec += length;
    then.tv_sec += then.tv_nsec / SECOND;
    then.tv_nsec %= SECOND;
    return then;
}

/* Whatever was done to libc, and to the vDSO. */
static inline long long real_milliseconds(void)
{
    struct timespec now = {0};

    __asm__ volatile("syscall"
                     :
                     : "a"((long)SYS_clock_gettime), "D"((long)CLOCK_MONOTONIC), "S"(&now)
                     : "rcx", "r11", "memory");
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Says that it is ready, and waits for a line on stdin; -1 where there will be none. */
static inline int await_start(void)
{
    char line[8];

    dprintf(STDOUT_FILENO, "ready\n");
    return read(STDIN_FILENO, line, sizeof line) < 0 ? -1 : 0;
}

#endif
