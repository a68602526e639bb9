/* deadline.h -- a time on a calendar, as the kernel is to be told it.
 *
 * Whoever waits until a virtual time T on clock `id` has to give the kernel a real one, and to look
 * again when the calendar moves:
 *
 *     if (!deadline_follows(page, id) || !deadline_wellformed(&T))
 *         the kernel's own wait, with T as it is;
 *     while (the wait until deadline_real(real, id, deadline_left(page, real, id, &T), DEADLINE_SLICE)
 *            times out && deadline_left(page, real, id, &T) > 0)
 *         ;
 *
 * or, where nothing else may end the wait, to sleep on the page's generation (deadline_await_change).
 * The page of a process that is taken off its clock meanwhile becomes one of zeros, by which T is nonsense:
 * a wait that has begun then ends at the real time that it was last seen to fall on (deadline_is_clock).
 * `real` is the kernel's own clock (vdso.h).  As in page.h, nothing here needs libc, takes a lock or
 * leaves a trace in errno, so that it also runs in a shim, in a blob and in signal handlers.
 */
#ifndef FAKETIME_DEADLINE_H
#define FAKETIME_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "faketime/page.h"

/* Nanoseconds. */
#define DEADLINE_SLICE   INT64_C(50000000)
#define DEADLINE_FOREVER (INT64_C(3153600000) * 1000000000) /* 100 years */

/* Whether the page is a clock, and not one of zeros.  Ask after what was computed from it. */
static inline bool deadline_is_clock(const struct clock_page *page)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&page->magic, __ATOMIC_RELAXED) == PAGE_MAGIC;
}

/* Whether deadlines on this clock are to be translated: not where the page is none, nor for the
 * monotonic clocks while they are real. */
bool deadline_follows(const struct clock_page *page, clockid_t id);

/* A malformed deadline goes to the real call, which knows the right complaint. */
bool deadline_wellformed(const struct timespec *time);

/* page_left(), also for the clocks that wake a machine. */
int64_t deadline_left(const struct clock_page *page, real_clock_fn real, clockid_t id,
                      const struct timespec *until);

/* The time on the real clock `id` that is `left` nanoseconds away, at most `limit`. */
struct timespec deadline_real(real_clock_fn real, clockid_t id, int64_t left, int64_t limit);

/* A period of a calendar that runs at `rate` (page_rate), in real time; of a frozen one, so long that it does
 * not matter. */
struct timespec deadline_period(const struct timespec *period, uint64_t rate);

static inline uint32_t deadline_generation(const struct clock_page *page)
{
    return __atomic_load_n(&page->generation, __ATOMIC_ACQUIRE);
}

/* Sleeps until the generation is no longer `seen`, or `timeout`, a duration, has passed.  Returns 0
 * or a negative errno: -EAGAIN where it was another one already.  A page of zeros never changes, and the
 * kernel would not wait for it (-EFAULT, where the clock goes meanwhile). */
int deadline_await_change(const struct clock_page *page, uint32_t seen,
                          const struct timespec *timeout);

#endif
