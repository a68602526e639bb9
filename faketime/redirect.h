/* redirect.h -- putting a stopped process on a calendar, and taking it off again.
 *
 * No instruction is changed.  A blob of ours is mapped beside the program (blob.h); the values of three
 * symbols in the vDSO's table are changed to lead to it, so that whoever looks them up from now on
 * finds it; and so are the pointers that somebody has looked up already, which are found by
 * reading those pages of data that the process has written to.  The kernel's functions stay where they
 * are and whole: a thread that is inside one ends its call.
 *
 * In a process that runs, the same is done to those functions of libc that wait until a time (libc.h): the blob has
 * the shim's waits in it (shim.h).  A wait that has begun before goes on until the real time that it was
 * given; one that is under way when the process is taken off ends at the real time that was left.
 *
 * The blob's clock page is a page of zeros until all this is done: it adds nothing.  Mapping the
 * clock over it is the one step that changes what the process reads.  Taking it off again is the same
 * in reverse: the zeros first, so that a pointer that nobody found reads real time too.  Pages of
 * a clock that the process has mapped by itself (shim.h) are replaced along with the blob's.
 *
 * The blob stays when the process is taken off, for a thread may be inside it, and is used again.
 */
#ifndef FAKETIME_REDIRECT_H
#define FAKETIME_REDIRECT_H

#include "faketime/blob.h"
#include "faketime/tracee.h"

/* What there is to know of a process that is or may be redirected. */
struct redirect {
    uint64_t vdso, vdso_end;
    uint64_t symbols[BLOB_CALLS][2]; /* where their values are; 0: there is none of that name */
    uint64_t originals[BLOB_CALLS];
    uint64_t entries[BLOB_CALLS];
    uint64_t blob; /* 0: none */
    bool on;       /* the vDSO's symbols lead to the blob */
    struct blob_libc libc;
    uint64_t libc_table; /* where that is in the process */
};

/* Looks at a process, seized or not.  -1 with one line where it cannot be redirected. */
int redirect_look(const struct tracee *tracee, const struct maps *maps, struct redirect *redirect,
                  struct error *e);

/* Room in the blob for tracee_enter; 0 where there is no blob yet. */
uint64_t redirect_room(const struct redirect *redirect);

/* Whether waits until a time on the clock lead to the blob too. */
bool redirect_waits(const struct redirect *redirect);

/* The tracee has been entered. `clock` is an absolute path, `running` whether pointers may be cached
 * already.  When it fails, nothing is redirected. */
int redirect_on(struct tracee *tracee, const struct maps *maps, struct redirect *redirect,
                const char *clock, bool running, struct error *e);
int redirect_off(struct tracee *tracee, const struct maps *maps, struct redirect *redirect,
                 struct error *e);

#endif
