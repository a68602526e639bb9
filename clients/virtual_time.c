#include "clients/virtual_time.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <sys/time.h>

#include "testbed/wire/moment.h"

static bool shown; /* is `moment` shown instead of the real calendar? */
static struct timespec moment;

void virtual_time_begin(int64_t nanoseconds)
{
    int64_t rest = nanoseconds % NANOSECONDS;

    moment.tv_sec = nanoseconds / NANOSECONDS - (rest < 0);
    moment.tv_nsec = rest < 0 ? rest + NANOSECONDS : rest;
    shown = true;
}

void virtual_time_end(void)
{
    shown = false;
}

int true_clock_gettime(clockid_t id, struct timespec *now)
{
    static int (*libc)(clockid_t, struct timespec *);

    if (libc == NULL) /* POSIX: the only way to make a function of what dlsym returns */
        *(void **)&libc = dlsym(RTLD_NEXT, "clock_gettime");
    return libc(id, now);
}

double true_monotonic(void)
{
    struct timespec now;

    true_clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- what libc would have answered, on our calendar ---------------------------------------- */

int clock_gettime(clockid_t id, struct timespec *now)
{
    if (!shown || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE && id != CLOCK_TAI))
        return true_clock_gettime(id, now);
    *now = moment;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

int timespec_get(struct timespec *now, int base)
{
    if (base != TIME_UTC)
        return 0;
    clock_gettime(CLOCK_REALTIME, now);
    return base;
}
