/* Waiting for events for a while, where the monotonic clocks have a rate.
 *
 * Whoever waits is to notice that the rate changes, so he waits for slices of time until the end, which is a time on
 * CLOCK_MONOTONIC.  Elsewhere, and where a wait is for ever or not at all, it is the kernel's.  Between two slices
 * signals are kept out: one that comes then interrupts the next, as it would have interrupted the whole.
 */
#include "faketime/shim.h"

#include <limits.h>

#include "testbed/wire/moment.h"

struct events {
    /* Waits for `slice` of real time: 0 nothing came, or what the caller is told. */
    int (*once)(const struct events *events, const struct timespec *slice);
    int fd;
    int count;
    const sigset_t *mask;
    struct pollfd *files;
    struct epoll_event *found;
    fd_set *sets[3];
    const fd_set *wanted;
};

/* Taken off the clock meanwhile, what was left then is waited for really. */
static int wait_in_slices(const struct events *events, const struct timespec *until)
{
    int64_t rest = 0;

    for (;;) {
        int64_t left = shim_left(CLOCK_MONOTONIC, until);
        int64_t slice;
        struct timespec timeout = {0};
        int result;

        if (!shim_is_clock())
            left = rest;
        slice = left < DEADLINE_SLICE ? left : DEADLINE_SLICE;
        if (slice > 0)
            timeout.tv_nsec = slice;
        result = events->once(events, &timeout);
        if (result != 0 || left <= 0)
            return result;
        rest = left - slice;
    }
}

static void set_mask(void *mask)
{
    pthread_sigmask(SIG_SETMASK, mask, NULL);
}

static int wait_until(struct events *events, const struct timespec *until)
{
    const sigset_t *asked = events->mask;
    sigset_t all, before;
    int result;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (asked == NULL)
        events->mask = &before;
    pthread_cleanup_push(set_mask, &before);
    result = wait_in_slices(events, until);
    pthread_cleanup_pop(1);
    events->mask = asked;
    return result;
}

static bool scales(const struct timespec *length)
{
    return length != NULL && deadline_wellformed(length) &&
           (length->tv_sec > 0 || length->tv_nsec > 0) && shim_scales();
}

static struct timespec milliseconds(int length)
{
    return (struct timespec){.tv_sec = length / 1000, .tv_nsec = length % 1000 * 1000000L};
}

/* --- poll -------------------------------------------------------------------------------------- */

static int poll_once(const struct events *events, const struct timespec *slice)
{
    return shim_real()->ppoll(events->files, (nfds_t)events->count, slice, events->mask);
}

INTERPOSED int ppoll(struct pollfd *files, nfds_t count, const struct timespec *length,
                     const sigset_t *mask)
{
    struct timespec until;

    if (!scales(length) || count > INT_MAX)
        return shim_real()->ppoll(files, count, length, mask);
    until = shim_end(length);
    return wait_until(
        &(struct events){poll_once, .files = files, .count = (int)count, .mask = mask}, &until);
}

INTERPOSED int poll(struct pollfd *files, nfds_t count, int timeout)
{
    const struct timespec length = milliseconds(timeout);

    if (timeout <= 0 || !scales(&length))
        return shim_real()->poll(files, count, timeout);
    return ppoll(files, count, &length, NULL);
}

