/* frame.h -- the signal frame by which a thread finds home (sigreturn(2)).
 *
 * The kernel restores from it all that a thread is: registers, floating point state, signal mask.
 * Ours looks like one that the kernel has pushed: an address (of no use here), a ucontext, and, aligned
 * to 64 bytes, the floating point state (arch/x86/include/asm/sigframe.h, asm/fpu/types.h).
 */
#ifndef FAKETIME_FRAME_H
#define FAKETIME_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "testbed/wire/error.h"

#define FRAME_MAX 16384 /* bytes */

struct frame {
    uint64_t stack; /* the stack pointer with which rt_sigreturn finds it, 16-aligned */
    uint64_t start;
    size_t size;
    unsigned char bytes[FRAME_MAX];
};

/* The frame that lies below `end` in the memory of the stopped `thread`, and leads to `home`.  A system
 * call that was interrupted is begun again there, or ends with EINTR. */
int frame_make(pid_t thread, const struct user_regs_struct *home, uint64_t mask, uint64_t end,
               struct frame *frame, struct error *e);

#endif
