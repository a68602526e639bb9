/* Sleeping until a time on the calendar: on the page's generation, so that a move wakes at once. */
#include "faketime/shim.h"

#include <errno.h>

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

INTERPOSED int clock_nanosleep(clockid_t id, int flags, const struct timespec *request,
                               struct timespec *left)
{
    if (!(flags & TIMER_ABSTIME) || !shim_follows(id) || !deadline_wellformed(request))
        return shim_real()->clock_nanosleep(id, flags, request, left);
    return sleep_until(id, request);
}
