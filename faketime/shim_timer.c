/* Timers armed for a time on the calendar: timerfd_settime and timer_settime with an absolute time.
 *
 * The kernel gets the real time that the virtual one falls on; when the calendar moves, the watcher
 * arms them anew.  Relative ones are durations and none of our business.
 */
#include "faketime/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "testbed/wire/moment.h"

#define TIMERS_MAX 1024

enum timer_kind {
    TIMER_NONE, /* a free row */
    TIMER_DESCRIPTOR,
    TIMER_POSIX,
};

struct timer {
    struct watched watched; /* on the list while armed */
    enum timer_kind kind;
    intptr_t name; /* the descriptor, or a timer_t */
    clockid_t id;
    int flags;
    bool armed;
    struct itimerspec wanted; /* on the calendar; it_value is the next expiry */
    struct itimerspec given;  /* to the kernel */
};

static struct timer timers[TIMERS_MAX]; /* under the watch lock */

static int set(const struct timer *timer, const struct itimerspec *value, struct itimerspec *old)
{
    if (timer->kind == TIMER_DESCRIPTOR)
        return shim_real()->timerfd_settime((int)timer->name, timer->flags, value, old);
    return shim_real()->timer_settime((timer_t)timer->name, timer->flags, value, old);
}

static int get(const struct timer *timer, struct itimerspec *value)
{
    if (timer->kind == TIMER_DESCRIPTOR)
        return shim_real()->timerfd_gettime((int)timer->name, value);
    return shim_real()->timer_gettime((timer_t)timer->name, value);
}

static struct timer *find(enum timer_kind kind, intptr_t name)
{
    for (size_t i = 0; i < TIMERS_MAX; i++)
        if (timers[i].kind == kind && timers[i].name == name)
            return &timers[i];
    return NULL;
}

/* NULL where the table is full. */
static struct timer *find_or_add(enum timer_kind kind, intptr_t name, clockid_t id)
{
    struct timer *timer = find(kind, name);

    for (size_t i = 0; timer == NULL && i < TIMERS_MAX; i++)
        if (timers[i].kind == TIMER_NONE) {
            timer = &timers[i];
            *timer = (struct timer){.kind = kind, .name = name};
        }
    if (timer != NULL)
        timer->id = id;
    return timer;
}

static void disarm(struct timer *timer)
{
    if (timer->armed)
        watch_drop(&timer->watched);
    timer->armed = false;
}

/* --- arming ---------------------------------------------------------------------------------- */

static int64_t nanoseconds(const struct timespec *time)
{
    int64_t seconds;

    if (__builtin_mul_overflow((int64_t)time->tv_sec, NANOSECONDS, &seconds))
        return INT64_MAX;
    return seconds + time->tv_nsec;
}

static struct timespec timespec_of(int64_t time)
{
    return (struct timespec){.tv_sec = time / NANOSECONDS, .tv_nsec = time % NANOSECONDS};
}

static int arm(struct timer *timer, struct itimerspec *old)
{
    int64_t left = shim_left(timer->id, &timer->wanted.it_value);

    timer->given = (struct itimerspec){
        .it_value = shim_deadline(timer->id, left, DEADLINE_FOREVER),
        .it_interval = deadline_period(&timer->wanted.it_interval, shim_rate(timer->id)),
    };
    return set(timer, &timer->given, old);
}

/* How often it has gone off by what the kernel was given. */
static int64_t expiries(const struct timer *timer)
{
    int64_t period = nanoseconds(&timer->given.it_interval);
    struct timespec now = shim_deadline(timer->id, 0, DEADLINE_FOREVER);
    int64_t past = nanoseconds(&now) - nanoseconds(&timer->given.it_value);

    if (past < 0)
        return 0;
    return period == 0 ? 1 : past / period + 1;
}

/* A descriptor's row is free again; a POSIX timer lives until timer_delete. */
static void retire(struct timer *timer)
{
    disarm(timer);
    if (timer->kind == TIMER_DESCRIPTOR)
        timer->kind = TIMER_NONE;
}

static void moved(struct watched *watched, uint32_t generation)
{
    struct timer *timer = (struct timer *)watched;
    int64_t gone_off = expiries(timer);
    struct itimerspec left;

    watched->generation = generation;
    /* closed behind our back, or disarmed by another process that shares it */
    if (get(timer, &left) < 0 || (left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0)) {
        retire(timer);
        return;
    }
    timer->wanted.it_value = timespec_of(nanoseconds(&timer->wanted.it_value) +
                                         gone_off * nanoseconds(&timer->wanted.it_interval));
    if (arm(timer, NULL) < 0)
        retire(timer);
}

/* With the lock held. */
static int arm_new(struct timer *timer, int flags, const struct itimerspec *value,
                   struct itimerspec *old)
{
    int result;

    disarm(timer);
    timer->wanted = *value;
    timer->flags = flags;
    timer->watched =
        (struct watched){.moved = moved, .outlives_fork = timer->kind == TIMER_DESCRIPTOR};
    watch_add(&timer->watched);
    timer->armed = true;
    result = arm(timer, old);
    if (result < 0)
        retire(timer);
    return result;
}

