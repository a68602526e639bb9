/* Stopping every thread of a process, and letting them go. */
#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faketime/tracee.h"

#define PATIENCE_SECONDS 2
#define RINGS_A_SECOND   20

/* --- why not ----------------------------------------------------------------------------------- */

void tracee_status(pid_t pid, const char *key, char value[64])
{
    char path[40], line[256];
    FILE *file;

    *value = '\0';
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            sscanf(line + strlen(key), " %63[^\n]", value);
    if (file != NULL)
        fclose(file);
}

/* Root's are everybody's. */
static bool is_ours(pid_t pid)
{
    char users[64];
    unsigned real, effective, saved;

    tracee_status(pid, "Uid:", users);
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers, proc(5) */
    return geteuid() == 0 || (sscanf(users, "%u %u %u", &real, &effective, &saved) == 3 &&
                              real == geteuid() && effective == real && saved == real);
}

/* Yama's rule (ptrace(2)); 0: there is none. */
static int yama(void)
{
    FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
    int scope = file == NULL ? 0 : fgetc(file) - '0';

    if (file != NULL)
        fclose(file);
    return scope;
}

static int forbidden(pid_t pid, struct error *e)
{
    if (!is_ours(pid))
        return failed(e, "process %d: may not be traced; expected one of your own, or root",
                      (int)pid);
    if (yama() > 0)
        return failed(e,
                      "process %d: may not be traced, for kernel.yama.ptrace_scope is %d; expected "
                      "0, or root where it is below 3",
                      (int)pid, yama());
    return failed(e,
                  "process %d: may not be traced, though it is yours; expected one that may be "
                  "dumped, and a kernel and a container that allow ptrace",
                  (int)pid);
}

static int refused(pid_t pid, int why, struct error *e)
{
    char state[64], tracer[64], group[64];

    tracee_status(pid, "State:", state);
    tracee_status(pid, "TracerPid:", tracer);
    tracee_status(pid, "Tgid:", group);
    if (*state == '\0')
        return failed(e, "process %d: there is none", (int)pid);
    if (pid == getpid())
        return failed(e, "process %d: is this one; expected another", (int)pid);
    if (*state == 'Z' || *state == 'X')
        return failed(e, "process %d: has ended already; nobody has asked for its status",
                      (int)pid);
    if (strtol(group, NULL, 10) != pid)
        return failed(e, "process %d: is a thread; expected its process, %s", (int)pid, group);
    if (strtol(tracer, NULL, 10) != 0)
        return failed(e, "process %d: is being traced by process %s; expected one that is not",
                      (int)pid, tracer);
    if (why == EPERM)
        return forbidden(pid, e);
    return failed(e, "process %d: cannot be traced: %s", (int)pid, strerror(why));
}

/* --- patience ---------------------------------------------------------------------------------- */

static void ring(int signal)
{
    (void)signal; /* waitpid returns; that is all */
}

