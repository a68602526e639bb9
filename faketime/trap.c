#include "faketime/trap.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "faketime/filter.h"
#include "faketime/image.h"

/* A signal's action as the kernel takes it (asm/signal.h), for which glibc has no names. */
#define RESTORER_GIVEN 0x04000000UL
struct kernel_action {
    uint64_t handler, flags, restorer, mask;
};

/* --- the handler ----------------------------------------------------------------------------------- */

static int write_image(struct tracee *tracee, uint64_t address, const struct redirect *redirect,
                       const struct trap_order *order, struct error *e)
{
    unsigned char bytes[TRAP_SIZE] = {0};
    struct trap header;
    int length;

    memcpy(bytes, trap_image_start, (size_t)(trap_image_end - trap_image_start));
    memcpy(&header, bytes, sizeof header);
    header.page = redirect->blob + BLOB_CODE;
    header.original = redirect->originals[BLOB_CLOCK_GETTIME];
    memcpy(bytes, &header, sizeof header);
    length = snprintf((char *)bytes + TRAP_CODE, TRAP_NAMES, "%s%c%s", order->launcher, '\0',
                      order->clock);
    if (length < 0 || (uint64_t)length >= TRAP_NAMES)
        return failed(e, "process %d: too long a path to fakeclock", (int)tracee->pid);
    return tracee_write(tracee, address, bytes, sizeof bytes, e);
}

static int protect(struct tracee *tracee, uint64_t address, uint64_t size, uint64_t mode,
                   struct error *e)
{
    const struct remote_call call = {
        .what = "protect memory", .number = SYS_mprotect, .arguments = {address, size, mode}
    };
    uint64_t ignored;

    return tracee_call(tracee, &call, &ignored, e);
}

static int map_image(struct tracee *tracee, const struct redirect *redirect,
                     const struct trap_order *order, uint64_t *address, struct error *e)
{
    const struct remote_call map = {
        .what = "map memory",
        .number = SYS_mmap,
        .arguments = {0, TRAP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                      UINT64_MAX}
    };
    if (tracee_call(tracee, &map, address, e) < 0 ||
        write_image(tracee, *address, redirect, order, e) < 0)
        return -1;
    if (protect(tracee, *address, TRAP_CODE, PROT_READ | PROT_EXEC, e) < 0)
        return -1;
    return protect(tracee, *address + TRAP_CODE, TRAP_NAMES, PROT_READ, e);
}

/* On the stack that the program has at hand; who may only have inherited a filter may have one of a
 * few hundred bytes, as Go does, and then another for signals. */
static int set_handler(struct tracee *tracee, uint64_t trap, const struct trap_order *order,
                       struct error *e)
{
    const struct remote_call call = {
        .what = "handle a signal",
        .number = SYS_rt_sigaction,
        .arguments = {SIGSYS, tracee->scratch, 0, sizeof(uint64_t)}
    };
    struct kernel_action action = {.flags = SA_SIGINFO | SA_NODEFER | RESTORER_GIVEN};
    struct trap header;
    uint64_t ignored;

    memcpy(&header, trap_image_start, sizeof header);
    action.handler = trap + header.handler;
    action.restorer = trap + header.restorer;
    if (order->kind == TRAP_HANDLER)
        action.flags |= SA_ONSTACK;
    if (tracee_write(tracee, tracee->scratch, &action, sizeof action, e) < 0)
        return -1;
    return tracee_call(tracee, &call, &ignored, e);
}

/* --- the filter ------------------------------------------------------------------------------------ */

#define LOW_MEMORY UINT64_C(0x70000000)

/* The program's code.  Programs that are not position independent lie in low memory, and get all of it, so that one
 * can inherit the filter of another; but for where the Makefile puts fakeclock, which inherits it, too, and has no
 * handler. */
static struct filter_range code_of(const struct maps *maps)
{
    struct filter_range range = {UINT64_MAX, 0};

    for (size_t i = 0; i < maps->count; i++) {
        const struct region *region = &maps->regions[i];

        if (region->inode == 0 || !region->executable)
            continue;
        if (region->start < range.start)
            range.start = region->start;
        if (region->end > range.end)
            range.end = region->end;
    }
    return range.end <= LOW_MEMORY ? (struct filter_range){0, LOW_MEMORY} : range;
}

static int write_filter(struct tracee *tracee, const struct filter_range *range, struct error *e)
{
    struct {
        struct sock_fprog program;
        struct sock_filter filter[FILTER_MAX];
    } arguments = {0};

    arguments.program.len = (unsigned short)filter_make(range, arguments.filter);
    arguments.program.filter = (void *)(tracee->scratch + offsetof(__typeof__(arguments), filter));
    return tracee_write(tracee, tracee->scratch, &arguments, sizeof arguments, e);
}

/* Whoever may not administer the machine has to renounce privileges for it (seccomp(2)). */
static int set_filter(struct tracee *tracee, const struct filter_range *range, struct error *e)
{
    const struct remote_call filter = {
        .what = "filter system calls",
        .number = SYS_seccomp,
        .arguments = {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, tracee->scratch}
    };
    const struct remote_call renounce = {
        .what = "renounce privileges", .number = SYS_prctl, .arguments = {PR_SET_NO_NEW_PRIVS, 1}
    };
    uint64_t result, ignored;

    if (write_filter(tracee, range, e) < 0)
        return -1;
    if (tracee_call(tracee, &filter, &result, e) == 0)
        return 0;
    if (result != (uint64_t)-EACCES || tracee_call(tracee, &renounce, &ignored, e) < 0)
        return -1;
    return tracee_call(tracee, &filter, &result, e);
}

int trap_on(struct tracee *tracee, const struct maps *maps, const struct redirect *redirect,
            const struct trap_order *order, struct error *e)
{
    struct filter_range range = code_of(maps);
    uint64_t trap;

    if (map_image(tracee, redirect, order, &trap, e) < 0 || set_handler(tracee, trap, order, e) < 0)
        return -1;
    if (order->kind != TRAP_ALL || filter_inherited(&range))
        return 0;
    return set_filter(tracee, &range, e);
}
