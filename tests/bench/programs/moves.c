/* moves -- the parts of tests/bench/moves.pl that must be quick.  Times are nanoseconds of the real CLOCK_MONOTONIC.
 *
 *   moves watch              when it sees the calendar jump
 *   moves sleep              when it is woken from a sleep until an hour later on the calendar
 *   moves jump FILE          moves the clock on by two hours: when it began to
 *   moves gaps               the longest time in which it did not run, until SIGTERM
 *   moves launch N COMMAND   how long one of N launches took in the mean
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "faketime/clock.h"

#define SECOND 1000000000LL
#define HOUR   3600

static long long real_monotonic(void)
{
    struct timespec now = {0};
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"((long)SYS_clock_gettime), "D"((long)CLOCK_MONOTONIC), "S"(&now)
                     : "rcx", "r11", "memory");
    return now.tv_sec * SECOND + now.tv_nsec;
}

static void ready(void)
{
    printf("ready\n");
    fflush(stdout);
}

static long long watch(char **arguments)
{
    struct timespec before, now;

    (void)arguments;
    ready();
    clock_gettime(CLOCK_REALTIME, &before);
    do
        clock_gettime(CLOCK_REALTIME, &now);
    while (now.tv_sec < before.tv_sec + HOUR);
    return real_monotonic();
}

static long long sleep_until(char **arguments)
{
    struct timespec until;

    (void)arguments;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += HOUR;
    ready();
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
    return real_monotonic();
}

static long long jump(char **arguments)
{
    struct clock clock;
    struct error e;
    long long began;

    /* the first change maps our pages and theirs, and wakes nobody */
    if (clock_open(arguments[0], &clock, &e) < 0 || clock_advance(&clock, 0, &e) < 0)
        return -1;
    began = real_monotonic();
    return clock_advance(&clock, 2 * HOUR * SECOND, &e) < 0 ? -1 : began;
}

static volatile sig_atomic_t done;

static void stop(int signal_number)
{
    done = signal_number;
}

static long long gaps(char **arguments)
{
    long long longest = 0, before, now;

    (void)arguments;
    signal(SIGTERM, stop);
    ready();
    for (before = real_monotonic(); !done; before = now) {
        now = real_monotonic();
        longest = now - before > longest ? now - before : longest;
    }
    return longest;
}

static long long launch(char **arguments)
{
    long count = strtol(arguments[0], NULL, 10);
    long long began = real_monotonic();
    pid_t pid;

    for (long i = 0; i < count; i++)
        if (posix_spawnp(&pid, arguments[1], NULL, NULL, arguments + 1, environ) != 0 ||
            waitpid(pid, NULL, 0) < 0)
            return -1;
    return (real_monotonic() - began) / count;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        long long (*measure)(char **arguments);
    } modes[] = {
        {"watch",  watch      },
        {"sleep",  sleep_until},
        {"jump",   jump       },
        {"gaps",   gaps       },
        {"launch", launch     },
    };

    for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            return printf("%lld\n", modes[i].measure(argv + 2)) < 0;
    return 2;
}
