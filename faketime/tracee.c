#include "faketime/tracee.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "faketime/frame.h"
#include "faketime/page.h"
#include "testbed/wire/moment.h"

#define SPRING_BYTES   16
#define SPRING_CALL    0 /* call *%rbx; mov $SYS_getpid, %eax */
#define SPRING_SYSCALL 7 /* syscall; mov $SYS_rt_sigreturn, %eax; syscall */
#define SPRING_HOME    9
static const uint64_t springboard[SPRING_BYTES / 8] = {0x0f00000027b8d3ff, 0x050f0000000fb805};

#define STOP_SYSCALL (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */
#define ROOM_PAGES   (TRACEE_ROOM / PAGE_BYTES)

static int lost(const struct tracee *tracee, struct error *e)
{
    return failed(e, "process %d: ended meanwhile", (int)tracee->pid);
}

/* --- stops ------------------------------------------------------------------------------------ */

/* Runs the worker until its next stop of that kind, an event or STOP_SYSCALL. */
static int run_until(struct tracee *tracee, int wanted, struct error *e)
{
    int status;

    for (;;) {
        if (ptrace(PTRACE_SYSCALL, tracee->worker, 0, 0) < 0)
            return lost(tracee, e);
        while (tracee_wait(tracee->worker, &status) < 0)
            if (errno != EINTR)
                return lost(tracee, e);
        if (!WIFSTOPPED(status))
            return lost(tracee, e);
        if (status >> 16 == wanted || (status >> 16 == 0 && WSTOPSIG(status) == wanted))
            return 0;
        /* the one signal that cannot be held back and does not end it */
        if (status >> 16 == 0 && WSTOPSIG(status) == SIGSTOP)
            tracee->stop_again = true;
    }
}

/* --- memory ----------------------------------------------------------------------------------- */

int tracee_read(const struct tracee *tracee, uint64_t address, void *into, size_t size,
                struct error *e)
{
    struct iovec ours = {into, size}, theirs = {(void *)(uintptr_t)address, size};

    if (process_vm_readv(tracee->pid, &ours, 1, &theirs, 1, 0) == (ssize_t)size)
        return 0;
    return failed(e, "process %d: its memory cannot be read: %s", (int)tracee->pid,
                  strerror(errno));
}

int tracee_write(const struct tracee *tracee, uint64_t address, const void *from, size_t size,
                 struct error *e)
{
    struct iovec ours = {(void *)(uintptr_t)from, size};
    struct iovec theirs = {(void *)(uintptr_t)address, size};

    if (process_vm_writev(tracee->pid, &ours, 1, &theirs, 1, 0) == (ssize_t)size)
        return 0;
    return failed(e, "process %d: its memory cannot be written: %s", (int)tracee->pid,
                  strerror(errno));
}

/* The journal first: what was written is to be undone whatever happens. */
static int note(struct tracee *tracee, uint64_t address, uint64_t before)
{
    if ((tracee->journaled & (tracee->journaled - 1)) == 0) {
        size_t room = tracee->journaled == 0 ? 1 : 2 * tracee->journaled;
        struct poked *more = realloc(tracee->journal, room * sizeof *more);

        if (more == NULL)
            return -1;
        tracee->journal = more;
    }
    tracee->journal[tracee->journaled++] = (struct poked){address, before};
    return 0;
}

int tracee_poke(struct tracee *tracee, uint64_t address, uint64_t word, struct error *e)
{
    uint64_t before;

    if (tracee_read(tracee, address, &before, sizeof before, e) < 0)
        return -1;
    if (note(tracee, address, before) < 0)
        return failed(e, "out of memory");
    if (ptrace(PTRACE_POKEDATA, tracee->worker, address, word) == 0)
        return 0;
    tracee->journaled--;
    return failed(e, "process %d: its memory cannot be poked: %s", (int)tracee->pid,
                  strerror(errno));
}

void tracee_undo(struct tracee *tracee)
{
    while (tracee->journaled > 0) {
        const struct poked *poked = &tracee->journal[--tracee->journaled];

        ptrace(PTRACE_POKEDATA, tracee->worker, poked->address, poked->before);
    }
}

/* --- the way home ------------------------------------------------------------------------------ */

