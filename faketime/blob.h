/* blob.h -- the few pages that a redirected process has more than others.
 *
 * The first holds this header and code that reads a calendar (blob_code.c); it is readable and executable.
 * The second is the clock's page, mapped shared and read-only; while the process is on no clock it
 * is a private page of zeros, which adds nothing, so that whoever still comes by reads real time.
 * Behind them is room for whoever comes to change something later (tracee.h).
 *
 * The header is the marker by which a process is known to be redirected: the vDSO's symbols then lead
 * to `entries` of a page that begins with BLOB_MAGIC.  vdso.h follows it the other way, to the
 * kernel's own functions, so that nobody who adds the offset by himself adds it twice.
 */
#ifndef FAKETIME_BLOB_H
#define FAKETIME_BLOB_H

#include <stdint.h>

#define BLOB_MAGIC  UINT64_C(0x31424f4c424b4346) /* "FCKBLOB1", little endian */
#define BLOB_PAGE   4096                         /* of code; the clock's page follows */
#define BLOB_ROOM   (UINT64_C(10) * 4096)        /* and then this many bytes */
#define BLOB_SIZE   (2 * BLOB_PAGE + BLOB_ROOM)
#define BLOB_OTHERS 4

/* What the vDSO offers that tells the time (vdso(7)); both names of a function are one. */
enum blob_call { BLOB_CLOCK_GETTIME, BLOB_GETTIMEOFDAY, BLOB_TIME, BLOB_CALLS };

struct blob {
    uint64_t magic;
    uint64_t entries[BLOB_CALLS];   /* our functions, counted from the start of the page */
    uint64_t originals[BLOB_CALLS]; /* the kernel's, addresses in the process */
    uint64_t
        others[BLOB_OTHERS]; /* pages of a clock that the process had mapped by itself; 0: none */
};

#endif
