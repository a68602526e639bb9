/* enter.h -- a system call, past libc and past whatever was put in front of it. */
#ifndef FAKETIME_ENTER_H
#define FAKETIME_ENTER_H

/* Returns what the kernel did: -errno.  Arguments that the call does not have do no harm. */
static inline long enter(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#endif
