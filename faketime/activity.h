/* activity.h -- how much a tree of processes has done lately.
 *
 * Counted in the times that one of its threads got a processor, and the milliseconds that it had it
 * (/proc/PID/task/TID/schedstat): the one tells of whoever wakes and sleeps again, the other of whoever computes
 * and never sleeps.
 */
#ifndef FAKETIME_ACTIVITY_H
#define FAKETIME_ACTIVITY_H

#include <stdint.h>

#include "faketime/settle.h"
#include "faketime/tree.h"
#include "testbed/wire/error.h"

#define ACTIVITY_THREADS 4096

struct activity_thread {
    pid_t id;
    uint64_t runs, nanoseconds;
};

struct activity {
    pid_t pid;
    struct tree tree;
    struct activity_thread threads[ACTIVITY_THREADS]; /* in the order of their ids */
    size_t count;
};

/* Begins to count; NULL with one line where there is no such process.  Freed with activity_free. */
struct activity *activity_of(pid_t pid, struct error *e);
void activity_free(struct activity *activity);

/* What has been done since the last call, also by those born meanwhile, where a thread that ended counts once, and so
 * does one that has, or waits for, a processor or a disk now; and how many threads wait for less than `soon`
 * nanoseconds. */
struct settle_look activity_since(struct activity *activity, int64_t soon);

#endif