/* `pages` pages in a row that nobody has ever touched: their address, or 0. */
static uint64_t untouched(int pages_fd, const struct region *region, size_t pages)
{
    uint64_t address = region->start;
    size_t in_a_row = 0;

    for (; address < region->end && in_a_row < pages; address += PAGE_BYTES) {
        enum page_state state;

        if (maps_pages(pages_fd, address, 1, &state) < 0)
            return 0;
        in_a_row = state == PAGE_UNTOUCHED ? in_a_row + 1 : 0;
    }
    return in_a_row == pages ? address - pages * PAGE_BYTES : 0;
}

static bool is_stack(const struct region *region)
{
    return strcmp(region->name, "[stack]") == 0;
}

/* A thread's stack, or an allocator's room. */
static bool is_spare(const struct region *region)
{
    return region->inode == 0 && region->name[0] == '\0' && region->readable && region->writable &&
           !region->shared;
}

/* The main thread's stack for choice: a kernel makes it larger than most programs ever need. */
static uint64_t find_room(const struct tracee *tracee, const struct maps *maps, struct error *e)
{
    bool (*const choices[])(const struct region *) = {is_stack, is_spare};
    int pages_fd = maps_open_pages(tracee->pid, e);
    uint64_t room = 0;

    if (pages_fd < 0)
        return 0;
    for (size_t choice = 0; choice < 2; choice++)
        for (size_t i = 0; i < maps->count && room == 0; i++)
            if (choices[choice](&maps->regions[i]))
                room = untouched(pages_fd, &maps->regions[i], ROOM_PAGES);
    if (room == 0)
        failed(e, "process %d: has no %zu pages in a row that it never used", (int)tracee->pid,
               (size_t)ROOM_PAGES);
    close(pages_fd);
    return room;
}

/* The zeros at the end of the vDSO, or what somebody who was killed has left there of a springboard. */
static int find_springboard(struct tracee *tracee, const struct maps *maps, struct error *e)
{
    const struct region *vdso = maps_named(maps, "[vdso]");
    uint64_t there[2];

    if (vdso == NULL)
        return failed(e, "process %d: has no vDSO to redirect", (int)tracee->pid);
    tracee->springboard = vdso->end - SPRING_BYTES;
    if (tracee_read(tracee, tracee->springboard, there, sizeof there, e) < 0)
        return -1;
    for (size_t i = 0; i < 2; i++)
        if (there[i] != 0 && there[i] != springboard[i])
            return failed(e, "process %d: its vDSO leaves no room behind its end",
                          (int)tracee->pid);
    return 0;
}

static void poke_springboard(const struct tracee *tracee, const uint64_t words[2])
{
    for (size_t i = 0; i < 2; i++)
        ptrace(PTRACE_POKEDATA, tracee->worker, tracee->springboard + 8 * i, words[i]);
}

/* The worker as it would be just before the system call; whatever happens then, it comes home. */
static int set_out(struct tracee *tracee, const struct remote_call *call, struct error *e)
{
    struct user_regs_struct registers = tracee->home;

    registers.rip = tracee->springboard + SPRING_SYSCALL;
    registers.rsp = tracee->stack;
    registers.rax = (uint64_t)call->number;
    registers.orig_rax = UINT64_MAX; /* not in a system call, as far as restarting goes */
    registers.rdi = call->arguments[0];
    registers.rsi = call->arguments[1];
    registers.rdx = call->arguments[2];
    registers.r10 = call->arguments[3];
    registers.r8 = call->arguments[4];
    registers.r9 = call->arguments[5];
    return ptrace(PTRACE_SETREGS, tracee->worker, 0, &registers) < 0 ? lost(tracee, e) : 0;
}

static int lay_way_home(struct tracee *tracee, uint64_t room, struct error *e)
{
    uint64_t end = room + TRACEE_ROOM;
    struct frame frame;

    if (frame_make(tracee->worker, &tracee->home, tracee->mask, end, &frame, e) < 0 ||
        tracee_write(tracee, frame.start, frame.bytes, frame.size, e) < 0)
        return -1;
    tracee->scratch = room;
    tracee->stack = frame.stack;
    return 0;
}

/* Up to the end, which is where it stands while its rt_sigreturn begins. */
static bool on_the_way(const struct tracee *tracee)
{
    return tracee->home.rip >= tracee->springboard &&
           tracee->home.rip <= tracee->springboard + SPRING_BYTES;
}

/* Somebody who was killed may have left it on the springboard just now, and that is no home. */
static int come_home(struct tracee *tracee, struct error *e)
{
    do
        if (ptrace(PTRACE_GETREGS, tracee->worker, 0, &tracee->home) < 0)
            return lost(tracee, e);
    while (on_the_way(tracee) && run_until(tracee, STOP_SYSCALL, e) == 0);
    return on_the_way(tracee) ? -1 : 0;
}

