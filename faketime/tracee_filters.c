/* Filters of system calls (seccomp(2)) that a process has set itself, and that could kill it for what we have it do. */
#include <limits.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "faketime/census.h"
#include "faketime/tracee.h"

#define STRICT                                                                                     \
    1 /* SECCOMP_MODE_STRICT, in which a process may read, write and end: no filter is counted */

static long filters_of(pid_t pid)
{
    char mode[64], count[64];

    tracee_status(pid, "Seccomp:", mode);
    if (strtol(mode, NULL, 10) == STRICT)
        return LONG_MAX;
    tracee_status(pid, "Seccomp_filters:", count);
    return strtol(count, NULL, 10);
}

/* The filter of a launch lets all of it pass. */
static bool are_ours(pid_t pid)
{
    struct resident resident;

    census_look(pid, &resident);
    return resident.trapped;
}

/* As many as we have ourselves were inherited by both, in a container for instance, and let us do the same. */
int tracee_suspend_filters(const struct tracee *tracee, struct error *e)
{
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_SUSPEND_SECCOMP;
    long theirs = filters_of(tracee->pid);

    if (theirs == 0 || theirs <= filters_of(getpid()) ||
        ptrace(PTRACE_SETOPTIONS, tracee->worker, 0, options) == 0 || are_ours(tracee->pid))
        return 0;
    return failed(e,
                  "process %d: has a filter of system calls (seccomp) that could kill it; expected "
                  "root, who can suspend it",
                  (int)tracee->pid);
}
