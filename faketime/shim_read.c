/* The calls that read the calendar. */
#include "faketime/shim.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/timeb.h>

#include "faketime/enter.h"

INTERPOSED int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = shim_gettime(id, now);

    if (__builtin_expect(result == 0, 1))
        return 0;
    errno = -result;
    return -1;
}

/* The time zone is the kernel's; only this system call still knows it. */
static void read_zone(struct timezone *zone)
{
    struct timeval ignored;

    enter(SYS_gettimeofday, (long)&ignored, (long)zone, 0, 0, 0, 0);
}

INTERPOSED int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timeval *wanted = now;
    struct timespec precise;

    __asm__("" : "+r"(wanted)); /* declared never NULL, and yet some ask for the zone alone */
    if (zone != NULL)
        read_zone(zone);
    if (wanted == NULL)
        return 0;
    shim_gettime(CLOCK_REALTIME, &precise);
    *wanted =
        (struct timeval){.tv_sec = precise.tv_sec, .tv_usec = (uint32_t)precise.tv_nsec / 1000};
    return 0;
}

/* The coarse clock, as the kernel's own time() does. */
INTERPOSED time_t time(time_t *out)
{
    struct timespec now;

    shim_gettime(CLOCK_REALTIME_COARSE, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}

INTERPOSED int timespec_get(struct timespec *now, int base)
{
    if (base != TIME_UTC)
        return shim_real()->timespec_get(now, base);
    shim_gettime(CLOCK_REALTIME, now);
    return base;
}

INTERPOSED int ftime(struct timeb *out)
{
    struct timespec now;

    shim_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeb){.time = now.tv_sec, .millitm = (unsigned short)(now.tv_nsec / 1000000)};
    return 0;
}

/* A program on a calendar of ours that sets "the time" would set the machine's. */
INTERPOSED int clock_settime(clockid_t id, const struct timespec *now)
{
    if (!shim_follows(id))
        return shim_real()->clock_settime(id, now);
    errno = EPERM;
    return -1;
}

INTERPOSED int settimeofday(const struct timeval *now, const struct timezone *zone)
{
    if (!shim_follows(CLOCK_REALTIME))
        return shim_real()->settimeofday(now, zone);
    errno = EPERM;
    return -1;
}
