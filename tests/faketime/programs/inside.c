/* inside SECONDS -- threads that wait until that far ahead on the calendar, each in its own way, and one more that is
 * cancelled while it waits.
 *
 * Says "ready", waits for a line on stdin, and then prints "inside" when all are about to wait, and for each its name
 * and how many real milliseconds it took when it has ended; the last word is "end". */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/faketime/programs/waiting.h"

static struct timespec until;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t written = PTHREAD_RWLOCK_INITIALIZER;

static void condition(void)
{
    pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;

    pthread_mutex_lock(&own);
    while (pthread_cond_timedwait(&never, &own, &until) == 0)
        ;
}

static void semaphore(void)
{
    sem_t never;

    sem_init(&never, 0, 0);
    while (sem_timedwait(&never, &until) < 0 && errno == EINTR)
        ;
}

static void mutex(void)
{
    pthread_mutex_timedlock(&held, &until);
}

static void rwlock(void)
{
    pthread_rwlock_timedrdlock(&written, &until);
}

static void sleeper(void)
{
    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static void descriptor(void)
{
    const struct itimerspec at = {.it_value = until};
    int fd = timerfd_create(CLOCK_REALTIME, 0);
    unsigned long long times;

    timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL);
    while (read(fd, &times, sizeof times) < 0)
        ;
}

static timer_t a_timer(int number)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = number};
    timer_t id;

    timer_create(CLOCK_REALTIME, &event, &id);
    return id;
}

static void go_off(timer_t id, int number)
{
    const struct itimerspec at = {.it_value = until};
    sigset_t alarm;

    sigemptyset(&alarm);
    sigaddset(&alarm, number);
    timer_settime(id, TIMER_ABSTIME, &at, NULL);
    sigwait(&alarm, &number);
}

static void timer(void)
{
    go_off(a_timer(SIGALRM), SIGALRM);
}

static timer_t older; /* than anything that happens to us */

static void older_timer(void)
{
    go_off(older, SIGUSR1);
}

static void futex(void)
{
    unsigned never = 0;

    while (syscall(SYS_futex, &never, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, NULL,
                   FUTEX_BITSET_MATCH_ANY) < 0 &&
           errno == EINTR)
        ;
}

static struct way {
    const char *name;
    void (*wait)(void);
} ways[] = {
    {"condition",  condition  },
    {"semaphore",  semaphore  },
    {"mutex",      mutex      },
    {"rwlock",     rwlock     },
    {"sleep",      sleeper    },
    {"descriptor", descriptor },
    {"timer",      timer      },
    {"older",      older_timer},
    {"futex",      futex      },
};
#define WAYS (sizeof ways / sizeof ways[0])

static void *measure(void *argument)
{
    struct way *way = argument;
    long long began = real_milliseconds();

    way->wait();
    dprintf(STDOUT_FILENO, "%s %lld\n", way->name, real_milliseconds() - began);
    return NULL;
}

static pthread_mutex_t cancelled_holds = PTHREAD_MUTEX_INITIALIZER;
static volatile int cleaned; /* 1: with the mutex held, as promised */

static void clean(void *unused)
{
    (void)unused;
    cleaned = pthread_mutex_trylock(&cancelled_holds) == EBUSY;
}

static void *be_cancelled(void *unused)
{
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    struct timespec never_ends = until;

    never_ends.tv_sec += 1000000;
    pthread_mutex_lock(&cancelled_holds);
    pthread_cleanup_push(clean, NULL);
    while (pthread_cond_timedwait(&never, &cancelled_holds, &never_ends) == 0)
        ;
    pthread_cleanup_pop(0);
    return unused;
}

int main(int count, char **arguments)
{
    pthread_t threads[WAYS], cancelled;
    sigset_t alarms;
    void *result;
    char line[8];

    older = a_timer(SIGUSR1);
    dprintf(STDOUT_FILENO, "ready\n");
    if (read(STDIN_FILENO, line, sizeof line) <= 0)
        return 1;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    sigaddset(&alarms, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &alarms, NULL);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += count > 1 ? strtol(arguments[1], NULL, 10) : 1;
    pthread_mutex_lock(&held);
    pthread_rwlock_wrlock(&written);
    for (size_t i = 0; i < WAYS; i++)
        pthread_create(&threads[i], NULL, measure, &ways[i]);
    pthread_create(&cancelled, NULL, be_cancelled, NULL);
    dprintf(STDOUT_FILENO, "inside\n");
    for (size_t i = 0; i < WAYS; i++)
        pthread_join(threads[i], NULL);
    pthread_cancel(cancelled);
    pthread_join(cancelled, &result);
    dprintf(STDOUT_FILENO, "cancelled %s\n",
            result == PTHREAD_CANCELED && cleaned ? "well" : "badly");
    dprintf(STDOUT_FILENO, "end\n");
    return 0;
}
