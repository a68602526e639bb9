/* wait.h -- what a thread waits for in the kernel, and for how long.
 *
 * A system call that waits, and its arguments, are known of a stopped thread by its registers, and of any other
 * that is not running by /proc/PID/task/TID/syscall (proc(5)).
 */
#ifndef FAKETIME_WAIT_H
#define FAKETIME_WAIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WAIT_FOREVER INT64_MAX

enum wait_kind {
    WAIT_NONE,   /* no call that takes a timeout */
    WAIT_EVENT,  /* something may come before the time is over */
    WAIT_SHARED, /* a futex between processes: among them is the clock's own page, which wakes its sleepers by itself */
    WAIT_RESTART, /* one of the others, that somebody has stopped before; which is not known any more */
    WAIT_SLEEP, /* for a while */
    WAIT_UNTIL, /* a sleep until a time */
};

struct wait {
    enum wait_kind kind;
    int64_t timeout; /* nanoseconds: what was asked for, or is left until a time; or WAIT_FOREVER */
    bool by_calendar; /* it ends at a time on CLOCK_REALTIME, of which the kernel has its own */
};

/* `pid` is the process, whose memory the arguments may lie in. */
struct wait wait_of_call(pid_t pid, long number, const uint64_t arguments[6]);

/* Of a thread that may be running or ready to: WAIT_NONE then, for no time at all; and WAIT_NONE for ever where we may
 * not know. */
struct wait wait_of_thread(pid_t pid, pid_t thread);

#endif
