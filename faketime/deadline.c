#include "faketime/deadline.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "faketime/enter.h"
#include "testbed/wire/moment.h"

__extension__ typedef __int128 wide; /* a period, times a rate */

bool deadline_follows(const struct clock_page *page, clockid_t id)
{
    if (!deadline_is_clock(page))
        return false;
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        return true;
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        return __atomic_load_n(&page->mono_offset, __ATOMIC_RELAXED) != 0;
    default:
        return false;
    }
}

bool deadline_wellformed(const struct timespec *time)
{
    return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < NANOSECONDS;
}

/* Waking a machine needs hardware to read its clock; the time there is the same. */
static clockid_t readable(clockid_t id)
{
    if (id == CLOCK_REALTIME_ALARM)
        return CLOCK_REALTIME;
    return id == CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME : id;
}

int64_t deadline_left(const struct clock_page *page, real_clock_fn real, clockid_t id,
                      const struct timespec *until)
{
    return page_left(page, real, readable(id), until);
}

struct timespec deadline_real(real_clock_fn real, clockid_t id, int64_t left, int64_t limit)
{
    struct timespec now = {0};
    int64_t at;

    real(readable(id), &now);
    at = (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
    /* never 0 or before: that would disarm a timer, or be refused */
    if (__builtin_add_overflow(at, left < limit ? left : limit, &at) || at < 1)
        at = left < 0 ? 1 : INT64_MAX;
    return (struct timespec){.tv_sec = at / NANOSECONDS, .tv_nsec = at % NANOSECONDS};
}

struct timespec deadline_period(const struct timespec *period, uint64_t rate)
{
    wide real = (wide)period->tv_sec * NANOSECONDS + period->tv_nsec;

    if (rate == PAGE_RATE_1 || real == 0)
        return *period;
    real = rate == 0 ? DEADLINE_FOREVER : real * (wide)PAGE_RATE_1 / (wide)rate;
    if (real > DEADLINE_FOREVER)
        real = DEADLINE_FOREVER;
    if (real < 1)
        real = 1;
    return (struct timespec){(int64_t)real / NANOSECONDS, (int64_t)real % NANOSECONDS};
}

int deadline_await_change(const struct clock_page *page, uint32_t seen,
                          const struct timespec *timeout)
{
    long result;

    if (deadline_is_clock(page))
        return (int)enter(SYS_futex, (long)&page->generation, FUTEX_WAIT, (long)seen, (long)timeout,
                          0, 0);
    result = enter(SYS_nanosleep, (long)timeout, 0, 0, 0, 0, 0);
    return result == 0 ? -ETIMEDOUT : (int)result;
}
