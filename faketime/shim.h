/* shim.h -- libfakeclock.so, which puts a dynamic glibc program on a calendar.
 *
 *     LD_PRELOAD=.../libfakeclock.so FAKECLOCK=/path/to/clock program
 *
 * It defines the calls that read the calendar (shim_read.c), those that start other programs (shim_exec.c), and
 * those that wait for a time on it (the other files).  Waits on the calendar come in three kinds, because a
 * waiter that sleeps must notice when the calendar moves:
 *
 *   a sleep           waits on the page's generation instead (shim_sleep.c)
 *   a lock or queue   is tried again every DEADLINE_SLICE, which loses nothing (shim_lock.c)
 *   a condition, a    cannot be tried again, or not without losing the EINTR of a signal that comes just then: a thread
 *   semaphore, a      of ours watches the page for them while there are any (shim_watch.c, shim_cond.c, shim_futex.c,
 *   futex, a timer    shim_semaphore.c, shim_timer.c)
 *
 * The monotonic clocks stay real unless the page moves them.  Relative waits are durations, not
 * times, and stay real while the monotonic clocks run at real speed; where these have a rate, sleeps and waits
 * for events (shim_event.c) are durations on them.  Nothing here allocates, and reading takes no lock, so that it is
 * right in signal handlers and after fork.
 *
 * The waits also run in a blob, in programs that were attached (blob_waits.c), without the rest of this library and
 * with only those functions of libc that blob_libc.h names.  A cancelled thread unwinds from there to the next
 * handler of C, past the destructors of C++, for nobody has told its unwinder of the blob.
 *
 * Only what is marked INTERPOSED leaves the library; the rest is compiled with hidden visibility.
 */
#ifndef FAKETIME_SHIM_H
#define FAKETIME_SHIM_H

#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "faketime/deadline.h"
#include "faketime/page.h"
#include "faketime/shim_calls.h"

#define INTERPOSED __attribute__((visibility("default")))
#define INSIDE                                                                                     \
    __attribute__((visibility("hidden"))) /* else its address is one that nobody fills in a blob */

/* --- the clock ------------------------------------------------------------------------------- */

/* Until somebody has read a clock, `real.clock` opens the page first; `page` is never NULL. */
struct shim_clock {
    struct vdso_kept real;
    const struct clock_page *page;
};
extern struct shim_clock shim_clock;

/* In a process that is redirected, takes the page that is there already; otherwise opens the one that
 * FAKECLOCK names, and where it cannot, says so in one line and keeps real time. */
void shim_start(void);

/* `real` first: whoever sees the vDSO there sees the page too. */
static inline int shim_gettime(clockid_t id, struct timespec *now)
{
    real_clock_fn real = __atomic_load_n(&shim_clock.real.clock, __ATOMIC_ACQUIRE);

    return page_clock_gettime(__atomic_load_n(&shim_clock.page, __ATOMIC_RELAXED), real, id, now);
}

/* The same, wherever this runs (blob_waits.c). */
int shim_read(clockid_t id, struct timespec *now);
/* Whether deadlines on this clock are ours to translate. */
bool shim_follows(clockid_t id);
/* Whether durations are: the monotonic clocks run at a rate of their own. */
bool shim_scales(void);
/* When a duration that begins now is over, on CLOCK_MONOTONIC. */
struct timespec shim_end(const struct timespec *length);
/* And what is left of it then: never less than nothing. */
struct timespec shim_remaining(const struct timespec *end);
/* Whether there still is a calendar, by which the last shim_left() was right. */
bool shim_is_clock(void);
/* page_left() on the shim's page. */
int64_t shim_left(clockid_t id, const struct timespec *until);
/* The deadline on the real clock `id` that is `left` nanoseconds away, at most `limit`. */
struct timespec shim_deadline(clockid_t id, int64_t left, int64_t limit);
uint64_t shim_rate(clockid_t id); /* page_rate() */
uint32_t shim_generation(void);
/* Sleeps until the generation is no longer `seen`, or `timeout` has passed.  Returns 0
 * or a negative errno. */
int shim_await_change(uint32_t seen, const struct timespec *timeout);
/* One line on stderr. */
void shim_say(const char *text);

/* --- the calls underneath -------------------------------------------------------------------- */

/* What poll and ppoll are in programs that are compiled with _FORTIFY_SOURCE (bits/poll2.h): they know the size of
 * `files`.  NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __poll_chk(struct pollfd *files, nfds_t count, int timeout, size_t size);
int __ppoll_chk(struct pollfd *files, nfds_t count, const struct timespec *length,
                const sigset_t *mask, size_t size);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

#define SHIM_FIELD(name, version) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses) */
struct shim_real {
    SHIM_REAL_CALLS(SHIM_FIELD)
    SHIM_LATER_CALLS(SHIM_FIELD)
};
#undef SHIM_FIELD

/* libc's own functions, found on the first call, which the constructor makes. */
const struct shim_real *shim_real(void);
/* NULL also in a blob, whose table has only what every glibc has. */
__typeof__(epoll_pwait2) *shim_epoll_pwait2(void);

/* --- the watcher ----------------------------------------------------------------------------- */

/* Something that a move of the calendar must reach.  `moved` is called, with the watch locked, while
 * `generation` is not the page's; it sees to that, or is called again a millisecond later.
 * It may take itself off the list with watch_drop(). */
struct watched {
    struct watched *next, *previous;
    uint32_t generation; /* the one that its deadline was computed from */
    void (*moved)(struct watched *watched, uint32_t generation);
    bool outlives_fork; /* the child has it too */
};

/* The lock also keeps signals out, so that timer_settime is right in a handler. */
void watch_lock(void);
void watch_unlock(void);

/* With the lock held.  watch_add notes the generation: compute the deadline after it. */
void watch_add(struct watched *watched);
void watch_drop(struct watched *watched);

/* The same without it, around a wait: the second is its cleanup handler, too, and so takes what the first does. */
void watch_begin(struct watched *watched);
INSIDE void watch_end(void *watched);

#endif
