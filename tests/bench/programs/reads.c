/* reads N: processor nanoseconds that one reading of the clock costs, by each call.
 *
 * Processor time is taken with clock(3), which no shim here puts its hands on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static volatile long sink;

static void read_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    sink = now.tv_nsec;
}

static void read_coarse(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    sink = now.tv_nsec;
}

static void read_day(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    sink = now.tv_usec;
}

static void read_time(void)
{
    sink = time(NULL);
}

static const struct {
    const char *name;
    void (*read)(void);
} calls[] = {
    {"clock_gettime", read_clock },
    {"coarse",        read_coarse},
    {"gettimeofday",  read_day   },
    {"time",          read_time  },
};

int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        clock_t began;

        for (long warm = 0; warm < count / 10; warm++)
            calls[i].read();
        began = clock();
        for (long n = 0; n < count; n++)
            calls[i].read();
        printf("%s %.2f\n", calls[i].name,
               (double)(clock() - began) * 1e9 / CLOCKS_PER_SEC / (double)count);
    }
    return 0;
}
