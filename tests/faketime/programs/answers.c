/* Answers every line on stdin with the time by each of the three calls that tell it, and with what went wrong in
 * its other threads, which read the clock, compute, and are interrupted a thousand times a second.
 *
 *     REALTIME gettimeofday time backward wrong reads
 */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static volatile long wrong, backward, reads;
static long
    ahead; /* the calendar jumps by whole multiples of this many seconds: no step back otherwise */

static int64_t now_ns(clockid_t id)
{
    struct timespec now;

    if (clock_gettime(id, &now) != 0 || now.tv_nsec < 0 || now.tv_nsec >= 1000000000)
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void check_time(int64_t before, int64_t after)
{
    int64_t jump = (int64_t)ahead * 1000000000, step = after - before;

    if (step < -jump / 2) /* taken off */
        step += jump;
    else if (step > jump / 2) /* put on */
        step -= jump;
    if (step < 0)
        __atomic_add_fetch(&backward, 1, __ATOMIC_RELAXED);
    if (step > INT64_C(60000000000))
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
}

/* Registers of every kind are in use: what comes back changed shows. */
static void compute(double seed)
{
    volatile double start = seed;
    double a = start, b = start + 1, c = start + 2, d = start + 3;

    for (int i = 0; i < 500; i++)
        a += 1, b += 2, c += 3, d += 4;
    if (a != start + 500 || b != start + 1001 || c != start + 1502 || d != start + 2003)
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
}

static void *run(void *unused)
{
    int64_t before = now_ns(CLOCK_REALTIME), mono = now_ns(CLOCK_MONOTONIC);

    (void)unused;
    for (;;) {
        int64_t now = now_ns(CLOCK_REALTIME), still = now_ns(CLOCK_MONOTONIC);

        check_time(before, now);
        if (still < mono)
            __atomic_add_fetch(&backward, 1, __ATOMIC_RELAXED);
        before = now;
        mono = still;
        compute((double)(now % 1000));
        __atomic_add_fetch(&reads, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void tick(int signal)
{
    (void)signal;
    now_ns(CLOCK_REALTIME);
    time(NULL);
}

/* answers SECONDS [THREADS]: by what the calendar it may be put on is ahead, and how many threads. */
int main(int argc, char **argv)
{
    struct itimerval timer = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}};
    struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
    long threads = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    char line[16];

    ahead = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    for (long i = 0; i < threads; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, run, NULL) != 0)
            return 1;
    }
    sigaction(SIGALRM, &action, NULL);
    if (threads > 0)
        setitimer(ITIMER_REAL, &timer, NULL);
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct timeval day;

        gettimeofday(&day, NULL);
        printf("%lld %lld %lld %ld %ld %ld\n", (long long)(now_ns(CLOCK_REALTIME) / 1000000000),
               (long long)day.tv_sec, (long long)time(NULL), backward, wrong, reads);
        fflush(stdout);
    }
    return 0;
}
