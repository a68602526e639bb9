/* killat N COMMAND...: runs COMMAND and kills it at the N-th step after it has begun to trace.
 *
 * A step is the beginning or the end of a system call; the first is that of its first ptrace(2).  Where COMMAND
 * forks, the one that was forked last is meant and the others are let go.  Ends when the process that was started
 * has; with status 0 when something was killed, 7 when there was no such step.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLED = 0, TROUBLE = 2, NEVER = 7 };

static pid_t start(char **command)
{
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
    pid_t pid = fork();

    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execvp(command[0], command);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    ptrace(PTRACE_SETOPTIONS, pid, 0, options);
    return pid;
}

static pid_t follow(pid_t parent)
{
    unsigned long child;

    ptrace(PTRACE_GETEVENTMSG, parent, 0, &child);
    waitpid((pid_t)child, NULL, __WALL);
    ptrace(PTRACE_DETACH, parent, 0, 0);
    return (pid_t)child;
}

static bool begins_to_trace(pid_t pid)
{
    struct user_regs_struct registers;

    return ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0 && registers.orig_rax == SYS_ptrace;
}

/* Returns whether there was such a step. */
static bool kill_at(pid_t pid, long wanted)
{
    int status, signal = 0;
    long step = 0;

    for (;;) {
        ptrace(PTRACE_SYSCALL, pid, 0, signal);
        signal = 0;
        if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
            return false;
        if (status >> 16 != 0) {
            pid = follow(pid);
        } else if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        } else if (step > 0 || begins_to_trace(pid)) {
            if (++step < wanted)
                continue;
            kill(pid, SIGKILL);
            waitpid(pid, NULL, __WALL);
            return true;
        }
    }
}

int main(int argc, char **argv)
{
    pid_t pid;
    bool killed;

    if (argc < 3) {
        fprintf(stderr, "expected: killat N COMMAND...\n");
        return TROUBLE;
    }
    pid = start(argv + 2);
    killed = kill_at(pid, strtol(argv[1], NULL, 10));
    waitpid(pid, NULL, 0);
    return killed ? KILLED : NEVER;
}
