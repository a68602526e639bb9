/* blob.h -- the few pages that a redirected process has more than others.
 *
 * The first hold this header and our code; they are readable and executable.  Then comes the clock's page,
 * mapped shared and read-only; while the process is on no clock it is a private page of zeros, which adds
 * nothing, so that whoever still comes by reads real time.  Then what our code keeps between two calls, which
 * is zeros at first, and last room for whoever comes to change something later (tracee.h).
 *
 * The header is the marker by which a process is known to be redirected: the vDSO's symbols then lead
 * to `entries`, which lie in the first page, and it begins with BLOB_MAGIC.  vdso.h follows it the other way, to the
 * kernel's own functions, so that nobody who adds the offset by himself adds it twice.
 */
#ifndef FAKETIME_BLOB_H
#define FAKETIME_BLOB_H

#include <stdint.h>

#include "faketime/blob_libc.h"

#define BLOB_MAGIC  UINT64_C(0x32424f4c424b4346) /* "FCKBLOB2", little endian */
#define BLOB_PAGE   UINT64_C(4096)
#define BLOB_CODE   (5 * BLOB_PAGE) /* bytes of each part, in their order; blob.ld has the same */
#define BLOB_CLOCK  BLOB_PAGE
#define BLOB_DATA   (40 * BLOB_PAGE)
#define BLOB_ROOM   (10 * BLOB_PAGE)
#define BLOB_SIZE   (BLOB_CODE + BLOB_CLOCK + BLOB_DATA + BLOB_ROOM)
#define BLOB_OTHERS 4

/* What the vDSO offers that tells the time (vdso(7)); both names of a function are one. */
enum blob_call { BLOB_CLOCK_GETTIME, BLOB_GETTIMEOFDAY, BLOB_TIME, BLOB_CALLS };

struct blob {
    uint64_t magic;
    uint64_t entries[BLOB_CALLS];   /* our functions, counted from the start */
    uint64_t originals[BLOB_CALLS]; /* the kernel's, addresses in the process */
    uint64_t others[BLOB_OTHERS];   /* pages of a clock that the process had mapped; 0: none */
    uint64_t libc;                  /* the table below, counted from the start */
};

/* Functions of libc, in the order of BLOB_LIBC_CALLS. */
#define BLOB_LIBC_INDEX(name, version) BLOB_LIBC_##name,
enum blob_libc_call { BLOB_LIBC_CALLS(BLOB_LIBC_INDEX) BLOB_LIBC };

struct blob_libc {
    uint64_t ours[BLOB_LIBC];   /* counted from the start; 0: theirs is only called */
    uint64_t theirs[BLOB_LIBC]; /* addresses in the process; all 0: none of ours is ever reached */
};

#endif
