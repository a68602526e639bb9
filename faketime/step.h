/* step.h -- letting time pass, rather than jump: a step, a poke, and a wait until all have settled.
 *
 * Order of calls: step_open; step_add for each tree of processes; step_once as often as wanted; step_close.
 * Trees may come and go between two steps.
 */
#ifndef FAKETIME_STEP_H
#define FAKETIME_STEP_H

#include <stdio.h>

#include "faketime/activity.h"
#include "faketime/clock.h"
#include "faketime/settle.h"

struct stepper {
    struct clock clock;
    struct settle settle; /* its trees in the order of ours */
    struct activity *trees[SETTLE_TREES];
    bool poked[SETTLE_TREES]; /* or only waited for */
    bool fresh;               /* somebody was added who has not been watched at rest */
    bool mono;                /* the monotonic clocks pass as well */
    unsigned long count;      /* of steps */
};

/* What a step was. */
struct step {
    int64_t moved;   /* nanoseconds */
    int64_t settled; /* real nanoseconds, from the move on */
    bool is_long;    /* silence was waited for */
    bool never;      /* in vain */
    int poked;       /* waits that were ended */
    uint64_t done[SETTLE_TREES];
    pid_t gone[SETTLE_TREES]; /* trees that have ended; they are forgotten */
    size_t trees, gone_count;
};

/* `path` is a clock that we may write. */
int step_open(struct stepper *stepper, const char *path, bool mono, const struct settle_rule *rule,
              struct error *e);
void step_close(struct stepper *stepper);

/* -1 with one line where there is no such process, no room, or it is there already. */
int step_add(struct stepper *stepper, pid_t pid, bool poked, struct error *e);
int step_drop(struct stepper *stepper, pid_t pid, struct error *e);

/* Moves the clock by `by` and waits.  -1 with one line where the clock does not move. */
int step_once(struct stepper *stepper, int64_t by, struct step *step, struct error *e);
/* Waits for silence, without a move. */
void step_rest(struct stepper *stepper, struct step *step);

/* One JSON object, without its end of line. */
void step_print(const struct stepper *stepper, const struct step *step, FILE *out);

#endif
