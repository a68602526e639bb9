/* Waiting for a semaphore until a time on the calendar.
 *
 * libc's own wait cannot be told that the calendar has moved, so here is one beside it, on what glibc has kept in a
 * sem_t since 2.21: the value, which is a futex, and in the upper half of its word how many wait for it, whom sem_post
 * wakes.
 */
#include <errno.h>
#include <linux/futex.h>

#include "faketime/shim_futex.h"

#define ONE_WAITS (UINT64_C(1) << 32)

struct semaphore {
    uint64_t value_and_waiters;
    int shared; /* 0: by nobody else */
};

static void stop_waiting(void *semaphore)
{
    __atomic_fetch_sub(&((struct semaphore *)semaphore)->value_and_waiters, ONE_WAITS,
                       __ATOMIC_RELAXED);
}

/* Whether there was one to take; with it goes what is to go with it. */
static bool take(struct semaphore *semaphore, uint64_t with_it)
{
    uint64_t seen = __atomic_load_n(&semaphore->value_and_waiters, __ATOMIC_RELAXED);

    while ((uint32_t)seen != 0)
        if (__atomic_compare_exchange_n(&semaphore->value_and_waiters, &seen, seen - 1 - with_it,
                                        true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    return false;
}

/* As one of those who wait. */
static int wait_until(struct semaphore *semaphore, clockid_t id, const struct timespec *until)
{
    const struct futex futex = {
        .word = (uint32_t *)&semaphore->value_and_waiters,
        .bitset = FUTEX_BITSET_MATCH_ANY,
        .private = semaphore->shared ? 0 : FUTEX_PRIVATE_FLAG,
        .cancellation = true,
    };
    struct timespec end = *until;

    while (!take(semaphore, ONE_WAITS)) {
        int result = shim_futex_until(&futex, id, until, &end);

        if (result != 0 && result != EAGAIN)
            return result;
    }
    return 0;
}

static int enqueue(struct semaphore *semaphore, clockid_t id, const struct timespec *until)
{
    int result;

    __atomic_fetch_add(&semaphore->value_and_waiters, ONE_WAITS, __ATOMIC_RELAXED);
    pthread_cleanup_push(stop_waiting, semaphore);
    result = wait_until(semaphore, id, until);
    pthread_cleanup_pop(result != 0);
    return result;
}

INTERPOSED int sem_clockwait(sem_t *restrict semaphore, clockid_t id,
                             const struct timespec *restrict until)
{
    int error;

    if ((id != CLOCK_REALTIME && id != CLOCK_MONOTONIC) || !shim_follows(id) ||
        !deadline_wellformed(until))
        return shim_real()->sem_clockwait(semaphore, id, until);
    if (take((struct semaphore *)semaphore, 0))
        return 0;
    error = enqueue((struct semaphore *)semaphore, id, until);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

INTERPOSED int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
    return sem_clockwait(semaphore, CLOCK_REALTIME, until);
}
