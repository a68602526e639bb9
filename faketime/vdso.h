/* vdso.h -- the kernel's own clock, whatever was put in front of libc's.
 *
 * Programs that define clock_gettime themselves, and the shim, need the real time from
 * below every interposition.  It is found through the auxiliary vector (getauxval(3), vdso(7)),
 * not through dlsym, so that it allocates nothing and works before any constructor has run.
 */
#ifndef FAKETIME_VDSO_H
#define FAKETIME_VDSO_H

#include <time.h>

/* How a real clock is read: the shape of clock_gettime(2). */
typedef int (*real_clock_fn)(clockid_t id, struct timespec *now);

/* The vDSO's clock_gettime; where the kernel has none, the system call.  Both return 0 or a
 * negative errno and leave errno alone. */
real_clock_fn vdso_clock(void);

/* The system call, which costs five times as much and needs nothing. */
int syscall_clock(clockid_t id, struct timespec *now);

#endif
