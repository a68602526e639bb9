/* Waiting for a lock, a queue or a thread until a time on the calendar.
 *
 * What they wait for lasts, so they are asked for short slices of time until it is there or the
 * calendar has reached the deadline.  The *_timed* calls are the *_clock* ones on CLOCK_REALTIME.
 */
#include "faketime/shim.h"

#include <errno.h>
#include <threads.h>

#include "faketime/shim_lock.h"

int shim_sliced(const struct attempt *attempt, clockid_t id, const struct timespec *until)
{
    struct timespec end; /* the real time that it was last seen to fall on */
    int64_t left;
    int result;

    if (until == NULL || !shim_follows(id) || !deadline_wellformed(until))
        return attempt->once(attempt, until);
    end = *until;
    do {
        struct timespec slice;

        left = shim_left(id, until);
        if (!shim_is_clock())
            return attempt->once(attempt, &end);
        end = shim_deadline(id, left, DEADLINE_FOREVER);
        slice = shim_deadline(id, left, DEADLINE_SLICE);
        result = attempt->once(attempt, &slice);
    } while (result == ETIMEDOUT && left > 0);
    return result;
}

/* libc's two ways of reporting, in one: 0 or an errno. */
static int code(int result)
{
    return result == 0 ? 0 : errno;
}

static int result_of(int error)
{
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

static int lock_mutex(const struct attempt *attempt, const struct timespec *until)
{
    return shim_real()->pthread_mutex_clocklock(attempt->object, attempt->id, until);
}

static int lock_reader(const struct attempt *attempt, const struct timespec *until)
{
    return shim_real()->pthread_rwlock_clockrdlock(attempt->object, attempt->id, until);
}

static int lock_writer(const struct attempt *attempt, const struct timespec *until)
{
    return shim_real()->pthread_rwlock_clockwrlock(attempt->object, attempt->id, until);
}

static int join(const struct attempt *attempt, const struct timespec *until)
{
    return shim_real()->pthread_clockjoin_np(attempt->thread, attempt->object, attempt->id, until);
}

INTERPOSED int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t id,
                                       const struct timespec *until)
{
    return shim_sliced(&(struct attempt){lock_mutex, .object = mutex, .id = id}, id, until);
}

INTERPOSED int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
    return pthread_mutex_clocklock(mutex, CLOCK_REALTIME, until);
}

/* A mtx_t is a pthread_mutex_t of which glibc hides the type. */
INTERPOSED int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict until)
{
    int error = pthread_mutex_clocklock((pthread_mutex_t *)mutex, CLOCK_REALTIME, until);

    if (error == 0)
        return thrd_success;
    return error == ETIMEDOUT ? thrd_timedout : thrd_error;
}

INTERPOSED int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t id,
                                          const struct timespec *until)
{
    return shim_sliced(&(struct attempt){lock_reader, .object = lock, .id = id}, id, until);
}

INTERPOSED int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict lock,
                                          const struct timespec *restrict until)
{
    return pthread_rwlock_clockrdlock(lock, CLOCK_REALTIME, until);
}

INTERPOSED int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t id,
                                          const struct timespec *until)
{
    return shim_sliced(&(struct attempt){lock_writer, .object = lock, .id = id}, id, until);
}

INTERPOSED int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict lock,
                                          const struct timespec *restrict until)
{
    return pthread_rwlock_clockwrlock(lock, CLOCK_REALTIME, until);
}

INTERPOSED int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t id,
                                    const struct timespec *until)
{
    struct attempt attempt = {join, .object = result, .thread = thread, .id = id};

    return shim_sliced(&attempt, id, until);
}

INTERPOSED int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *until)
{
    return pthread_clockjoin_np(thread, result, CLOCK_REALTIME, until);
}

/* --- message queues -------------------------------------------------------------------------- */

struct message {
    struct attempt attempt;
    mqd_t queue;
    const char *out;
    char *in;
    size_t size;
    unsigned out_priority;
    unsigned *in_priority;
    ssize_t *received;
};

static int send(const struct attempt *attempt, const struct timespec *until)
{
    const struct message *message = (const void *)attempt;

    return code(shim_real()->mq_timedsend(message->queue, message->out, message->size,
                                          message->out_priority, until));
}

static int receive(const struct attempt *attempt, const struct timespec *until)
{
    const struct message *message = (const void *)attempt;

    *message->received = shim_real()->mq_timedreceive(message->queue, message->in, message->size,
                                                      message->in_priority, until);
    return *message->received < 0 ? errno : 0;
}

INTERPOSED int mq_timedsend(mqd_t queue, const char *bytes, size_t size, unsigned priority,
                            const struct timespec *until)
{
    struct message message = {
        {.once = send}, .queue = queue, .out = bytes, .size = size, .out_priority = priority};

    return result_of(shim_sliced(&message.attempt, CLOCK_REALTIME, until));
}

INTERPOSED ssize_t mq_timedreceive(mqd_t queue, char *restrict bytes, size_t size,
                                   unsigned *restrict priority,
                                   const struct timespec *restrict until)
{
    ssize_t received = -1;
    struct message message = {{.once = receive}, .queue = queue,          .in = bytes,
                              .size = size,      .in_priority = priority, .received = &received};

    return result_of(shim_sliced(&message.attempt, CLOCK_REALTIME, until)) < 0 ? -1 : received;
}
