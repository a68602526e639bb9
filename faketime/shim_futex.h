/* shim_futex.h -- a wait on a futex (futex(2)), which lasts until a time on the calendar. */
#ifndef FAKETIME_SHIM_FUTEX_H
#define FAKETIME_SHIM_FUTEX_H

#include "faketime/shim.h"

struct futex {
    uint32_t *word;
    uint32_t expected;
    uint32_t bitset;
    int private;       /* FUTEX_PRIVATE_FLAG, or 0 */
    bool cancellation; /* it is a cancellation point */
};

/* On CLOCK_REALTIME or CLOCK_MONOTONIC, which is followed, until a well-formed time.  Returns what the kernel would: 0
 * or an errno; and 0 where the calendar has moved, the spurious wakeup that every caller must expect.  `end` is `until`
 * at first, and then the real time that this was last seen to fall on: for who waits again. */
int shim_futex_until(const struct futex *futex, clockid_t id, const struct timespec *until,
                     struct timespec *end);

#endif