/* Where `files` is too short the real one ends the program. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): libc's name */
INTERPOSED int __poll_chk(struct pollfd *files, nfds_t count, int timeout, size_t size)
{
    if (size / sizeof *files < count)
        return shim_real()->__poll_chk(files, count, timeout, size);
    return poll(files, count, timeout);
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
INTERPOSED int __ppoll_chk(struct pollfd *files, nfds_t count, const struct timespec *length,
                           const sigset_t *mask, size_t size)
{
    if (size / sizeof *files < count)
        return shim_real()->__ppoll_chk(files, count, length, mask, size);
    return ppoll(files, count, length, mask);
}

/* --- epoll ------------------------------------------------------------------------------------- */

static int epoll_once(const struct events *events, const struct timespec *slice)
{
    __typeof__(epoll_pwait2) *precise = shim_epoll_pwait2();

    if (precise != NULL)
        return precise(events->fd, events->found, events->count, slice, events->mask);
    return shim_real()->epoll_pwait(events->fd, events->found, events->count,
                                    (int)((slice->tv_nsec + 999999) / 1000000), events->mask);
}

static int epoll_for(const struct timespec *length, struct events *events)
{
    const struct timespec until = shim_end(length);

    return wait_until(events, &until);
}

INTERPOSED int epoll_pwait2(int fd, struct epoll_event *events, int count,
                            const struct timespec *length, const sigset_t *mask)
{
    if (!scales(length))
        return shim_epoll_pwait2()(fd, events, count, length, mask);
    return epoll_for(length, &(struct events){epoll_once, fd, count, mask, .found = events});
}

INTERPOSED int epoll_pwait(int fd, struct epoll_event *events, int count, int timeout,
                           const sigset_t *mask)
{
    const struct timespec length = milliseconds(timeout);

    if (timeout <= 0 || !scales(&length))
        return shim_real()->epoll_pwait(fd, events, count, timeout, mask);
    return epoll_for(&length, &(struct events){epoll_once, fd, count, mask, .found = events});
}

INTERPOSED int epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
    const struct timespec length = milliseconds(timeout);

    if (timeout <= 0 || !scales(&length))
        return shim_real()->epoll_wait(fd, events, count, timeout);
    return epoll_for(&length, &(struct events){epoll_once, fd, count, .found = events});
}

/* --- select ------------------------------------------------------------------------------------ */

/* They need not be larger than what is counted.  libc's own copying is one of several, of which a loader chooses, and a
 * compiler would take it for the loop; a blob has none. */
static void copy_set(fd_set *to, const fd_set *from, int count)
{
    for (int i = 0; i < (count + NFDBITS - 1) / NFDBITS; i++) {
        to->fds_bits[i] = from->fds_bits[i];
        __asm__ volatile("" ::: "memory");
    }
}

/* The sets say afterwards what came: each slice begins with what was wanted. */
static int select_once(const struct events *events, const struct timespec *slice)
{
    for (size_t i = 0; i < 3; i++)
        if (events->sets[i] != NULL)
            copy_set(events->sets[i], &events->wanted[i], events->count);
    return shim_real()->pselect(events->count, events->sets[0], events->sets[1], events->sets[2],
                                slice, events->mask);
}

static int select_until(int count, fd_set *const sets[3], const struct timespec *until,
                        const sigset_t *mask)
{
    fd_set wanted[3];
    struct events selected = {
        select_once, .count = count, .mask = mask, .sets = {sets[0], sets[1], sets[2]},
        .wanted = wanted
    };

    for (size_t i = 0; i < 3; i++)
        if (sets[i] != NULL)
            copy_set(&wanted[i], sets[i], count);
    return wait_until(&selected, until);
}

INTERPOSED int pselect(int count, fd_set *restrict in, fd_set *restrict out,
                       fd_set *restrict urgent, const struct timespec *restrict length,
                       const sigset_t *restrict mask)
{
    struct timespec until;

    if (!scales(length) || count < 0 || count > FD_SETSIZE)
        return shim_real()->pselect(count, in, out, urgent, length, mask);
    until = shim_end(length);
    return select_until(count, (fd_set *const[]){in, out, urgent}, &until, mask);
}

/* Tells what is left of the time, as Linux does (select(2)). */
INTERPOSED int select(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict urgent,
                      struct timeval *restrict length)
{
    struct timespec until, left;
    int result;

    if (length == NULL || length->tv_usec < 0 || length->tv_usec >= 1000000 || count < 0 ||
        count > FD_SETSIZE)
        return shim_real()->select(count, in, out, urgent, length);
    until = (struct timespec){.tv_sec = length->tv_sec, .tv_nsec = length->tv_usec * 1000};
    if (!scales(&until))
        return shim_real()->select(count, in, out, urgent, length);
    until = shim_end(&until);
    result = select_until(count, (fd_set *const[]){in, out, urgent}, &until, NULL);
    left = shim_remaining(&until);
    *length = (struct timeval){.tv_sec = left.tv_sec, .tv_usec = left.tv_nsec / 1000};
    return result;
}
