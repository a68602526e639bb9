/* SIGSYS is never blocked and has one handler: a trap that finds it otherwise kills (seccomp(2)). */
#include "faketime/trapped.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>

/* What the kernel takes a signal's action to be (arch/x86/include/uapi/asm/signal.h). */
struct action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

struct pair {
    const uint64_t *mask;
    size_t size;
};

static uint64_t without_sigsys(uint64_t mask)
{
    return mask & ~BIT_OF_SIGSYS;
}

/* Setting another is made believe. */
long set_action(struct call *call)
{
    struct action action;

    if (call->arguments[0] == SIGSYS) {
        call->arguments[1] = 0;
        return enter_call(call);
    }
    action = *(const struct action *)call->arguments[1];
    action.mask = without_sigsys(action.mask);
    call->arguments[1] = (long)&action;
    return enter_call(call);
}

/* At once, for what it lets in is to come before it returns; and again when the handler ends, which puts back the
 * mask that was. */
long set_mask(struct call *call)
{
    uint64_t mask = without_sigsys(*(const uint64_t *)call->arguments[1]);
    long result;

    call->arguments[1] = (long)&mask;
    result = enter_call(call);
    enter(SYS_rt_sigprocmask, SIG_SETMASK, 0, (long)call->mask, sizeof mask, 0, 0);
    return result;
}

/* A handler that interrupts one of these runs with its mask, too. */
static long wait_with(struct call *call, unsigned argument)
{
    uint64_t mask = without_sigsys(*(const uint64_t *)call->arguments[argument]);

    call->arguments[argument] = (long)&mask;
    return enter_call(call);
}

long suspend(struct call *call)
{
    return wait_with(call, 0);
}

long poll_masked(struct call *call)
{
    return wait_with(call, 3);
}

long epoll_masked(struct call *call)
{
    return wait_with(call, 4);
}

long select_masked(struct call *call)
{
    struct pair pair = *(const struct pair *)call->arguments[5];
    uint64_t mask;

    if (pair.mask != NULL) {
        mask = without_sigsys(*pair.mask);
        pair.mask = &mask;
    }
    call->arguments[5] = (long)&pair;
    return enter_call(call);
}

/* It can take all handlers away from a child; libc then takes clone(2), which cannot. */
long refuse_clone(struct call *call)
{
    (void)call;
    return -ENOSYS;
}
