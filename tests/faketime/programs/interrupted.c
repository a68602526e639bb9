/* interrupted N -- waits that a signal is to end, each N times and all at once.
 *
 * The signal comes 50 ms after each has begun, or a little sooner or later: that is when who waits for slices of time
 * (DEADLINE_SLICE) is between two of them.  Says "ready", waits for a line on stdin, and then prints, for each, its
 * name and how many of the signals did not end it. */
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/faketime/programs/waiting.h"

#define LENGTH (SECOND * 8 / 10)
#define SLICE  50000 /* microseconds, as those below */
#define EARLY  150
#define SPREAD 600

static const struct timespec length = {.tv_nsec = LENGTH};

/* Each returns 0 where nobody ended it, or an errno. */

static int code(int result)
{
    return result == 0 ? 0 : errno;
}

static int by_semaphore(void)
{
    struct timespec until = in_a_while(CLOCK_REALTIME, LENGTH);
    sem_t never;

    sem_init(&never, 0, 0);
    return code(sem_timedwait(&never, &until));
}

static int by_futex(void)
{
    struct timespec until = in_a_while(CLOCK_REALTIME, LENGTH);
    unsigned word = 0;

    return code((int)syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until,
                             NULL, FUTEX_BITSET_MATCH_ANY));
}

static int by_sleep_until(void)
{
    struct timespec until = in_a_while(CLOCK_REALTIME, LENGTH);

    return clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
}

static int by_sleep(void)
{
    return code(nanosleep(&length, NULL));
}

static int by_poll(void)
{
    return code(poll(NULL, 0, LENGTH / 1000000));
}

static int by_ppoll(void)
{
    sigset_t none;

    sigemptyset(&none);
    return code(ppoll(NULL, 0, &length, &none));
}

static int by_select(void)
{
    struct timeval timeout = {.tv_usec = LENGTH / 1000};

    return code(select(0, NULL, NULL, NULL, &timeout));
}

static int by_epoll(void)
{
    static int epoll = -1;
    struct epoll_event event;

    if (epoll < 0)
        epoll = epoll_create1(EPOLL_CLOEXEC);
    return code(epoll_wait(epoll, &event, 1, LENGTH / 1000000));
}

static const struct {
    const char *name;
    int (*wait)(void);
} kinds[] = {
    {"sem_timedwait", by_semaphore  },
    {"futex",         by_futex      },
    {"sleep_until",   by_sleep_until},
    {"nanosleep",     by_sleep      },
    {"poll",          by_poll       },
    {"ppoll",         by_ppoll      },
    {"select",        by_select     },
    {"epoll_wait",    by_epoll      },
};

static void ignore(int signal_number)
{
    (void)signal_number; /* that it has come is all */
}

/* Microseconds of a clock that no calendar moves. */
static long now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC_RAW, &time);
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* Whether the signal did not end it, though it can only have come when it had begun. */
static int goes_on(int (*wait_once)(void), long after)
{
    const struct itimerval timer = {.it_value.tv_usec = after};
    long began = now();
    int late;

    setitimer(ITIMER_REAL, &timer, NULL);
    late = now() - began > SLICE / 2;
    return wait_once() != EINTR && !late;
}

static void measure(const char *name, int (*wait_once)(void), long rounds)
{
    struct sigaction action = {.sa_handler = ignore}; /* without SA_RESTART */
    int unnoticed = 0;

    sigaction(SIGALRM, &action, NULL);
    for (long i = 0; i < rounds; i++)
        unnoticed += goes_on(wait_once, SLICE - EARLY + i * SPREAD / rounds);
    dprintf(STDOUT_FILENO, "%s %d\n", name, unnoticed);
    _exit(0);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;

    if (await_start() < 0)
        return 1;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (fork() == 0)
            measure(kinds[i].name, kinds[i].wait, rounds);
    while (wait(NULL) > 0)
        ;
    dprintf(STDOUT_FILENO, "end\n");
    return 0;
}
