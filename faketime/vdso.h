/* vdso.h -- the kernel's own clock, whatever was put in front of libc's.
 *
 * Programs that define clock_gettime themselves, and the shim, need the real time from
 * below every interposition.  It is found through the auxiliary vector (getauxval(3), vdso(7)),
 * not through dlsym, so that it allocates nothing and works before any constructor has run.
 * In a process that is redirected (blob.h) the vDSO's symbols lead to the blob, and the blob to the
 * kernel's functions.
 */
#ifndef FAKETIME_VDSO_H
#define FAKETIME_VDSO_H

#include <stdint.h>
#include <time.h>

/* How a real clock is read: the shape of clock_gettime(2). */
typedef int (*real_clock_fn)(clockid_t id, struct timespec *now);

/* A pointer to the kernel's function that whoever redirects this process must leave alone: he knows
 * it by the word before it. */
#define VDSO_KEEP UINT64_C(0x4c41455250454546) /* "FEEPREAL", little endian */
struct vdso_kept {
    uint64_t keep;
    real_clock_fn clock;
} __attribute__((aligned(16)));

/* The vDSO's clock_gettime; where the kernel has none, the system call.  Both return 0 or a
 * negative errno and leave errno alone. */
real_clock_fn vdso_clock(void);

/* The clock's page that this process was redirected to before vdso_clock() was first asked for; NULL
 * where it was not.  It may be a page of zeros at times. */
const void *vdso_page(void);

#endif
