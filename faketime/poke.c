#include "faketime/poke.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faketime/tracee.h"
#include "faketime/wait.h"

/* What the kernel has as the result of a call that it is about to begin again (linux/errno.h, its own). */
#define RESTART_FIRST 512 /* ERESTARTSYS */
#define RESTART_ANEW  514 /* ERESTARTNOHAND */
#define RESTART_LAST  516 /* ERESTART_RESTARTBLOCK: goes on by restart_syscall(2) */

static bool restarts(long result)
{
    return result <= -RESTART_FIRST && result >= -RESTART_LAST;
}

/* A sleep that is not over does not go on by restart_syscall, which does not tell for how long. */
static long result_of(const struct wait *wait, int64_t passed, long restart)
{
    if (wait->kind == WAIT_NONE || wait->kind == WAIT_SHARED)
        return restart;
    if (wait->kind == WAIT_SLEEP)
        return wait->timeout <= passed ? 0 : -RESTART_ANEW;
    return wait->timeout == WAIT_FOREVER && wait->kind != WAIT_RESTART ? restart : -EINTR;
}

/* epoll_wait(2) and some others end with EINTR by having been stopped, whatever we do. */
static bool poke_thread(const struct tracee *tracee, pid_t thread, int64_t passed)
{
    struct user_regs_struct now;
    struct wait wait;
    long result;

    if (ptrace(PTRACE_GETREGS, thread, 0, &now) < 0 || (long)now.orig_rax < 0)
        return false;
    if (!restarts((long)now.rax))
        return (long)now.rax == -EINTR;
    wait = wait_of_call(tracee->pid, (long)now.orig_rax,
                        (uint64_t[]){now.rdi, now.rsi, now.rdx, now.r10, now.r8, now.r9});
    result = result_of(&wait, passed, (long)now.rax);
    if (result != (long)now.rax) {
        now.rax = (uint64_t)result;
        ptrace(PTRACE_SETREGS, thread, 0, &now);
    }
    return !restarts(result);
}

static int poke_threads(pid_t pid, int64_t passed, struct error *e)
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

/* --- in a process of its own ----------------------------------------------------------------------- */

#define STACK_BYTES 262144

struct task {
    pid_t pid;
    int64_t passed;
    struct error *e;
    int result;
};

static int help(void *argument)
{
    struct task *task = argument;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    task->result = poke_threads(task->pid, task->passed, task->e);
    return 0;
}

/* A thread that does not stop in time, for it is in vfork(2) or waits for a disk, stops when it can, and goes on only
 * when whoever told it to stop has ended.  We may be there for a year. */
int poke(pid_t pid, int64_t passed, struct error *e)
{
    static char stack[STACK_BYTES] __attribute__((aligned(16)));
    struct task task = {pid, passed, e, -1};
    pid_t helper;

    if (pid == getpid())
        return failed(e, "process %d: is this one; expected another", (int)pid);
    failed(e, "process %d: who was to poke it has ended", (int)pid);
    helper = clone(help, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &task);
    if (helper < 0)
        return failed(e, "cannot start a process: %s", strerror(errno));
    waitpid(helper, NULL, 0);
    return task.result;
}
