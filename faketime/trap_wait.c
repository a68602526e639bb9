/* Waits until a time: the kernel is asked for real slices of them, or sleeps on the page's generation. */
#include "faketime/trapped.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "faketime/deadline.h"
#include "testbed/wire/moment.h"

static real_clock_fn real_clock(void)
{
    return (real_clock_fn)trap_header.original;
}

static int64_t left_until(clockid_t id, const struct timespec *until)
{
    return deadline_left(calendar(), real_clock(), id, until);
}

#define BELOW "-512(%%rsp)" /* in the midst of a signal's frame (asm/sigframe.h), were there one */

#define SET_MASK(mask)                                                                             \
    "mov %[set_mask], %%eax\n\t"                                                                   \
    "mov %[set], %%edi\n\t"                                                                        \
    "mov " mask ", %%rsi\n\t"                                                                      \
    "xor %%edx, %%edx\n\t"                                                                         \
    "mov $8, %%r10d\n\t"                                                                           \
    "syscall\n\t"

/* As enter_call(), and lets signals in before it and keeps them out after it; tells whether a handler has run
 * meanwhile, unless on a stack of its own: it has left its frame where nobody else writes.  What the call returns does
 * not tell where a time is over just as the signal comes; and where one came before it, there is no call. */
static long enter_watched(const struct call *call, bool *handled)
{
    static const uint64_t all = ~BIT_OF_SIGSYS;
    long result = -ETIMEDOUT, mark = 0x756e746f75636864, changed = 0;

    __asm__ volatile("mov %[mark], " BELOW "\n\t" SET_MASK(
                         "%c[mask](%[call])") "cmp %[mark], " BELOW "\n\t"
                                              "jne 1f\n\t"
                                              "mov %c[number](%[call]), %%rax\n\t"
                                              "mov %c[arguments](%[call]), %%rdi\n\t"
                                              "mov 8+%c[arguments](%[call]), %%rsi\n\t"
                                              "mov 16+%c[arguments](%[call]), %%rdx\n\t"
                                              "mov 24+%c[arguments](%[call]), %%r10\n\t"
                                              "mov 32+%c[arguments](%[call]), %%r8\n\t"
                                              "mov 40+%c[arguments](%[call]), %%r9\n\t"
                                              "syscall\n\t"
                                              "mov %%rax, %[result]\n"
                                              "1:\t" SET_MASK("%[all]") "cmp %[mark], " BELOW "\n\t"
                                                                        "setne %b[changed]"
                     : [result] "+&r"(result), [changed] "+&r"(changed)
                     : [call] "r"(call), [mark] "r"(mark), [all] "r"(&all),
                       [number] "i"(offsetof(struct call, number)),
                       [arguments] "i"(offsetof(struct call, arguments)),
                       [mask] "i"(offsetof(struct call, mask)), [set_mask] "i"(SYS_rt_sigprocmask),
                       [set] "i"(SIG_SETMASK)
                     : "rax", "rdi", "rsi", "rdx", "r10", "r8", "r9", "rcx", "r11", "cc", "memory");
    *handled = changed != 0;
    return result;
}

/* What is waited for lasts, so it can be asked for again and again.  In between signals are kept out, and the handler's
 * end lets them in. */
static long wait_sliced(struct call *call, unsigned argument, clockid_t id)
{
    const struct timespec until = *(const struct timespec *)call->arguments[argument];
    struct timespec slice;
    bool handled;
    long result;

    if (!deadline_follows(calendar(), id) || !deadline_wellformed(&until))
        return enter_call(call);
    call->arguments[argument] = (long)&slice;
    do {
        slice = deadline_real(real_clock(), id, left_until(id, &until), DEADLINE_SLICE);
        result = enter_watched(call, &handled);
        if (result != -ETIMEDOUT || left_until(id, &until) <= 0)
            return result;
    } while (!handled);
    return -EINTR;
}

