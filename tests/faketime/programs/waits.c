/* waits -- eleven kinds of wait, each for 300 ms by its own clock, all at once.
 *
 * Says "ready", waits for a line on stdin, and then prints, for each, its name and how many real milliseconds it
 * took: "hang" where that is more than two seconds. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/faketime/programs/waiting.h"

#define LENGTH (SECOND * 3 / 10)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void cond_timedwait(void)
{
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    struct timespec until = in_a_while(CLOCK_REALTIME, LENGTH);

    pthread_mutex_lock(&mutex);
    while (pthread_cond_timedwait(&condition, &mutex, &until) == 0)
        ;
}

static void cond_monotonic(void)
{
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    struct timespec until = in_a_while(CLOCK_MONOTONIC, LENGTH);

    pthread_mutex_lock(&mutex);
    while (pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &until) == 0)
        ;
}

static void semaphore(void)
{
    struct timespec until = in_a_while(CLOCK_REALTIME, LENGTH);
    sem_t never;

    sem_init(&never, 0, 0);
    sem_timedwait(&never, &until);
}

static void mutex_timedlock(void)
{
    struct timespec until = in_a_while(CLOCK_REALTIME, LENGTH);

    pthread_mutex_lock(&mutex);
    pthread_mutex_timedlock(&mutex, &until);
}

static void sleep_until(void)
{
    struct timespec until = in_a_while(CLOCK_REALTIME, LENGTH);

    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
}

static void timerfd(void)
{
    struct itimerspec until = {.it_value = in_a_while(CLOCK_REALTIME, LENGTH)};
    int fd = timerfd_create(CLOCK_REALTIME, 0);
    unsigned long long times;

    timerfd_settime(fd, TFD_TIMER_ABSTIME, &until, NULL);
    while (read(fd, &times, sizeof times) < 0)
        ;
}

static void sleep_for(void)
{
    const struct timespec length = {.tv_nsec = LENGTH};

    nanosleep(&length, NULL);
}

static void poll_for(void)
{
    poll(NULL, 0, LENGTH / 1000000);
}

static void select_for(void)
{
    struct timeval length = {.tv_usec = LENGTH / 1000};

    select(0, NULL, NULL, NULL, &length);
}

static void epoll_for(void)
{
    struct epoll_event event;

    epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1, LENGTH / 1000000);
}

static void timer_for(void)
{
    struct itimerspec length = {.it_value.tv_nsec = LENGTH};
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    unsigned long long times;

    timerfd_settime(fd, 0, &length, NULL);
    while (read(fd, &times, sizeof times) < 0)
        ;
}

static const struct {
    const char *name;
    void (*wait)(void);
} kinds[] = {
    {"cond_timedwait",  cond_timedwait },
    {"cond_monotonic",  cond_monotonic },
    {"sem_timedwait",   semaphore      },
    {"mutex_timedlock", mutex_timedlock},
    {"sleep_until",     sleep_until    },
    {"timerfd",         timerfd        },
    {"nanosleep",       sleep_for      },
    {"poll",            poll_for       },
    {"select",          select_for     },
    {"epoll_wait",      epoll_for      },
    {"timer_for",       timer_for      },
};

static const char *current;

static void hangs(int signal_number)
{
    (void)signal_number;
    /* NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c): nothing else writes any more */
    dprintf(STDOUT_FILENO, "%s hang\n", current);
    _exit(0);
}

static void measure(const char *name, void (*wait_once)(void))
{
    long long began = real_milliseconds();

    current = name;
    signal(SIGALRM, hangs);
    alarm(2);
    wait_once();
    dprintf(STDOUT_FILENO, "%s %lld\n", name, real_milliseconds() - began);
    _exit(0);
}

int main(void)
{
    if (await_start() < 0)
        return 1;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (fork() == 0)
            measure(kinds[i].name, kinds[i].wait);
    while (wait(NULL) > 0)
        ;
    dprintf(STDOUT_FILENO, "end\n");
    return 0;
}
