#include "faketime/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faketime/filter.h"
#include "faketime/maps.h"
#include "faketime/redirect.h"
#include "faketime/tracee.h"

#define STACK_BYTES 262144

/* --- one processor ------------------------------------------------------------------------------ */

/* The program and its helper take turns a dozen times.  From one processor to another, which may sleep, that takes
 * longer than all the rest.  Returns those that we had. */
static cpu_set_t keep_here(void)
{
    int cpu = sched_getcpu();
    cpu_set_t here, before;

    CPU_ZERO(&here);
    CPU_ZERO(&before);
    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof before, &before) < 0)
        return here;
    CPU_SET((size_t)cpu, &here);
    sched_setaffinity(0, sizeof here, &here);
    return before;
}

/* The kernel refuses to leave it none, which is what keep_here returns where it has not changed anything. */
static void give_back(pid_t pid, const cpu_set_t *processors)
{
    sched_setaffinity(pid, sizeof *processors, processors);
}

/* --- the helper -------------------------------------------------------------------------------- */

static int await_exec(pid_t pid)
{
    int status;

    for (;;) {
        if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
            return -1; /* it never became a program, and has said why */
        if (status >> 16 == PTRACE_EVENT_EXEC)
            return 0;
        ptrace(PTRACE_CONT, pid, 0, status >> 16 != 0 ? 0 : WSTOPSIG(status));
    }
}

/* One that inherits a filter needs a handler whatever happens, and so a clock to look at, though it be of zeros. */
static int put_new(struct tracee *tracee, const struct maps *maps, struct redirect *redirect,
                   const struct trap_order *order, struct error *e)
{
    bool none = *order->clock == '\0';
    int result = none ? redirect_off(tracee, maps, redirect, e)
                      : redirect_on(tracee, maps, redirect, order->clock, false, e);
    struct error why;

    if (order->kind == TRAP_NONE || (result < 0 && !filter_inherited(NULL)))
        return result;
    if (result < 0)
        redirect_off(tracee, maps, redirect, &why);
    if (trap_on(tracee, maps, redirect, order, &why) < 0)
        fprintf(stderr, "fakeclock: waits until a time on the clock may hang: %s\n", why.text);
    return result;
}

static int redirect_new(struct tracee *tracee, const struct trap_order *order, struct error *e)
{
    struct redirect redirect;
    struct maps maps;
    int result = -1;

    if (maps_read(tracee->pid, &maps, e) < 0)
        return -1;
    if (redirect_look(tracee, &maps, &redirect, e) == 0 && tracee_enter(tracee, &maps, 0, e) == 0)
        result = put_new(tracee, &maps, &redirect, order, e);
    tracee_leave(tracee);
    maps_free(&maps);
    return result;
}

struct task {
    pid_t pid; /* the grandparent */
    struct trap_order order;
    cpu_set_t processors; /* that it had */
    int tell;
};

static void put_on_clock(const struct task *task)
{
    struct tracee tracee;
    struct error e;

    if (tracee_at_exec(task->pid, &tracee, &e) < 0 || redirect_new(&tracee, &task->order, &e) < 0)
        fprintf(stderr, "fakeclock: real time is kept: %s\n", e.text);
    give_back(task->pid, &task->processors);
    tracee_release(&tracee);
}

/* Tells through the pipe whether it traces its grandparent: an empty error says that it does. */
static int help(void *argument)
{
    const struct task *task = argument;
    long options = PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;
    struct error e = {.text = ""};

    if (ptrace(PTRACE_SEIZE, task->pid, 0, options) < 0)
        failed(&e, "cannot trace: %s; expected a kernel that lets a process trace its parent",
               strerror(errno));
    if (write(task->tell, &e, sizeof e) == (ssize_t)sizeof e && e.text[0] == '\0' &&
        await_exec(task->pid) == 0)
        put_on_clock(task);
    return 0;
}

/* --- who waits for it -------------------------------------------------------------------------- */

/* Twice, so that the program is not asked to wait for a child that it does not know.  Nothing is copied: the
 * helper waits in our memory until we have become the program, and has it for itself from then on. */
static int start_helper(const struct trap_order *order, const cpu_set_t *processors, int tell)
{
    static char stack[STACK_BYTES] __attribute__((aligned(16)));
    static struct task task;
    pid_t child;

    task = (struct task){getpid(), *order, *processors, tell};
    /* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): it starts another one and ends */
    child = vfork();
    if (child == 0) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Vfork): which runs on a stack of its own */
        clone(help, stack + sizeof stack, CLONE_VM | SIGCHLD, &task);
        _exit(0);
    }
    close(tell);
    return child < 0 || waitpid(child, NULL, 0) < 0 ? -1 : 0;
}

int launch_arm(const struct trap_order *order, struct error *e)
{
    struct error answer;
    cpu_set_t processors;
    ssize_t got = 0;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return failed(e, "cannot make a pipe: %s", strerror(errno));
    /* Yama (prctl(2)) wants consent; where there is no Yama, this fails and nothing is lost */
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    processors = keep_here();
    if (start_helper(order, &processors, ends[1]) == 0)
        got = read(ends[0], &answer, sizeof answer);
    prctl(PR_SET_PTRACER, 0, 0, 0, 0);
    close(ends[0]);
    if (got != (ssize_t)sizeof answer)
        failed(&answer, "cannot start a helper that traces");
    if (answer.text[0] == '\0')
        return 0;
    give_back(0, &processors);
    return failed(e, "%s", answer.text);
}
