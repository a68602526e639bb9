/* shim_calls.h -- libc's functions by name, for tables of them in C and in assembler. */
#ifndef FAKETIME_SHIM_CALLS_H
#define FAKETIME_SHIM_CALLS_H

/* clang-format off */

/* Those that lie below ours (shim.h): their names, and the version where the default one would be another
 * function (NULL: the default). */
#define SHIM_REAL_CALLS(X)                  \
    X(__poll_chk, NULL)                     \
    X(__ppoll_chk, NULL)                    \
    X(clock_nanosleep, NULL)                \
    X(clock_settime, NULL)                  \
    X(epoll_pwait, NULL)                    \
    X(epoll_wait, NULL)                     \
    X(execve, NULL)                         \
    X(execveat, NULL)                       \
    X(execvpe, NULL)                        \
    X(fexecve, NULL)                        \
    X(mq_timedreceive, NULL)                \
    X(mq_timedsend, NULL)                   \
    X(poll, NULL)                           \
    X(posix_spawn, NULL)                    \
    X(posix_spawnp, NULL)                   \
    X(ppoll, NULL)                          \
    X(pselect, NULL)                        \
    X(pthread_clockjoin_np, NULL)           \
    X(pthread_cond_clockwait, NULL)         \
    X(pthread_cond_timedwait, "GLIBC_2.3.2") \
    X(pthread_mutex_clocklock, NULL)        \
    X(pthread_rwlock_clockrdlock, NULL)     \
    X(pthread_rwlock_clockwrlock, NULL)     \
    X(select, NULL)                         \
    X(sem_clockwait, NULL)                  \
    X(settimeofday, NULL)                   \
    X(timer_create, NULL)                   \
    X(timer_delete, NULL)                   \
    X(timer_gettime, NULL)                  \
    X(timer_settime, NULL)                  \
    X(timerfd_gettime, NULL)                \
    X(timerfd_settime, NULL)                \
    X(timespec_get, NULL)

/* The same for what glibc has only since 2.35: NULL where there is none. */
#define SHIM_LATER_CALLS(X) X(epoll_pwait2, NULL)

/* clang-format on */

#endif
