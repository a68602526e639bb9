/* tracee.h -- a process held still, made to do system calls, and left as it was found.
 *
 * Order of calls: tracee_seize (a running process) or tracee_at_exec (one that has just become a
 * program); then tracee_enter; any number of tracee_call and tracee_poke; tracee_undo, if what
 * was poked is not to stay; tracee_leave; tracee_release.  One tracee at a time in a process of ours.
 *
 * Whoever does this may be killed at any instruction, and the tracee must then go on by itself.  So
 *
 *   - it never runs with borrowed registers unless it has a way home: what it runs is a springboard
 *     of 16 bytes, "system call; then rt_sigreturn", on a stack where a signal frame (sigreturn(2)) with
 *     its own registers, its floating point state and its signal mask is ready.  Let go at any point, it comes
 *     home as from a signal handler; at worst a timed wait ends with EINTR, as with a signal;
 *   - the springboard lies behind the end of the vDSO's image, in the zeros that fill its last page, and the
 *     frame in memory that is kept for it, or in pages of the main thread's stack that nobody has ever touched;
 *   - it is stopped at system calls only, by PTRACE_SYSCALL: a stop by single step would leave a SIGTRAP
 *     that kills it, should we die before having waited for it.
 *
 * Words are poked, which the kernel allows also where the process itself may not write (ptrace(2)).
 */
#ifndef FAKETIME_TRACEE_H
#define FAKETIME_TRACEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "faketime/maps.h"
#include "testbed/wire/error.h"

struct poked {
    uint64_t address, before;
};

struct tracee {
    pid_t pid;
    pid_t *threads; /* all of them, stopped */
    size_t count;
    pid_t worker; /* the one that does our system calls */
    bool entered;
    bool stop_again; /* somebody sent SIGSTOP meanwhile */
    struct user_regs_struct home;
    uint64_t mask;
    uint64_t springboard;
    uint64_t stack;   /* the stack pointer that leads home */
    uint64_t scratch; /* TRACEE_SCRATCH bytes for arguments */
    struct poked *journal;
    size_t journaled;
};

#define TRACEE_SCRATCH 4096
#define TRACEE_ROOM    (UINT64_C(10) * 4096) /* bytes: the scratch, a stack for calls, the frame */

/* Stops every thread, also those that are born meanwhile.  -1 with one line, and nobody stopped, where the
 * process is gone, a zombie, 32-bit, traced by others, not ours to trace, or has a thread that waits in the kernel for
 * more than two seconds, where it cannot be stopped: for a disk, or in vfork(2). */
int tracee_seize(pid_t pid, struct tracee *tracee, struct error *e);

/* What /proc/PID/status says after `key`: "" where there is nothing. */
void tracee_status(pid_t pid, const char *key, char value[64]);

/* Waits for that thread (waitpid(2)): its status in *status; -1 where it is gone, or a signal came
 * (EINTR).  Others that end meanwhile are taken note of: a process that was killed is gone only when
 * all its threads are. */
int tracee_wait(pid_t thread, int *status);

/* Takes over a process that we trace already and that is stopped with PTRACE_EVENT_EXEC. */
int tracee_at_exec(pid_t pid, struct tracee *tracee, struct error *e);

/* Lays the way home and sends the worker to the springboard. `maps` are the tracee's.  `room` is TRACEE_ROOM
 * bytes in it that nobody uses; 0: they are looked for.  -1 with one line, too, where it could not survive our
 * system calls. */
int tracee_enter(struct tracee *tracee, const struct maps *maps, uint64_t room, struct error *e);

/* Of tracee_enter: suspends the worker's filters of system calls (seccomp(2)) as long as it is traced, if it has any of
 * its own.  -1 with one line where that is not allowed. */
int tracee_suspend_filters(const struct tracee *tracee, struct error *e);

/* A system call by the worker, called `what` in the one line of its failure. */
struct remote_call {
    const char *what;
    long number;
    uint64_t arguments[6];
};
int tracee_call(struct tracee *tracee, const struct remote_call *call, uint64_t *result,
                struct error *e);

/* Calls `function`, a clock_gettime in the tracee, as it would itself: nanoseconds in *now. */
int tracee_ask(struct tracee *tracee, uint64_t function, clockid_t id, int64_t *now,
               struct error *e);

int tracee_read(const struct tracee *tracee, uint64_t address, void *into, size_t size,
                struct error *e);
/* Into the scratch, or elsewhere where the tracee may write. */
int tracee_write(const struct tracee *tracee, uint64_t address, const void *from, size_t size,
                 struct error *e);
/* One aligned word anywhere; tracee_undo puts the former one back. */
int tracee_poke(struct tracee *tracee, uint64_t address, uint64_t word, struct error *e);
void tracee_undo(struct tracee *tracee);

/* Brings the worker home and removes the springboard; what else was poked stays. */
void tracee_leave(struct tracee *tracee);

/* Lets everybody go and forgets them. */
void tracee_release(struct tracee *tracee);

#endif
