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
#include <string.h>
#include <unistd.h>

#include "testbed/wire/moment.h"

#define TIMERS_MAX 1024

union timer_name {
    int fd;
    timer_t timer;
};

struct timer_kind {
    int (*set)(union timer_name name, const struct itimerspec *value, struct itimerspec *old,
               int flags);
    int (*get)(union timer_name name, struct itimerspec *value);
    bool (*same)(union timer_name one, union timer_name other);
};

struct timer {
    struct watched watched;        /* on the list while armed */
    const struct timer_kind *kind; /* NULL: a free row */
    union timer_name name;
    clockid_t id;
    int flags;
    bool armed;
    struct itimerspec wanted; /* on the calendar; it_value is the next expiry */
    struct itimerspec given;  /* to the kernel */
};

static struct timer timers[TIMERS_MAX]; /* under the watch lock */

static int set_fd(union timer_name name, const struct itimerspec *value, struct itimerspec *old,
                  int flags)
{
    return shim_real()->timerfd_settime(name.fd, flags, value, old);
}

static int get_fd(union timer_name name, struct itimerspec *value)
{
    return shim_real()->timerfd_gettime(name.fd, value);
}

static bool same_fd(union timer_name one, union timer_name other)
{
    return one.fd == other.fd;
}

static int set_timer(union timer_name name, const struct itimerspec *value, struct itimerspec *old,
                     int flags)
{
    return shim_real()->timer_settime(name.timer, flags, value, old);
}

static int get_timer(union timer_name name, struct itimerspec *value)
{
    return shim_real()->timer_gettime(name.timer, value);
}

static bool same_timer(union timer_name one, union timer_name other)
{
    return one.timer == other.timer;
}

static const struct timer_kind fd_kind = {set_fd, get_fd, same_fd};
static const struct timer_kind timer_kind = {set_timer, get_timer, same_timer};

static struct timer *find(const struct timer_kind *kind, union timer_name name)
{
    for (size_t i = 0; i < TIMERS_MAX; i++)
        if (timers[i].kind == kind && kind->same(timers[i].name, name))
            return &timers[i];
    return NULL;
}

/* NULL where the table is full. */
static struct timer *find_or_add(const struct timer_kind *kind, union timer_name name, clockid_t id)
{
    struct timer *timer = find(kind, name);

    for (size_t i = 0; timer == NULL && i < TIMERS_MAX; i++)
        if (timers[i].kind == NULL) {
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

/* A period of the calendar, in real time; of a frozen one, so long that it does not matter. */
static struct timespec real_period(const struct timespec *period, clockid_t id)
{
    uint64_t rate = page_rate(shim_clock.page, id);
    double real;

    if (rate == PAGE_RATE_1 || nanoseconds(period) == 0)
        return *period;
    real = (double)nanoseconds(period) * (double)PAGE_RATE_1 / (double)rate; /* x/0 is infinite */
    if (real > (double)DEADLINE_FOREVER)
        return timespec_of(DEADLINE_FOREVER);
    return timespec_of(real < 1 ? 1 : (int64_t)real);
}

static int arm(struct timer *timer, struct itimerspec *old)
{
    int64_t left = shim_left(timer->id, &timer->wanted.it_value);

    timer->given = (struct itimerspec){
        .it_value = shim_deadline(timer->id, left, DEADLINE_FOREVER),
        .it_interval = real_period(&timer->wanted.it_interval, timer->id),
    };
    return timer->kind->set(timer->name, &timer->given, old, timer->flags);
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
    if (timer->kind == &fd_kind)
        timer->kind = NULL;
}

static void moved(struct watched *watched, uint32_t generation)
{
    struct timer *timer = (struct timer *)watched;
    int64_t gone_off = expiries(timer);
    struct itimerspec left;

    watched->generation = generation;
    /* closed behind our back, or disarmed by another process that shares it */
    if (timer->kind->get(timer->name, &left) < 0 ||
        (left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0)) {
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
    timer->watched = (struct watched){.moved = moved, .outlives_fork = timer->kind == &fd_kind};
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

/* Its clock is asked of the kernel, so that a descriptor that was inherited or sent is known too. */
static bool on_calendar(int fd, clockid_t *id)
{
    char path[40], text[512];
    const char *line;
    ssize_t length;
    int info;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    info = open(path, O_RDONLY | O_CLOEXEC);
    if (info < 0)
        return false;
    length = read(info, text, sizeof text - 1);
    close(info);
    text[length < 0 ? 0 : length] = '\0';
    line = strstr(text, "clockid:");
    if (line == NULL)
        return false;
    *id = (clockid_t)strtol(line + strlen("clockid:"), NULL, 10);
    return shim_follows(*id);
}

/* With the lock held. */
static int set_deadline(int fd, clockid_t id, int flags, const struct itimerspec *value,
                        struct itimerspec *old)
{
    struct timer *timer = find_or_add(&fd_kind, (union timer_name){.fd = fd}, id);

    if (timer != NULL)
        return arm_new(timer, flags, value, old);
    errno = ENOMEM;
    return -1;
}

static int set_duration(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    struct timer *timer = find(&fd_kind, (union timer_name){.fd = fd});

    if (timer != NULL)
        retire(timer);
    return shim_real()->timerfd_settime(fd, flags, value, old);
}

INTERPOSED int timerfd_settime(int fd, int flags, const struct itimerspec *value,
                               struct itimerspec *old)
{
    clockid_t id = CLOCK_REALTIME;
    bool ours = (flags & TFD_TIMER_ABSTIME) != 0 && is_deadline(value) && on_calendar(fd, &id);
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
    full = find_or_add(&timer_kind, (union timer_name){.timer = *out}, id) == NULL;
    watch_unlock();
    if (!full)
        return 0;
    shim_real()->timer_delete(*out);
    errno = EAGAIN;
    return -1;
}

INTERPOSED int timer_settime(timer_t id, int flags, const struct itimerspec *restrict value,
                             struct itimerspec *restrict old)
{
    struct timer *timer;
    int result;

    watch_lock();
    timer = find(&timer_kind, (union timer_name){.timer = id});
    if (timer != NULL && (flags & TIMER_ABSTIME) && is_deadline(value))
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
    timer = find(&timer_kind, (union timer_name){.timer = id});
    if (timer != NULL) {
        disarm(timer);
        timer->kind = NULL;
    }
    watch_unlock();
    return shim_real()->timer_delete(id);
}
