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
#include "faketime/shim_futex.h"

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

/* FUTEX_WAIT_BITSET takes an absolute time, on either clock; it is the one that std::future uses. */
static long wait_on_futex(long a, long b, long c, long d, long e, long f)
{
    clockid_t id = b & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    const struct timespec *until = (const struct timespec *)d;
    const struct futex futex = {.word = (uint32_t *)a,
                                .expected = (uint32_t)c,
                                .bitset = (uint32_t)f,
                                .private = (int)b & FUTEX_PRIVATE_FLAG};
    struct timespec end;

    if (until == NULL || !shim_follows(id) || !deadline_wellformed(until))
        return enter(SYS_futex, a, b, c, d, e, f);
    end = *until;
    return -shim_futex_until(&futex, id, until, &end);
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
        return wait_on_futex(a, b, c, d, e, f);
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
