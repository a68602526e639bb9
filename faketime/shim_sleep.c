/* Sleeping until a time on the calendar, or for a while on monotonic clocks that have a rate: on the page's
 * generation, so that a move wakes at once. */
#include "faketime/shim.h"

#include <errno.h>
#include <threads.h>

#include "testbed/wire/moment.h"

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
    struct timespec end = *until; /* the real time that it was last seen to fall on */

    for (;;) {
        uint32_t generation = shim_generation();
        int64_t left = shim_left(id, until);
        struct timespec timeout;

        if (!shim_is_clock())
            return shim_real()->clock_nanosleep(id, TIMER_ABSTIME, &end, NULL);
        if (left <= 0)
            return 0;
        end = shim_deadline(id, left, DEADLINE_FOREVER);
        if (left > DEADLINE_FOREVER)
            left = DEADLINE_FOREVER;
        timeout = (struct timespec){.tv_sec = left / NANOSECONDS, .tv_nsec = left % NANOSECONDS};
        if (await_change_or_cancel(generation, &timeout) == -EINTR)
            return EINTR;
    }
}

bool shim_scales(void)
{
    return shim_follows(CLOCK_MONOTONIC) && shim_rate(CLOCK_MONOTONIC) != PAGE_RATE_1;
}

struct timespec shim_end(const struct timespec *length)
{
    struct timespec end = {0};

    shim_read(CLOCK_MONOTONIC, &end);
    end.tv_nsec += length->tv_nsec;
    if (__builtin_add_overflow(end.tv_sec, length->tv_sec + end.tv_nsec / NANOSECONDS, &end.tv_sec))
        end.tv_sec = INT64_MAX;
    end.tv_nsec %= NANOSECONDS;
    return end;
}

struct timespec shim_remaining(const struct timespec *end)
{
    struct timespec now = {0};
    int64_t left;

    shim_read(CLOCK_MONOTONIC, &now);
    if (__builtin_mul_overflow(end->tv_sec - now.tv_sec, NANOSECONDS, &left) ||
        __builtin_add_overflow(left, end->tv_nsec - now.tv_nsec, &left))
        left = INT64_MAX;
    if (left < 0)
        left = 0;
    return (struct timespec){.tv_sec = left / NANOSECONDS, .tv_nsec = left % NANOSECONDS};
}

/* `left` may be `request`. */
static int sleep_for(const struct timespec *request, struct timespec *left)
{
    const struct timespec until = shim_end(request);
    int result = sleep_until(CLOCK_MONOTONIC, &until);

    if (result == EINTR && left != NULL)
        *left = shim_remaining(&until);
    return result;
}

INTERPOSED int clock_nanosleep(clockid_t id, int flags, const struct timespec *request,
                               struct timespec *left)
{
    bool until = (flags & TIMER_ABSTIME) != 0;

    if (!deadline_wellformed(request) || !(until ? shim_follows(id) : shim_scales()))
        return shim_real()->clock_nanosleep(id, flags, request, left);
    return until ? sleep_until(id, request) : sleep_for(request, left);
}

INTERPOSED int nanosleep(const struct timespec *request, struct timespec *left)
{
    int error = clock_nanosleep(CLOCK_REALTIME, 0, request, left);

    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

INTERPOSED int usleep(useconds_t length)
{
    const struct timespec request = {.tv_sec = length / 1000000,
                                     .tv_nsec = length % 1000000 * 1000L};

    return nanosleep(&request, NULL);
}

INTERPOSED unsigned sleep(unsigned seconds)
{
    struct timespec left = {.tv_sec = seconds};

    return clock_nanosleep(CLOCK_REALTIME, 0, &left, &left) == 0 ? 0 : (unsigned)left.tv_sec;
}

INTERPOSED int thrd_sleep(const struct timespec *request, struct timespec *left)
{
    int error = clock_nanosleep(CLOCK_REALTIME, 0, request, left);

    if (error == 0)
        return 0;
    return error == EINTR ? -1 : -2;
}
