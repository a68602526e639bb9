/* trapped.h -- a system call that was trapped, and who answers for the kernel (trap.h).
 *
 * All this runs in a signal handler, in the image that lies beside the blob: without libc, and perhaps in a child of
 * vfork(2).  A system call from here is never trapped.
 */
#ifndef FAKETIME_TRAPPED_H
#define FAKETIME_TRAPPED_H

#include <ucontext.h>

#include "faketime/enter.h"
#include "faketime/page.h"
#include "faketime/trap.h"

/* Hidden, or a compiler may go by a table of addresses that nobody fills. */
#define INSIDE __attribute__((visibility("hidden")))

extern struct trap trap_header INSIDE;
extern const char trap_names[] INSIDE;

#define BIT_OF_SIGSYS (UINT64_C(1) << (SIGSYS - 1)) /* in a mask of signals */

struct call {
    long number;
    long arguments[6];
    sigset_t *mask; /* that of the thread, when the handler has ended */
};

static inline long enter_call(const struct call *call)
{
    const long *a = call->arguments;

    return enter(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static inline const struct clock_page *calendar(void)
{
    return (const struct clock_page *)trap_header.page;
}

/* Each does the call, in its own way, and returns what the program is to see: a result or -errno. */
typedef long answer_fn(struct call *call);

/* trap_wait.c */
INSIDE answer_fn wait_futex, wait_sleep, wait_queue, set_timer;
/* trap_mask.c */
INSIDE answer_fn set_action, set_mask, suspend, poll_masked, epoll_masked, select_masked,
    refuse_clone;
/* trap_exec.c */
INSIDE answer_fn become, become_at;

#endif
