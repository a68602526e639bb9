#include "faketime/shim_futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "faketime/enter.h"

struct waiter {
    struct watched watched;
    const struct futex *futex;
};

/* Whoever else waits there is woken, too, and looks.  It is repeated, for the waiter may not sleep yet. */
static void wake(struct watched *watched, uint32_t generation)
{
    const struct futex *futex = ((struct waiter *)watched)->futex;

    (void)generation;
    enter(SYS_futex, (long)futex->word, FUTEX_WAKE | futex->private, INT_MAX, 0, 0, 0);
}

static int wait_really(const struct futex *futex, clockid_t id, const struct timespec *deadline)
{
    int operation = FUTEX_WAIT_BITSET | futex->private;
    int before = PTHREAD_CANCEL_DEFERRED, result;

    if (id == CLOCK_REALTIME)
        operation |= FUTEX_CLOCK_REALTIME;
    if (futex->cancellation)
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before); /* NOLINT(cert-pos47-c) */
    result = (int)enter(SYS_futex, (long)futex->word, operation, (long)futex->expected,
                        (long)deadline, 0, (long)futex->bitset);
    if (futex->cancellation)
        pthread_setcanceltype(before, &before);
    return -result;
}

int shim_futex_until(const struct futex *futex, clockid_t id, const struct timespec *until,
                     struct timespec *end)
{
    struct waiter waiter = {.watched = {.moved = wake}, .futex = futex};
    struct timespec deadline;
    int result;

    watch_begin(&waiter.watched);
    pthread_cleanup_push(watch_end, &waiter.watched);
    deadline = shim_deadline(id, shim_left(id, until), DEADLINE_FOREVER);
    if (shim_is_clock())
        *end = deadline;
    result = wait_really(futex, id, end);
    pthread_cleanup_pop(1);
    return result == ETIMEDOUT && shim_left(id, until) > 0 && shim_is_clock() ? 0 : result;
}
