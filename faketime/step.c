#include "faketime/step.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "faketime/poke.h"
#include "testbed/wire/moment.h"

#define LOOK_EVERY 2000000 /* ns */

static int64_t monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

int step_open(struct stepper *stepper, const char *path, bool mono, const struct settle_rule *rule,
              struct error *e)
{
    *stepper = (struct stepper){.mono = mono, .settle = {.rule = *rule}};
    return clock_open(path, &stepper->clock, e);
}

void step_close(struct stepper *stepper)
{
    for (size_t i = 0; i < stepper->settle.count; i++)
        activity_free(stepper->trees[i]);
    clock_close(&stepper->clock);
}

/* --- trees ------------------------------------------------------------------------------------- */

/* Its number; the number of trees where it is none of them. */
static size_t number_of(const struct stepper *stepper, pid_t pid)
{
    size_t i = 0;

    while (i < stepper->settle.count && stepper->trees[i]->pid != pid)
        i++;
    return i;
}

int step_add(struct stepper *stepper, pid_t pid, bool poked, struct error *e)
{
    size_t number = stepper->settle.count;
    struct activity *activity;

    if (number_of(stepper, pid) < number)
        return failed(e, "process %d: is waited for already", (int)pid);
    activity = activity_of(pid, e);
    if (activity == NULL)
        return -1;
    if (settle_tree(&stepper->settle) < 0) {
        activity_free(activity);
        return failed(e, "process %d: expected at most %d trees of processes", (int)pid,
                      SETTLE_TREES);
    }
    stepper->trees[number] = activity;
    stepper->poked[number] = poked;
    stepper->fresh = true;
    return 0;
}

static void forget(struct stepper *stepper, size_t number)
{
    activity_free(stepper->trees[number]);
    settle_forget(&stepper->settle, number);
    for (size_t i = number; i < stepper->settle.count; i++) {
        stepper->trees[i] = stepper->trees[i + 1];
        stepper->poked[i] = stepper->poked[i + 1];
    }
}

int step_drop(struct stepper *stepper, pid_t pid, struct error *e)
{
    size_t number = number_of(stepper, pid);

    if (number == stepper->settle.count)
        return failed(e, "process %d: is not waited for", (int)pid);
    forget(stepper, number);
    return 0;
}

static void bury(struct stepper *stepper, struct step *step)
{
    for (size_t i = stepper->settle.count; i-- > 0;) {
        tree_prune(&stepper->trees[i]->tree);
        if (stepper->trees[i]->tree.count > 0)
            continue;
        step->gone[step->gone_count++] = stepper->trees[i]->pid;
        forget(stepper, i);
    }
}

/* --- a step ------------------------------------------------------------------------------------ */

static void look(struct stepper *stepper, struct settle_look looks[SETTLE_TREES])
{
    for (size_t i = 0; i < stepper->settle.count; i++)
        looks[i] = activity_since(stepper->trees[i], stepper->settle.rule.soon);
}

static enum settle_answer await(struct stepper *stepper)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY};
    struct settle_look looks[SETTLE_TREES];
    enum settle_answer answer;

    do {
        nanosleep(&pause, NULL);
        look(stepper, looks);
        answer = settle_feed(&stepper->settle, looks, monotonic());
    } while (answer == SETTLE_WAIT);
    return answer;
}

/* Who cannot be poked has ended, or somebody else looks after him; he is waited for all the same. */
static int poke_all(struct stepper *stepper, int64_t by)
{
    struct error unheard;
    int ended = 0;

    for (size_t i = 0; i < stepper->settle.count; i++)
        for (size_t k = 0; stepper->poked[i] && k < stepper->trees[i]->tree.count; k++) {
            int one = poke(stepper->trees[i]->tree.pids[k], stepper->mono ? by : 0, &unheard);

            ended += one > 0 ? one : 0;
        }
    return ended;
}

static void finish(struct stepper *stepper, struct step *step)
{
    step->settled = monotonic() - stepper->settle.began;
    step->is_long = stepper->settle.is_long;
    step->trees = stepper->settle.count;
    for (size_t i = 0; i < step->trees; i++)
        step->done[i] = stepper->settle.trees[i].done;
    bury(stepper, step);
}

void step_rest(struct stepper *stepper, struct step *step)
{
    struct settle_look ignored[SETTLE_TREES];

    *step = (struct step){0};
    look(stepper, ignored);
    settle_begin(&stepper->settle, SETTLE_REST, monotonic());
    step->never = await(stepper) == SETTLE_NEVER;
    stepper->fresh = false;
    finish(stepper, step);
}

int step_once(struct stepper *stepper, int64_t by, struct step *step, struct error *e)
{
    struct settle_look ignored[SETTLE_TREES];

    if (stepper->fresh)
        step_rest(stepper, step);
    *step = (struct step){.moved = by};
    look(stepper, ignored);
    settle_begin(&stepper->settle, SETTLE_STEP, monotonic());
    if ((stepper->mono ? clock_pass : clock_advance)(&stepper->clock, by, e) < 0)
        return -1;
    step->poked = poke_all(stepper, by);
    step->never = await(stepper) == SETTLE_NEVER;
    stepper->count++;
    finish(stepper, step);
    return 0;
}

void step_print(const struct stepper *stepper, const struct step *step, FILE *out)
{
    fprintf(out,
            "{\"step\":%lu,\"now\":%.3f,\"moved\":%.9g,\"settled_ms\":%.1f,\"long\":%s,"
            "\"settled\":%s,\"poked\":%d,\"done\":[",
            stepper->count, (double)clock_now(&stepper->clock) / (double)NANOSECONDS,
            (double)step->moved / (double)NANOSECONDS, (double)step->settled / 1e6,
            step->is_long ? "true" : "false", step->never ? "false" : "true", step->poked);
    for (size_t i = 0; i < step->trees; i++)
        fprintf(out, "%s%" PRIu64, i == 0 ? "" : ",", step->done[i]);
    fprintf(out, "],\"gone\":[");
    for (size_t i = 0; i < step->gone_count; i++)
        fprintf(out, "%s%d", i == 0 ? "" : ",", (int)step->gone[i]);
    fprintf(out, "]");
}
