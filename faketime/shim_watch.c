/* The watcher: a thread that lives while somebody waits who cannot watch the page himself. */
#include "faketime/shim.h"

#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "testbed/wire/moment.h"

#define IDLE_SECONDS 1       /* how long it outlives the last waiter */
#define AGAIN_NS     1000000 /* between two tries to reach one */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sigset_t before_lock; /* under the lock */
static struct watched *first;
static bool running;
static bool complained;

void watch_lock(void)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&lock);
    before_lock = before;
}

void watch_unlock(void)
{
    sigset_t before = before_lock;

    pthread_mutex_unlock(&lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Returns whether everybody knows of `generation`. */
static bool tell_all(uint32_t generation)
{
    bool told = true;

    for (struct watched *watched = first, *next; watched != NULL; watched = next) {
        next = watched->next;
        if (watched->generation == generation)
            continue;
        watched->moved(watched, generation);
        told = false;
    }
    return told;
}

/* False where nobody has waited for a while.  It must end then: a process whose main thread has
 * called pthread_exit ends with its last thread, and that must not be ours. */
static bool watch_once(bool *idle)
{
    uint32_t generation = shim_generation();
    struct timespec timeout;
    bool told, none;

    watch_lock();
    told =
        !shim_is_clock() || tell_all(generation); /* of none, what is waited for stays as it is */
    none = first == NULL;
    if (none && *idle)
        running = false;
    watch_unlock();
    if (none && *idle)
        return false;
    timeout =
        told ? (struct timespec){.tv_sec = IDLE_SECONDS} : (struct timespec){.tv_nsec = AGAIN_NS};
    *idle = shim_await_change(generation, &timeout) == -ETIMEDOUT && none;
    return true;
}

static void *watch(void *unused)
{
    bool idle = false;

    (void)unused;
    prctl(PR_SET_NAME, "fakeclock");
    while (watch_once(&idle))
        ;
    return NULL;
}

static void watch_forks(void);

/* With the lock held, and so with all signals blocked, which the thread inherits. */
static void start_watching(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    watch_forks();
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    running = pthread_create(&thread, &attributes, watch, NULL) == 0;
    pthread_attr_destroy(&attributes);
    if (!running && !complained)
        shim_say("no thread to watch the clock with; waits will not notice that it moves");
    complained = !running;
}

void watch_add(struct watched *watched)
{
    watched->generation = shim_generation();
    watched->previous = NULL;
    watched->next = first;
    if (first != NULL)
        first->previous = watched;
    first = watched;
    if (!running)
        start_watching();
}

void watch_drop(struct watched *watched)
{
    if (watched->previous != NULL)
        watched->previous->next = watched->next;
    else
        first = watched->next;
    if (watched->next != NULL)
        watched->next->previous = watched->previous;
    watched->next = watched->previous = NULL;
}

void watch_begin(struct watched *watched)
{
    watch_lock();
    watch_add(watched);
    watch_unlock();
}

void watch_end(void *watched)
{
    watch_lock();
    watch_drop(watched);
    watch_unlock();
}

/* Of the threads only the forking one is left, and it waits for nothing; timers of the child's own
 * (timerfd) go on. */
static void after_fork(void)
{
    for (struct watched *watched = first, *next; watched != NULL; watched = next) {
        next = watched->next;
        if (!watched->outlives_fork)
            watch_drop(watched);
    }
    running = false;
    if (first != NULL)
        start_watching();
    watch_unlock();
}

/* Before the first thread there is nothing that a child would have to know. */
static void watch_forks(void)
{
    static bool watching;

    if (!watching)
        pthread_atfork(watch_lock, watch_unlock, after_fork);
    watching = true;
}
