#include "faketime/activity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faketime/proc.h"
#include "faketime/wait.h"

#define MILLISECOND 1000000

struct look {
    pid_t pid;
    int64_t soon;
    uint64_t waiting, ready;
    struct activity_thread threads[ACTIVITY_THREADS];
    size_t count;
};

static bool read_thread(pid_t pid, struct activity_thread *thread)
{
    char text[100];

    proc_read(text, sizeof text, "/proc/%d/task/%d/schedstat", (int)pid, (int)thread->id);
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers, proc(5) */
    return sscanf(text, "%" SCNu64 " %*u %" SCNu64, &thread->nanoseconds, &thread->runs) == 2;
}

static bool is_uninterruptible(pid_t pid, pid_t thread)
{
    char text[256];
    const char *state;

    proc_read(text, sizeof text, "/proc/%d/task/%d/stat", (int)pid, (int)thread);
    state = proc_after_name(text);
    return state != NULL && *state == 'D';
}

/* It has a processor or waits for one; or for a disk, or, as in vfork(2), a child. */
static bool is_at_work(pid_t pid, pid_t thread, const struct wait *wait)
{
    return wait->kind == WAIT_NONE && (wait->timeout == 0 || is_uninterruptible(pid, thread));
}

static void look_at(pid_t thread, void *context)
{
    struct look *look = context;
    struct wait wait = wait_of_thread(look->pid, thread);

    if (look->count == ACTIVITY_THREADS)
        return;
    look->threads[look->count] = (struct activity_thread){.id = thread};
    look->count += read_thread(look->pid, &look->threads[look->count]);
    look->waiting += wait.kind != WAIT_NONE && wait.timeout < look->soon;
    look->ready += is_at_work(look->pid, thread, &wait);
}

static int by_id(const void *a, const void *b)
{
    pid_t one = ((const struct activity_thread *)a)->id;
    pid_t other = ((const struct activity_thread *)b)->id;

    return (one > other) - (one < other);
}

static uint64_t done_by(const struct activity_thread *now, const struct activity *before)
{
    const struct activity_thread *then =
        bsearch(now, before->threads, before->count, sizeof *now, by_id);

    if (then == NULL)
        return now->runs + now->nanoseconds / MILLISECOND;
    return now->runs - then->runs + now->nanoseconds / MILLISECOND -
           then->nanoseconds / MILLISECOND;
}

static size_t ended(const struct look *now, const struct activity *before)
{
    size_t gone = 0;

    for (size_t i = 0; i < before->count; i++)
        gone += bsearch(&before->threads[i], now->threads, now->count, sizeof now->threads[0],
                        by_id) == NULL;
    return gone;
}

static void look_at_all(const struct tree *tree, struct look *look)
{
    look->count = look->waiting = look->ready = 0;
    for (size_t i = 0; i < tree->count; i++) {
        char path[40];

        look->pid = tree->pids[i];
        snprintf(path, sizeof path, "/proc/%d/task", (int)look->pid);
        tree_numbers(path, look_at, look);
    }
    qsort(look->threads, look->count, sizeof look->threads[0], by_id);
}

struct settle_look activity_since(struct activity *activity, int64_t soon)
{
    static struct look look;
    uint64_t done = 0;

    look.soon = soon;
    tree_grow(&activity->tree);
    look_at_all(&activity->tree, &look);
    for (size_t i = 0; i < look.count; i++)
        done += done_by(&look.threads[i], activity);
    done += ended(&look, activity) + look.ready;
    memcpy(activity->threads, look.threads, look.count * sizeof look.threads[0]);
    activity->count = look.count;
    return (struct settle_look){.done = done, .waiting = look.waiting};
}

struct activity *activity_of(pid_t pid, struct error *e)
{
    struct activity *activity = malloc(sizeof *activity);

    if (activity == NULL)
        return failed(e, "out of memory"), NULL;
    activity->pid = pid;
    activity->count = 0;
    tree_plant(&activity->tree, pid);
    tree_prune(&activity->tree);
    if (activity->tree.count == 0) {
        free(activity);
        return failed(e, "process %d: there is none", (int)pid), NULL;
    }
    activity_since(activity, 0);
    return activity;
}

void activity_free(struct activity *activity)
{
    free(activity);
}
