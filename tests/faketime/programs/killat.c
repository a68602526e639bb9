/* killat N COMMAND...: runs COMMAND and kills it at the N-th step after it has begun to trace.
 *
 * A step is the beginning or the end of a system call; the first is that of its first ptrace(2).  Where COMMAND
 * forks, the one that was forked last is meant and the others are let go.  Ends when the process that was started
 * has; with status NEVER when there was no such step, or else how often what was killed had sent its tracee
 * somewhere with PTRACE_SETREGS.  The same step is not always the same place, for a signal that reaches the tracee
 * between its PTRACE_SEIZE and its PTRACE_INTERRUPT costs a few system calls more; that number is.
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

enum { MOST_SENT = 99, TROUBLE = 100, NEVER = 101 };

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

static bool begins_to_trace(const struct user_regs_struct *registers)
{
    return registers->orig_rax == SYS_ptrace;
}

/* Its beginning has -ENOSYS where its end has the result. */
static bool has_sent(const struct user_regs_struct *registers)
{
    return registers->orig_rax == SYS_ptrace && registers->rdi == PTRACE_SETREGS &&
           registers->rax == 0;
}

/* Returns how often it had sent its tracee somewhere; NEVER: there was no such step. */
static int kill_at(pid_t pid, long wanted)
{
    struct user_regs_struct registers;
    int status, signal = 0, sent = 0;
    long step = 0;

    for (;;) {
        ptrace(PTRACE_SYSCALL, pid, 0, signal);
        signal = 0;
        if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
            return NEVER;
        if (status >> 16 != 0) {
            pid = follow(pid);
        } else if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        } else if (ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0 &&
                   (step > 0 || begins_to_trace(&registers))) {
            sent += has_sent(&registers) && sent < MOST_SENT;
            if (++step < wanted)
                continue;
            kill(pid, SIGKILL);
            waitpid(pid, NULL, __WALL);
            return sent;
        }
    }
}

int main(int argc, char **argv)
{
    pid_t pid;
    int result;

    if (argc < 3) {
        fprintf(stderr, "expected: killat N COMMAND...\n");
        return TROUBLE;
    }
    pid = start(argv + 2);
    result = kill_at(pid, strtol(argv[1], NULL, 10));
    waitpid(pid, NULL, 0);
    return result;
}