static bool is_deadline(const struct itimerspec *value)
{
    return (value->it_value.tv_sec != 0 || value->it_value.tv_nsec != 0) &&
           deadline_wellformed(&value->it_value) && deadline_wellformed(&value->it_interval);
}

/* --- timerfd --------------------------------------------------------------------------------- */

/* What stands behind `label`; NULL where it does not occur.  libc's own search is one of several, of which a
 * loader chooses (STT_GNU_IFUNC), and so none that a blob could call. */
static const char *behind(const char *text, const char *label)
{
    for (; *text != '\0'; text++) {
        size_t i = 0;

        while (label[i] != '\0' && text[i] == label[i])
            i++;
        if (label[i] == '\0')
            return text + i;
    }
    return NULL;
}

/* The kernel knows the clock of a timer that was not made before our eyes: it stands behind `label`, behind the line
 * `of`, in a file of its own.  False where deadlines on that are not ours. */
static bool on_calendar(const char *path, const char *of, const char *label, clockid_t *id)
{
    char
        text[4096]; /* not cleared: a compiler may take memset for it, which a blob does not have */
    const char *clock;
    ssize_t length;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        return false;
    text[0] = '\n';
    length = read(file, text + 1, sizeof text - 2);
    close(file);
    text[length < 0 ? 0 : length + 1] = '\0';
    clock = behind(text, of);
    clock = clock == NULL ? NULL : behind(clock, label);
    if (clock == NULL)
        return false;
    *id = (clockid_t)strtol(clock, NULL, 10);
    return shim_follows(*id);
}

static bool descriptor_on_calendar(int fd, clockid_t *id)
{
    char path[40];

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    return on_calendar(path, "\n", "clockid:", id);
}

/* With the lock held. */
static int set_deadline(int fd, clockid_t id, int flags, const struct itimerspec *value,
                        struct itimerspec *old)
{
    struct timer *timer = find_or_add(TIMER_DESCRIPTOR, fd, id);

    if (timer != NULL)
        return arm_new(timer, flags, value, old);
    errno = ENOMEM;
    return -1;
}

static int set_duration(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    struct timer *timer = find(TIMER_DESCRIPTOR, fd);

    if (timer != NULL)
        retire(timer);
    return shim_real()->timerfd_settime(fd, flags, value, old);
}

INTERPOSED int timerfd_settime(int fd, int flags, const struct itimerspec *value,
                               struct itimerspec *old)
{
    clockid_t id = CLOCK_REALTIME;
    bool ours =
        (flags & TFD_TIMER_ABSTIME) != 0 && is_deadline(value) && descriptor_on_calendar(fd, &id);
    int result;

    watch_lock();
    result = ours ? set_deadline(fd, id, flags, value, old) : set_duration(fd, flags, value, old);
    watch_unlock();
    return result;
}

/* --- POSIX timers ---------------------------------------------------------------------------- */

INTERPOSED int timer_create(clockid_t id, struct sigevent *restrict event, timer_t *restrict out)
{
    int result = shim_real()->timer_create(id, event, out);
    bool full;

    if (result < 0 || !shim_follows(id))
        return result;
    watch_lock();
    full = find_or_add(TIMER_POSIX, (intptr_t)*out, id) == NULL;
    watch_unlock();
    if (!full)
        return 0;
    shim_real()->timer_delete(*out);
    errno = EAGAIN;
    return -1;
}

/* One that was there before us.  glibc has names of its own for those that start a thread, and no clock for them. */
static struct timer *find_older(timer_t id)
{
    clockid_t clock;
    char of[40];

    snprintf(of, sizeof of, "\nID: %ld\n", (long)(intptr_t)id);
    if (!on_calendar("/proc/self/timers", of, "ClockID:", &clock))
        return NULL;
    return find_or_add(TIMER_POSIX, (intptr_t)id, clock);
}

INTERPOSED int timer_settime(timer_t id, int flags, const struct itimerspec *restrict value,
                             struct itimerspec *restrict old)
{
    bool until = (flags & TIMER_ABSTIME) != 0 && is_deadline(value);
    struct timer *timer;
    int result;

    watch_lock();
    timer = find(TIMER_POSIX, (intptr_t)id);
    if (timer == NULL && until)
        timer = find_older(id);
    if (timer != NULL && until)
        result = arm_new(timer, flags, value, old);
    else {
        if (timer != NULL)
            disarm(timer);
        result = shim_real()->timer_settime(id, flags, value, old);
    }
    watch_unlock();
    return result;
}

INTERPOSED int timer_delete(timer_t id)
{
    struct timer *timer;

    watch_lock();
    timer = find(TIMER_POSIX, (intptr_t)id);
    if (timer != NULL) {
        disarm(timer);
        timer->kind = TIMER_NONE;
    }
    watch_unlock();
    return shim_real()->timer_delete(id);
}