/* Rings again and again, so that who waits looks what keeps it waiting. */
static void set_ringing(bool on)
{
    struct sigaction action = {.sa_handler = ring};
    struct timeval pause = {.tv_usec = on ? 1000000 / RINGS_A_SECOND : 0};
    struct itimerval timer = {.it_interval = pause, .it_value = pause};

    if (on)
        sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* --- threads ----------------------------------------------------------------------------------- */

int tracee_wait(pid_t thread, int *status)
{
    pid_t who;

    do
        who = waitpid(-1, status, __WALL);
    while (who > 0 && who != thread);
    return who == thread ? 0 : -1;
}

/* In the kernel, where nobody can stop it: for a disk, or in vfork(2).  All others stop as soon as they have a turn,
 * and on a busy machine that can be long. */
static bool is_out_of_reach(pid_t thread)
{
    char state[64];

    tracee_status(thread, "State:", state);
    return *state == 'D';
}

/* 1: stopped; 0: it ended; -1: it does not stop. */
static int await_stop(pid_t thread)
{
    int status, rings = 0;

    for (;;) {
        if (tracee_wait(thread, &status) < 0) {
            if (errno != EINTR)
                return 0;
            rings += is_out_of_reach(thread);
            if (rings == PATIENCE_SECONDS * RINGS_A_SECOND)
                return -1;
            /* one that came while it became another program may be lost */
            ptrace(PTRACE_INTERRUPT, thread, 0, 0);
            continue;
        }
        if (!WIFSTOPPED(status))
            return 0;
        if (status >> 16 == PTRACE_EVENT_STOP)
            return 1;
        /* a signal came first: the stop follows it */
        ptrace(PTRACE_CONT, thread, 0, status >> 16 != 0 ? 0 : WSTOPSIG(status));
    }
}

static bool known(const struct tracee *tracee, pid_t thread)
{
    for (size_t i = 0; i < tracee->count; i++)
        if (tracee->threads[i] == thread)
            return true;
    return false;
}

/* 1: one more is stopped; 0: it has ended; -1 with one line. */
static int seize_thread(struct tracee *tracee, pid_t thread, struct error *e)
{
    pid_t *more = realloc(tracee->threads, (tracee->count + 1) * sizeof *more);
    int stopped;

    if (more == NULL)
        return failed(e, "out of memory");
    tracee->threads = more;
    if (ptrace(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACESYSGOOD) < 0)
        return errno == ESRCH && tracee->count > 0 ? 0 : refused(tracee->pid, errno, e);
    ptrace(PTRACE_INTERRUPT, thread, 0, 0);
    stopped = await_stop(thread);
    if (stopped < 0)
        return failed(
            e, "process %d: thread %d waits in the kernel, and could not be stopped for %d s",
            (int)tracee->pid, (int)thread, PATIENCE_SECONDS);
    if (stopped > 0)
        tracee->threads[tracee->count++] = thread;
    return stopped;
}

/* How many were new; none: everybody is stopped.  -1 with one line. */
static int seize_round(struct tracee *tracee, struct error *e)
{
    char path[40];
    const struct dirent *entry;
    int fresh = 0;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%d/task", (int)tracee->pid);
    folder = opendir(path);
    if (folder == NULL)
        return refused(tracee->pid, errno, e);
    while (fresh >= 0 && (entry = readdir(folder)) != NULL) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        int one;

        if (!isdigit((unsigned char)entry->d_name[0]) || known(tracee, thread))
            continue;
        one = seize_thread(tracee, thread, e);
        fresh = one < 0 ? -1 : fresh + one;
    }
    closedir(folder);
    return fresh;
}

/* A 32-bit thread has other registers, and says so by their size. */
static int check_machine(const struct tracee *tracee, struct error *e)
{
    for (size_t i = 0; i < tracee->count; i++) {
        struct user_regs_struct registers;
        struct iovec into = {&registers, sizeof registers};

        if (ptrace(PTRACE_GETREGSET, tracee->threads[i], NT_PRSTATUS, &into) < 0)
            return failed(e, "process %d: ended meanwhile", (int)tracee->pid);
        if (into.iov_len != sizeof registers)
            return failed(e, "process %d: is a 32-bit program; expected one for x86-64",
                          (int)tracee->pid);
    }
    return 0;
}

/* The main thread, unless it has left the others alone. */
static int choose_worker(struct tracee *tracee, struct error *e)
{
    if (tracee->count == 0)
        return refused(tracee->pid, ESRCH, e);
    tracee->worker = known(tracee, tracee->pid) ? tracee->pid : tracee->threads[0];
    return check_machine(tracee, e);
}

int tracee_seize(pid_t pid, struct tracee *tracee, struct error *e)
{
    char group[64];
    int fresh;

    *tracee = (struct tracee){.pid = pid};
    tracee_status(pid, "Tgid:", group);
    if (pid == getpid() || strtol(group, NULL, 10) != pid)
        return refused(pid, ESRCH, e);
    set_ringing(true);
    do
        fresh = seize_round(tracee, e);
    while (fresh > 0);
    set_ringing(false);
    if (fresh == 0 && choose_worker(tracee, e) == 0)
        return 0;
    tracee_release(tracee);
    return -1;
}

int tracee_at_exec(pid_t pid, struct tracee *tracee, struct error *e)
{
    int status;

    *tracee = (struct tracee){.pid = pid, .threads = malloc(sizeof pid), .count = 1, .worker = pid};
    if (tracee->threads == NULL)
        return failed(e, "out of memory");
    tracee->threads[0] = pid;
    /* to the end of the execve, which would write its result over our registers */
    if (ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0 || waitpid(pid, &status, __WALL) != pid ||
        !WIFSTOPPED(status))
        return failed(e, "process %d: ended meanwhile", (int)pid);
    return check_machine(tracee, e);
}

void tracee_release(struct tracee *tracee)
{
    for (size_t i = 0; i < tracee->count; i++)
        ptrace(PTRACE_DETACH, tracee->threads[i], 0, 0);
    if (tracee->stop_again)
        kill(tracee->pid, SIGSTOP);
    free(tracee->threads);
    free(tracee->journal);
    *tracee = (struct tracee){.pid = tracee->pid};
}
