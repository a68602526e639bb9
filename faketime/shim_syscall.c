/* syscall(2): programs that read the clock, or wait on a futex, without libc's wrappers.
 *
 * Seven registers' worth are passed on whatever the call needs, as libc's own does.  The function
 * is given its name by the assembler, for its C prototype is variadic.
 */
#include "faketime/shim.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "faketime/enter.h"
#include "faketime/shim_lock.h"

struct registers {
    long a, b, c, d, e, f;
};

static inline long reported(long result)
{
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

struct futex {
    struct attempt attempt;
    struct registers registers;
    long *result;
};

static int wait_on_futex(const struct attempt *attempt, const struct timespec *until)
{
    const struct futex *futex = (const void *)attempt;
    const struct registers *r = &futex->registers;

    *futex->result = enter(SYS_futex, r->a, r->b, r->c, (long)until, r->e, r->f);
    return *futex->result < 0 ? (int)-*futex->result : 0;
}

/* FUTEX_WAIT_BITSET takes an absolute time, on either clock; it is the one that std::future uses. */
static long futex_until(long a, long b, long c, long d, long e, long f)
{
    long result = 0;
    struct futex futex = {
        .attempt = {.once = wait_on_futex},
          .registers = { a, b, c, d, e, f},
          .result = &result
    };

    shim_sliced(&futex.attempt, b & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC,
                (const struct timespec *)d);
    return result;
}

static __attribute__((noinline)) long ours(long number, long a, long b, long c, long d, long e,
                                           long f)
{
    if (number == SYS_clock_gettime)
        return shim_read((clockid_t)a, (struct timespec *)b);
    if (number == SYS_gettimeofday)
        return gettimeofday((struct timeval *)a, (void *)b);
    if (number == SYS_time)
        return time((time_t *)a);
    if ((b & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET)
        return futex_until(a, b, c, d, e, f);
    return enter(number, a, b, c, d, e, f);
}

long interposed_syscall(long number, long a, long b, long c, long d, long e,
                        long f) __asm__("syscall");

INTERPOSED long interposed_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (number == SYS_clock_gettime || number == SYS_gettimeofday || number == SYS_time ||
        number == SYS_futex)
        return reported(ours(number, a, b, c, d, e, f));
    return reported(enter(number, a, b, c, d, e, f));
}
