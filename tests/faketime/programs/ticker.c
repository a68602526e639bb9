/* A program with a timer, as servers have them: ticker PERIOD_SECONDS [ORDER].
 *
 * Waits in poll(2) for the rest of its period, by the monotonic clock, and says so on stdout when it is over.
 * Where there is an ORDER, the tick of that number makes it place one: much to do at first, then a look every
 * 250 ms, as ACME clients do, and "done" in the end. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static long long monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

static void pause_for(long nanoseconds)
{
    const struct timespec pause = {.tv_nsec = nanoseconds};

    nanosleep(&pause, NULL);
}

static void order(void)
{
    for (int i = 0; i < 200; i++)
        pause_for(100000);
    for (int i = 0; i < 3; i++)
        pause_for(250000000);
    puts("done");
}

int main(int argc, char **argv)
{
    long long period = strtoll(argv[1], NULL, 10) * SECOND, next = monotonic() + period;

    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    for (int ticks = 1;; ticks++, next += period) {
        for (long long left; (left = next - monotonic()) > 0;)
            poll(NULL, 0, (int)(left / 1000000) + 1);
        printf("tick %d\n", ticks);
        if (argc > 2 && ticks == strtol(argv[2], NULL, 10))
            order();
    }
}
