/* settle.h -- when programs have done what a move of their clock gave them to do.
 *
 * Time that passes in steps must wait after each until the programs have settled, or it cuts their
 * work off: an ACME client asks for the state of its order every 250 ms, and sleeps in between.  The rule:
 *
 *   a step is over when nobody has done anything for `quiet`, and nobody has a timer that will fire
 *   soon: whoever asks four times a second has one, whoever looks every ten minutes has not; but
 *   a step that gave one of the trees unusually much to do, more than SETTLE_MANY and three times what
 *   is usual for it (the median of its last steps), is over when nobody has done anything for `silence`.
 *
 * What a tree of processes does is counted in times that one of its threads got a processor, and
 * milliseconds on it (activity.h).  Some are never still: each tree is first watched at rest, for as long as
 * `silence` is, and doing half as much again is nothing, and so are as many such timers.  Where it turns out
 * to be stiller than that, the stillest counts; where a step had to be given up, what was done in it on the
 * average.
 *
 * This knows no clock and no process.  Order of calls: settle_tree for each tree; settle_begin for SETTLE_REST,
 * before anything is moved; settle_feed again and again, until it does not say SETTLE_WAIT; the
 * next settle_begin.
 */
#ifndef FAKETIME_SETTLE_H
#define FAKETIME_SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTLE_TREES  64
#define SETTLE_STEPS  101 /* that are remembered */
#define SETTLE_MANY   40
#define SETTLE_TIMES  3
#define SETTLE_QUIET  INT64_C(10000000)    /* ns */
#define SETTLE_LONG   INT64_C(600000000)   /* ns */
#define SETTLE_SOON   INT64_C(2000000000)  /* ns */
#define SETTLE_GIVEUP INT64_C(20000000000) /* ns */

struct settle_rule {
    int64_t quiet, silence;
    int64_t soon;     /* shorter waits are for a moment only; whoever looks counts them */
    int64_t patience; /* after which it is given up: with some, it never ends */
};

/* At one moment. */
struct settle_look {
    uint64_t done;    /* since the last one */
    uint64_t waiting; /* threads that wait for a moment only */
};

struct settle_tree {
    uint64_t usual[SETTLE_STEPS]; /* what each of the last steps gave it to do */
    size_t steps;                 /* in all */
    uint64_t rest;         /* what it does in a `silence` at rest; UINT64_MAX: not known yet */
    uint64_t rest_waiting; /* and the most that waited for a moment then */
    uint64_t done, most_waiting; /* in this step */
    struct settle_look window; /* since settle.since: all that was done, and the most that waited */
};

enum settle_what {
    SETTLE_STEP, /* by the rule */
    SETTLE_REST, /* `silence` in any case */
};

enum settle_answer { SETTLE_WAIT, SETTLE_DONE, SETTLE_NEVER };

struct settle {
    struct settle_rule rule;
    struct settle_tree trees[SETTLE_TREES];
    size_t count;
    int64_t began, since; /* the step; the window in which nobody may do anything */
    bool is_long;         /* it waits for `silence` */
};

/* One more tree, the last; -1 where there is no room.  Its number is the count before. */
int settle_tree(struct settle *settle);
/* Forgets that tree; those behind it move up. */
void settle_forget(struct settle *settle, size_t tree);

/* `now` is real time, in nanoseconds from anywhere. */
void settle_begin(struct settle *settle, enum settle_what what, int64_t now);
/* looks[tree] is what each has done since the last call. */
enum settle_answer settle_feed(struct settle *settle, const struct settle_look *looks, int64_t now);

#endif
