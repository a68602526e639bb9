#include "faketime/wait.h"

#include <inttypes.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "faketime/proc.h"
#include "testbed/wire/moment.h"

enum unit { MILLISECONDS, TIMESPEC, TIMEVAL };

static const struct row {
    long number;
    enum wait_kind kind;
    enum unit unit;
    unsigned argument; /* the timeout */
} rows[] = {
    {SYS_poll,            WAIT_EVENT,   MILLISECONDS, 2},
    {SYS_epoll_wait,      WAIT_EVENT,   MILLISECONDS, 3},
    {SYS_epoll_pwait,     WAIT_EVENT,   MILLISECONDS, 3},
    {SYS_epoll_pwait2,    WAIT_EVENT,   TIMESPEC,     3},
    {SYS_ppoll,           WAIT_EVENT,   TIMESPEC,     2},
    {SYS_pselect6,        WAIT_EVENT,   TIMESPEC,     4},
    {SYS_select,          WAIT_EVENT,   TIMEVAL,      4},
    {SYS_rt_sigtimedwait, WAIT_EVENT,   TIMESPEC,     2},
    {SYS_semtimedop,      WAIT_EVENT,   TIMESPEC,     3},
    {SYS_futex,           WAIT_EVENT,   TIMESPEC,     3},
    {SYS_nanosleep,       WAIT_SLEEP,   TIMESPEC,     0},
    {SYS_clock_nanosleep, WAIT_SLEEP,   TIMESPEC,     2},
    {SYS_restart_syscall, WAIT_RESTART, MILLISECONDS, 0},
};

static const struct row *row_of(long number)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

/* A timespec and a timeval are two words, of which the second counts in other units. */
static int64_t read_time(pid_t pid, uint64_t address, int64_t unit)
{
    int64_t words[2];
    struct iovec ours = {words, sizeof words};
    struct iovec theirs = {(void *)(uintptr_t)address, sizeof words};
    int64_t time;

    if (address == 0 || process_vm_readv(pid, &ours, 1, &theirs, 1, 0) != (ssize_t)sizeof words ||
        __builtin_mul_overflow(words[0], NANOSECONDS, &time) ||
        __builtin_add_overflow(time, words[1] * unit, &time))
        return WAIT_FOREVER;
    return time;
}

static int64_t left_until(int64_t time, clockid_t id)
{
    struct timespec now;

    if (time == WAIT_FOREVER || clock_gettime(id, &now) < 0)
        return WAIT_FOREVER;
    return time - (int64_t)now.tv_sec * NANOSECONDS - now.tv_nsec;
}

static struct wait until(struct wait wait, clockid_t id)
{
    wait.by_calendar = id == CLOCK_REALTIME && wait.timeout != WAIT_FOREVER;
    wait.timeout = left_until(wait.timeout, id);
    return wait;
}

/* FUTEX_WAIT takes a while, FUTEX_WAIT_BITSET and the others a time; those that wake nobody wait for nothing. */
static struct wait futex(struct wait wait, uint64_t operation)
{
    if ((operation & FUTEX_PRIVATE_FLAG) == 0)
        wait.kind = WAIT_SHARED;
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT)
        return wait;
    return until(wait, operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC);
}

static struct wait sleep_by(struct wait wait, const uint64_t arguments[6])
{
    if ((arguments[1] & TIMER_ABSTIME) == 0)
        return wait;
    wait.kind = WAIT_UNTIL;
    return until(wait, (clockid_t)arguments[0]);
}

struct wait wait_of_call(pid_t pid, long number, const uint64_t arguments[6])
{
    const struct row *row = row_of(number);
    struct wait wait = {.kind = WAIT_NONE, .timeout = WAIT_FOREVER};
    int milliseconds;

    if (row == NULL)
        return wait;
    wait.kind = row->kind;
    if (wait.kind == WAIT_RESTART)
        return wait;
    milliseconds = (int)arguments[row->argument];
    if (row->unit != MILLISECONDS)
        wait.timeout = read_time(pid, arguments[row->argument], row->unit == TIMEVAL ? 1000 : 1);
    else if (milliseconds >= 0)
        wait.timeout = milliseconds * (NANOSECONDS / 1000);
    if (number == SYS_futex)
        return futex(wait, arguments[1]);
    return number == SYS_clock_nanosleep ? sleep_by(wait, arguments) : wait;
}

/* proc(5): of one that is not in a system call there is less to read, or that it is running, which one that is ready
 * and has no processor yet is called, too. */
static struct wait no_call(const char *text)
{
    bool ready = strncmp(text, "running", strlen("running")) == 0;

    return (struct wait){.kind = WAIT_NONE, .timeout = ready ? 0 : WAIT_FOREVER};
}

struct wait wait_of_thread(pid_t pid, pid_t thread)
{
    char text[256];
    uint64_t a[6];
    long number;

    proc_read(text, sizeof text, "/proc/%d/task/%d/syscall", (int)pid, (int)thread);
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers, proc(5) */
    if (sscanf(text, "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64,
               &number, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5]) != 7)
        return no_call(text);
    return wait_of_call(pid, number, a);
}
