/* trap.h -- waits until a time in programs that are statically linked with glibc.
 *
 * Nothing can be preloaded into them, and the vDSO does not wait.  So at launch they get a filter (filter.h) by
 * which the kernel turns their system calls that wait until a time into SIGSYS, and a handler for it that waits
 * for that time on the calendar, and returns what the kernel would have returned.
 *
 * The handler is an image of its own (trap_code.c and others), mapped beside the blob, whose clock it reads.  It
 * sees to it that SIGSYS is never blocked and stays its own; a program that has a use of its own for
 * SIGSYS is deceived.  Since the filter outlives execve(2) and the handler does not, what such a program becomes
 * or starts goes by way of `fakeclock follow`, which brings a handler; so it is on the clock, too.
 * Who becomes a program by other ways, while he is traced or cannot reach fakeclock, dies at its first
 * trapped call, should that program be statically linked.
 *
 * A timer that is armed already does not notice that the calendar moves.
 */
#ifndef FAKETIME_TRAP_H
#define FAKETIME_TRAP_H

#include <stdint.h>

#include "faketime/redirect.h"
#include "faketime/tracee.h"

#define TRAP_MAGIC UINT64_C(0x3150415254434b46) /* "FKCTRAP1", little endian */
#define TRAP_CODE                                                                                  \
    (UINT64_C(2) * 4096) /* bytes of each part, in their order; trap.ld has the same */
#define TRAP_NAMES (UINT64_C(2) * 4096)
#define TRAP_SIZE  (TRAP_CODE + TRAP_NAMES)

struct trap {
    uint64_t magic;
    uint64_t handler, restorer; /* counted from the start */
    uint64_t page;              /* addresses in the process: the blob's clock, */
    uint64_t original;          /* and the kernel's clock_gettime */
};

enum trap_kind {
    TRAP_NONE,
    TRAP_HANDLER, /* for one that inherits a filter, which may be for others than it */
    TRAP_ALL,     /* and a filter for its own calls, unless it inherits that */
};

/* What the process is to have; the paths are for its execve(2). */
struct trap_order {
    enum trap_kind kind;
    const char *launcher, *clock;
};

/* The tracee has been entered and has a blob.  The filter comes last, so that nobody has one without a handler.
 * -1 with one line: it has none of both, or, where the kernel refuses it, no filter. */
int trap_on(struct tracee *tracee, const struct maps *maps, const struct redirect *redirect,
            const struct trap_order *order, struct error *e);

#endif
