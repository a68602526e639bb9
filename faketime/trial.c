#include "faketime/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "faketime/redirect.h"
#include "faketime/tracee.h"
#include "testbed/wire/status.h"

/* Becomes the program when it is told that it is being traced. */
static _Noreturn void become(const char *path, int told)
{
    char *arguments[] = {(char *)(uintptr_t)path, NULL};
    char ignored;

    unsetenv("LD_PRELOAD");
    if (read(told, &ignored, 1) == 1)
        execv(path, arguments);
    _exit(STATUS_CANNOT_RUN);
}

static int await_exec(pid_t pid, const char *path, struct error *e)
{
    int status;

    for (;;) {
        if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
            return failed(e, "%s: cannot be run", path);
        if (status >> 16 == PTRACE_EVENT_EXEC)
            return 0;
        ptrace(PTRACE_CONT, pid, 0, status >> 16 != 0 ? 0 : WSTOPSIG(status));
    }
}

static int ask(struct tracee *tracee, const char *clock, int64_t *now, struct error *e)
{
    struct redirect redirect;
    struct maps maps;
    int result = -1;

    if (maps_read(tracee->pid, &maps, e) < 0)
        return -1;
    if (redirect_look(tracee, &maps, &redirect, e) == 0 && tracee_enter(tracee, &maps, 0, e) == 0 &&
        redirect_on(tracee, &maps, &redirect, clock, false, e) == 0)
        result = tracee_ask(tracee, redirect.entries[BLOB_CLOCK_GETTIME], CLOCK_REALTIME, now, e);
    maps_free(&maps);
    return result;
}

static int try_child(pid_t pid, int tell, const char *path, const char *clock, int64_t *now,
                     struct error *e)
{
    long options = PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
    struct tracee tracee = {.pid = pid};
    int result = -1;

    if (ptrace(PTRACE_SEIZE, pid, 0, options) < 0)
        return failed(e, "%s: cannot trace: %s", path, strerror(errno));
    if (write(tell, "", 1) == 1 && await_exec(pid, path, e) == 0 &&
        tracee_at_exec(pid, &tracee, e) == 0)
        result = ask(&tracee, clock, now, e);
    kill(pid, SIGKILL);
    tracee_release(&tracee);
    return result;
}

int trial(const char *path, const char *clock, int64_t *now, struct error *e)
{
    int ends[2], result;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return failed(e, "cannot make a pipe: %s", strerror(errno));
    pid = fork();
    if (pid == 0) {
        close(ends[1]);
        become(path, ends[0]);
    }
    close(ends[0]);
    result = pid < 0 ? failed(e, "cannot start a process: %s", strerror(errno))
                     : try_child(pid, ends[1], path, clock, now, e);
    close(ends[1]);
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, __WALL);
    }
    return result;
}
