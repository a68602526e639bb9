/* Waiting on a condition until a time on the calendar.
 *
 * Not in slices: a signal sent between two of them would be lost.  The watcher broadcasts when the
 * calendar moves; its waiter returns 0, the spurious wakeup that every caller must expect
 * (pthread_cond_timedwait(3)), looks at his predicate and comes back with his deadline.
 */
#include "faketime/shim.h"

#include <errno.h>
#include <threads.h>

struct waiter {
    struct watched watched;
    pthread_cond_t *condition;
};

/* The broadcast may come before the waiter sleeps, so it is repeated until he has left. */
static void wake(struct watched *watched, uint32_t generation)
{
    (void)generation;
    pthread_cond_broadcast(((struct waiter *)watched)->condition);
}

static int wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t id,
                      const struct timespec *until)
{
    struct waiter waiter = {.watched = {.moved = wake}, .condition = condition};
    struct timespec deadline;
    int result;

    watch_begin(&waiter.watched);
    pthread_cleanup_push(watch_end, &waiter.watched);
    deadline = shim_deadline(id, shim_left(id, until), DEADLINE_FOREVER);
    result = shim_real()->pthread_cond_clockwait(condition, mutex, id, &deadline);
    pthread_cleanup_pop(1);
    return result == ETIMEDOUT && shim_left(id, until) > 0 && shim_is_clock() ? 0 : result;
}

INTERPOSED int pthread_cond_clockwait(pthread_cond_t *restrict condition,
                                      pthread_mutex_t *restrict mutex, clockid_t id,
                                      const struct timespec *restrict until)
{
    if (!shim_follows(id) || !deadline_wellformed(until))
        return shim_real()->pthread_cond_clockwait(condition, mutex, id, until);
    return wait_until(condition, mutex, id, until);
}

/* The clock that pthread_condattr_setclock chose; glibc keeps it in this bit since 2.25. */
static clockid_t clock_of(const pthread_cond_t *condition)
{
    return __atomic_load_n(&condition->__data.__wrefs, __ATOMIC_RELAXED) & 2 ? CLOCK_MONOTONIC
                                                                             : CLOCK_REALTIME;
}

INTERPOSED int pthread_cond_timedwait(pthread_cond_t *restrict condition,
                                      pthread_mutex_t *restrict mutex,
                                      const struct timespec *restrict until)
{
    clockid_t id = clock_of(condition);

    if (!shim_follows(id) || !deadline_wellformed(until))
        return shim_real()->pthread_cond_timedwait(condition, mutex, until);
    return wait_until(condition, mutex, id, until);
}

/* A cnd_t is a pthread_cond_t of which glibc hides the type. */
INTERPOSED int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                             const struct timespec *restrict until)
{
    int error =
        pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);

    if (error == 0)
        return thrd_success;
    return error == ETIMEDOUT ? thrd_timedout : thrd_error;
}
