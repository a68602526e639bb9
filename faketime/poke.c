#include "faketime/poke.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <time.h>

#include "faketime/tracee.h"
#include "testbed/wire/moment.h"

/* What the kernel has as the result of a call that it is about to begin again (linux/errno.h, its own). */
#define RESTART_FIRST 512 /* ERESTARTSYS */
#define RESTART_ANEW  514 /* ERESTARTNOHAND */
#define RESTART_BLOCK 516 /* ERESTART_RESTARTBLOCK: goes on by restart_syscall(2) */
#define ENDS          (-EINTR)
#define SLEPT         0

struct wait {
    const struct tracee *tracee;
    const struct user_regs_struct *registers;
    int64_t passed;
};

/* What becomes of a wait: its result, or `restart`, with which it goes on. */
typedef long (*fate)(const struct wait *wait, long restart);

static long by_milliseconds(const struct wait *wait, long restart)
{
    return (int)wait->registers->rdx < 0 ? restart : ENDS;
}

static long by_third(const struct wait *wait, long restart)
{
    return wait->registers->rdx == 0 ? restart : ENDS;
}

static long by_fifth(const struct wait *wait, long restart)
{
    return wait->registers->r8 == 0 ? restart : ENDS;
}

/* Shared ones are no timers: among them is the clock's own page, which wakes its sleepers by itself. */
static long by_futex(const struct wait *wait, long restart)
{
    uint64_t operation = wait->registers->rsi;

    return (operation & FUTEX_PRIVATE_FLAG) == 0 || wait->registers->r10 == 0 ? restart : ENDS;
}

static long sleeps(const struct wait *wait, uint64_t request)
{
    struct timespec length;
    struct error unheard;

    if (tracee_read(wait->tracee, request, &length, sizeof length, &unheard) == 0 &&
        length.tv_sec <= wait->passed / NANOSECONDS &&
        (int64_t)length.tv_sec * NANOSECONDS + length.tv_nsec <= wait->passed)
        return SLEPT;
    return -RESTART_ANEW; /* and not by restart_syscall, which does not tell for how long */
}

static long by_nanosleep(const struct wait *wait, long restart)
{
    (void)restart;
    return sleeps(wait, wait->registers->rdi);
}

static long by_clock_nanosleep(const struct wait *wait, long restart)
{
    (void)restart;
    return wait->registers->rsi & TIMER_ABSTIME ? ENDS : sleeps(wait, wait->registers->rdx);
}

/* Somebody has stopped it before; which of these it was is not known any more. */
static long by_restart(const struct wait *wait, long restart)
{
    (void)wait;
    (void)restart;
    return ENDS;
}

static const struct {
    long number;
    fate fate;
} waits[] = {
    {SYS_poll,            by_milliseconds   },
    {SYS_ppoll,           by_third          },
    {SYS_select,          by_fifth          },
    {SYS_pselect6,        by_fifth          },
    {SYS_futex,           by_futex          },
    {SYS_rt_sigtimedwait, by_third          },
    {SYS_nanosleep,       by_nanosleep      },
    {SYS_clock_nanosleep, by_clock_nanosleep},
    {SYS_restart_syscall, by_restart        },
};

/* epoll_wait(2) and some others end with EINTR by having been stopped, whatever we do. */
static bool is_over(const struct user_regs_struct *registers)
{
    return (long)registers->rax == -EINTR && (long)registers->orig_rax >= 0;
}

static bool poke_thread(const struct tracee *tracee, pid_t thread, int64_t passed)
{
    struct user_regs_struct registers;
    const struct wait wait = {tracee, &registers, passed};
    long restart;

    if (ptrace(PTRACE_GETREGS, thread, 0, &registers) < 0)
        return false;
    restart = (long)registers.rax;
    if (restart > -RESTART_FIRST || restart < -RESTART_BLOCK || (long)registers.orig_rax < 0)
        return is_over(&registers);
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
        if (waits[i].number == (long)registers.orig_rax)
            registers.rax = (uint64_t)waits[i].fate(&wait, restart);
    if ((long)registers.rax != restart)
        ptrace(PTRACE_SETREGS, thread, 0, &registers);
    return (long)registers.rax > -RESTART_FIRST;
}

int poke(pid_t pid, int64_t passed, struct error *e)
{
    struct tracee tracee;
    int ended = 0;

    if (tracee_seize(pid, &tracee, e) < 0)
        return -1;
    for (size_t i = 0; i < tracee.count; i++)
        ended += poke_thread(&tracee, tracee.threads[i], passed);
    tracee_release(&tracee);
    return ended;
}
