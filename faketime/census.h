/* census.h -- who lives on a clock.
 *
 * A process is on a clock while it has one mapped (page.h): by a blob (blob.h), by the shim, or by itself.  One whose
 * file was removed, or spoilt, is known by the blob that is before it, or by the path that the shim was given.
 * That it has read it at least once shows in its page table: the kernel gives it the page when it
 * first looks.
 */
#ifndef FAKETIME_CENSUS_H
#define FAKETIME_CENSUS_H

#include <stdbool.h>
#include <sys/types.h>

#include "faketime/maps.h"

struct resident {
    pid_t pid;
    bool redirected;
    bool preloaded;
    bool trapped; /* its waits (trap.h) */
    bool has_read;
    uint64_t inode;
    char clock[REGION_NAME]; /* its path */
    const char *trouble;     /* what has become of that file, in a word or two; NULL: nothing */
    char command[32];
};

/* False where the process is on no clock, or may not be looked at. */
bool census_look(pid_t pid, struct resident *resident);

/* Every process that may be looked at, in no order. */
void census(void (*each)(const struct resident *resident, void *context), void *context);

#endif