/* FUTEX_LOCK_PI has no clock but the calendar (futex(2)). */
long wait_futex(struct call *call)
{
    int operation = (int)call->arguments[1];
    bool real = (operation & FUTEX_CLOCK_REALTIME) != 0;

    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_LOCK_PI:
        return wait_sliced(call, 3, CLOCK_REALTIME);
    case FUTEX_LOCK_PI2:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
        return wait_sliced(call, 3, real ? CLOCK_REALTIME : CLOCK_MONOTONIC);
    default:
        return enter_call(call);
    }
}

long wait_queue(struct call *call)
{
    return wait_sliced(call, 4, CLOCK_REALTIME);
}

long wait_sleep(struct call *call)
{
    clockid_t id = (clockid_t)call->arguments[0];
    const struct timespec *until = (const struct timespec *)call->arguments[2];

    if (!deadline_follows(calendar(), id) || !deadline_wellformed(until))
        return enter_call(call);
    for (;;) {
        uint32_t generation = deadline_generation(calendar());
        int64_t left = left_until(id, until);
        struct timespec timeout;

        if (left <= 0)
            return 0;
        if (left > DEADLINE_FOREVER)
            left = DEADLINE_FOREVER;
        timeout = (struct timespec){.tv_sec = left / NANOSECONDS, .tv_nsec = left % NANOSECONDS};
        if (deadline_await_change(calendar(), generation, &timeout) == -EINTR)
            return -EINTR;
    }
}

/* --- timers ---------------------------------------------------------------------------------------- */

static long set(const struct call *call, const struct itimerspec *value, struct itimerspec *old)
{
    return enter(call->number, call->arguments[0], call->arguments[1], (long)value, (long)old, 0,
                 0);
}

/* Of times that are within a century or two. */
static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NANOSECONDS + time->tv_nsec;
}

static int64_t real_now(clockid_t id)
{
    struct timespec now = {0};

    real_clock()(id, &now);
    return nanoseconds(&now);
}

/* Which clock the timer runs by, of which only the kernel knows: by how long it says that is left until a
 * time.  -1: none that we follow. */
static clockid_t clock_of(const struct call *call, const struct timespec *until)
{
    static const clockid_t ids[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
    long number = call->number == SYS_timer_settime ? SYS_timer_gettime : SYS_timerfd_gettime;
    struct itimerspec left = {0};

    enter(number, call->arguments[0], (long)&left, 0, 0, 0, 0);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        int64_t off = nanoseconds(until) - nanoseconds(&left.it_value) - real_now(ids[i]);

        if (off > -NANOSECONDS && off < NANOSECONDS)
            return ids[i];
    }
    return -1;
}

static bool is_deadline(const struct itimerspec *value)
{
    return (value->it_value.tv_sec != 0 || value->it_value.tv_nsec != 0) &&
           deadline_wellformed(&value->it_value) && deadline_wellformed(&value->it_interval);
}

/* Until it is known what clock it runs by it is set for a time that is a century off by any. */
long set_timer(struct call *call)
{
    const struct itimerspec *value = (const struct itimerspec *)call->arguments[2];
    struct itimerspec real = {0};
    clockid_t id;
    long result;

    if (!is_deadline(value))
        return enter_call(call);
    real.it_value = deadline_real(real_clock(), CLOCK_REALTIME, DEADLINE_FOREVER, DEADLINE_FOREVER);
    result = set(call, &real, (struct itimerspec *)call->arguments[3]);
    if (result < 0)
        return result;
    id = clock_of(call, &real.it_value);
    if (!deadline_follows(calendar(), id))
        return set(call, value, NULL);
    real.it_interval = deadline_period(&value->it_interval, page_rate(calendar(), id));
    real.it_value =
        deadline_real(real_clock(), id, left_until(id, &value->it_value), DEADLINE_FOREVER);
    return set(call, &real, NULL);
}
