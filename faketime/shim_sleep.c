/* Sleeping until a time on the calendar: on the page's generation, so that a move wakes at once. */
#include "faketime/shim.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "testbed/wire/moment.h"

bool shim_follows(clockid_t id)
{
    const struct clock_page *page;

    shim_start();
    page = __atomic_load_n(&shim_clock.page, __ATOMIC_RELAXED);
    if (page->magic != PAGE_MAGIC) /* the one of ours that adds nothing */
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

bool shim_wellformed(const struct timespec *time)
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

int64_t shim_left(clockid_t id, const struct timespec *until)
{
    return page_left(shim_clock.page, shim_clock.real.clock, readable(id), until);
}

struct timespec shim_deadline(clockid_t id, int64_t left, int64_t limit)
{
    struct timespec now = {0};
    int64_t at;

    shim_clock.real.clock(readable(id), &now);
    at = (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
    /* never 0 or before: that would disarm a timer, or be refused */
    if (__builtin_add_overflow(at, left < limit ? left : limit, &at) || at < 1)
        at = left < 0 ? 1 : INT64_MAX;
    return (struct timespec){.tv_sec = at / NANOSECONDS, .tv_nsec = at % NANOSECONDS};
}

uint32_t shim_generation(void)
{
    return __atomic_load_n(&shim_clock.page->generation, __ATOMIC_ACQUIRE);
}

int shim_await_change(uint32_t seen, const struct timespec *timeout)
{
    return (int)shim_enter(SYS_futex, (long)&shim_clock.page->generation, FUTEX_WAIT, (long)seen,
                           (long)timeout, 0, 0);
}

/* clock_nanosleep is a cancellation point; a bare system call is one only in this way. */
static int await_change_or_cancel(uint32_t seen, const struct timespec *timeout)
{
    int before, result;

    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before); /* NOLINT(cert-pos47-c) */
    result = shim_await_change(seen, timeout);
    pthread_setcanceltype(before, &before);
    return result;
}

static int sleep_until(clockid_t id, const struct timespec *until)
{
    for (;;) {
        uint32_t generation = shim_generation();
        int64_t left = shim_left(id, until);
        struct timespec timeout;

        if (left <= 0)
            return 0;
        if (left > SHIM_FOREVER)
            left = SHIM_FOREVER;
        timeout = (struct timespec){.tv_sec = left / NANOSECONDS, .tv_nsec = left % NANOSECONDS};
        if (await_change_or_cancel(generation, &timeout) == -EINTR)
            return EINTR;
    }
}

INTERPOSED int clock_nanosleep(clockid_t id, int flags, const struct timespec *request,
                               struct timespec *left)
{
    if (!(flags & TIMER_ABSTIME) || !shim_follows(id) || !shim_wellformed(request))
        return shim_real()->clock_nanosleep(id, flags, request, left);
    return sleep_until(id, request);
}
