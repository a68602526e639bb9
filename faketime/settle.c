#include "faketime/settle.h"

#include <stdlib.h>
#include <string.h>

int settle_tree(struct settle *settle)
{
    if (settle->count == SETTLE_TREES)
        return -1;
    settle->trees[settle->count++] =
        (struct settle_tree){.rest = UINT64_MAX, .rest_waiting = UINT64_MAX};
    return 0;
}

void settle_forget(struct settle *settle, size_t tree)
{
    settle->count--;
    memmove(&settle->trees[tree], &settle->trees[tree + 1],
            (settle->count - tree) * sizeof settle->trees[0]);
}

/* --- what is usual ----------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return (one > other) - (one < other);
}

static size_t remembered(const struct settle_tree *tree)
{
    return tree->steps < SETTLE_STEPS ? tree->steps : SETTLE_STEPS;
}

/* The lower one of two in the middle. */
static uint64_t median(const struct settle_tree *tree)
{
    uint64_t sorted[SETTLE_STEPS];
    size_t count = remembered(tree);

    if (count == 0)
        return 0;
    memcpy(sorted, tree->usual, count * sizeof sorted[0]);
    qsort(sorted, count, sizeof sorted[0], by_size);
    return sorted[(count - 1) / 2];
}

static bool unusual(const struct settle_tree *tree)
{
    return tree->done > SETTLE_MANY && tree->done > SETTLE_TIMES * median(tree);
}

/* --- windows ----------------------------------------------------------------------------------- */

static int64_t wanted(const struct settle *settle)
{
    return settle->is_long ? settle->rule.silence : settle->rule.quiet;
}

/* Whether that is more than it does at rest; of what is not known yet nothing is. */
static bool is_busy(const struct settle *settle, const struct settle_tree *tree)
{
    uint64_t allowed = tree->rest + tree->rest / 2;

    if (tree->rest == UINT64_MAX)
        return false;
    return tree->window.waiting > tree->rest_waiting ||
           tree->window.done > allowed * (uint64_t)wanted(settle) / (uint64_t)settle->rule.silence;
}

static void open_window(struct settle *settle, int64_t now)
{
    settle->since = now;
    for (size_t i = 0; i < settle->count; i++)
        settle->trees[i].window = (struct settle_look){0};
}

/* A whole window of `silence` has passed: nobody does less at rest than the least that was seen. */
static void learn(struct settle *settle)
{
    for (size_t i = 0; i < settle->count; i++) {
        struct settle_tree *tree = &settle->trees[i];

        if (tree->window.done < tree->rest)
            tree->rest = tree->window.done;
        if (tree->window.waiting < tree->rest_waiting)
            tree->rest_waiting = tree->window.waiting;
    }
}

static bool disturbed(const struct settle *settle)
{
    for (size_t i = 0; i < settle->count; i++)
        if (is_busy(settle, &settle->trees[i]))
            return true;
    return false;
}

/* --------------------------------------------------------------------------------------------- */

void settle_begin(struct settle *settle, enum settle_what what, int64_t now)
{
    settle->is_long = what == SETTLE_REST;
    settle->began = now;
    open_window(settle, now);
    for (size_t i = 0; i < settle->count; i++)
        settle->trees[i].done = settle->trees[i].most_waiting = 0;
}

static enum settle_answer judge(struct settle *settle, int64_t now)
{
    for (size_t i = 0; i < settle->count; i++) {
        struct settle_tree *tree = &settle->trees[i];

        settle->is_long |= unusual(tree);
        tree->usual[tree->steps++ % SETTLE_STEPS] = tree->done;
    }
    open_window(settle, now);
    return settle->is_long ? SETTLE_WAIT : SETTLE_DONE;
}

static enum settle_answer give_up(struct settle *settle, int64_t now)
{
    for (size_t i = 0; i < settle->count; i++) {
        struct settle_tree *tree = &settle->trees[i];
        uint64_t windows = (uint64_t)((now - settle->began) / settle->rule.silence);
        uint64_t average = windows == 0 ? tree->done : tree->done / windows;

        if (average > tree->rest)
            tree->rest = average;
        if (tree->most_waiting > tree->rest_waiting)
            tree->rest_waiting = tree->most_waiting;
    }
    return SETTLE_NEVER;
}

static void take(struct settle_tree *tree, const struct settle_look *look)
{
    tree->done += look->done;
    tree->window.done += look->done;
    if (look->waiting > tree->window.waiting)
        tree->window.waiting = look->waiting;
    if (look->waiting > tree->most_waiting)
        tree->most_waiting = look->waiting;
}

enum settle_answer settle_feed(struct settle *settle, const struct settle_look *looks, int64_t now)
{
    for (size_t i = 0; i < settle->count; i++)
        take(&settle->trees[i], &looks[i]);
    if (disturbed(settle)) {
        open_window(settle, now);
        return now - settle->began < settle->rule.patience ? SETTLE_WAIT : give_up(settle, now);
    }
    if (now - settle->since < wanted(settle))
        return SETTLE_WAIT;
    if (!settle->is_long)
        return judge(settle, now);
    learn(settle);
    return SETTLE_DONE;
}