int tracee_enter(struct tracee *tracee, const struct maps *maps, uint64_t room, struct error *e)
{
    static const struct remote_call nothing = {.what = "getpid", .number = SYS_getpid};
    uint64_t all = UINT64_MAX;

    if (find_springboard(tracee, maps, e) < 0 || tracee_suspend_filters(tracee, e) < 0 ||
        come_home(tracee, e) < 0)
        return -1;
    if (room == 0)
        room = find_room(tracee, maps, e);
    if (room == 0)
        return -1;
    if (ptrace(PTRACE_GETSIGMASK, tracee->worker, sizeof tracee->mask, &tracee->mask) < 0)
        return lost(tracee, e);
    if (lay_way_home(tracee, room, e) < 0)
        return -1;
    poke_springboard(tracee, springboard);
    if (set_out(tracee, &nothing, e) < 0)
        return -1;
    tracee->entered = true;
    /* only now: on the way home the frame has the mask that was */
    return ptrace(PTRACE_SETSIGMASK, tracee->worker, sizeof all, &all) < 0 ? lost(tracee, e) : 0;
}

void tracee_leave(struct tracee *tracee)
{
    static const uint64_t nothing[2];
    static const unsigned char zeros[TRACEE_ROOM];
    struct error ignored;

    if (!tracee->entered)
        return;
    tracee->entered = false;
    /* An interrupted system call goes on only from within the kernel's signal code. */
    ptrace(PTRACE_INTERRUPT, tracee->worker, 0, 0);
    if (run_until(tracee, PTRACE_EVENT_STOP, &ignored) < 0)
        return;
    ptrace(PTRACE_SETSIGMASK, tracee->worker, sizeof tracee->mask, &tracee->mask);
    ptrace(PTRACE_SETREGS, tracee->worker, 0, &tracee->home);
    poke_springboard(tracee, nothing);
    tracee_write(tracee, tracee->scratch, zeros, sizeof zeros, &ignored);
}

/* --- calls ------------------------------------------------------------------------------------- */

int tracee_call(struct tracee *tracee, const struct remote_call *call, uint64_t *result,
                struct error *e)
{
    struct user_regs_struct after;

    if (set_out(tracee, call, e) < 0 || run_until(tracee, STOP_SYSCALL, e) < 0 ||
        run_until(tracee, STOP_SYSCALL, e) < 0)
        return -1;
    if (ptrace(PTRACE_GETREGS, tracee->worker, 0, &after) < 0)
        return lost(tracee, e);
    *result = after.rax;
    if (after.rax < (uint64_t)-4095)
        return 0;
    return failed(e, "process %d: cannot %s: %s", (int)tracee->pid, call->what,
                  strerror((int)-(int64_t)after.rax));
}

/* Until the end of the getpid that the springboard does after the function. */
static int run_function(struct tracee *tracee, struct error *e)
{
    struct user_regs_struct at = {0};

    do {
        if (run_until(tracee, STOP_SYSCALL, e) < 0)
            return -1;
        if (ptrace(PTRACE_GETREGS, tracee->worker, 0, &at) < 0)
            return lost(tracee, e);
    } while (at.rip != tracee->springboard + SPRING_HOME || at.orig_rax != SYS_getpid);
    return run_until(tracee, STOP_SYSCALL, e);
}

int tracee_ask(struct tracee *tracee, uint64_t function, clockid_t id, int64_t *now,
               struct error *e)
{
    struct user_regs_struct registers = tracee->home;
    struct timespec time = {.tv_nsec = -1};

    if (tracee_write(tracee, tracee->scratch, &time, sizeof time, e) < 0)
        return -1;
    registers.rip = tracee->springboard + SPRING_CALL;
    registers.rsp = tracee->stack;
    registers.orig_rax = UINT64_MAX;
    registers.rbx = function;
    registers.rdi = (uint64_t)id;
    registers.rsi = tracee->scratch;
    if (ptrace(PTRACE_SETREGS, tracee->worker, 0, &registers) < 0)
        return lost(tracee, e);
    if (run_function(tracee, e) < 0 ||
        tracee_read(tracee, tracee->scratch, &time, sizeof time, e) < 0)
        return -1;
    if (time.tv_nsec < 0)
        return failed(e, "process %d: its clock_gettime fails", (int)tracee->pid);
    *now = (int64_t)time.tv_sec * NANOSECONDS + time.tv_nsec;
    return 0;
}
