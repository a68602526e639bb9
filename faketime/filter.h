/* filter.h -- which system calls of a program are trapped (seccomp(2)).
 *
 * Those by which a program waits until a time; those by which it becomes another program; and those that could
 * block the SIGSYS that a trapped call becomes, for a trap that is blocked kills.  All others pass at
 * once, and so do these where they come from outside the program's own text, which is where a
 * statically linked program has its libc: the libraries of a dynamic program that inherits the filter do
 * not know of it.
 *
 * A filter cannot be taken off, and outlives execve(2), which the handler (trap.h) does not.
 */
#ifndef FAKETIME_FILTER_H
#define FAKETIME_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_MAX  160    /* instructions */
#define FILTER_MARK 0x4643 /* "CF", in the si_errno of its SIGSYS */

/* Addresses of code: from `start` up to `end`. */
struct filter_range {
    uint64_t start, end;
};

/* Returns the number of its instructions. */
size_t filter_make(const struct filter_range *range, struct sock_filter filter[FILTER_MAX]);

/* Whether this process has inherited one; for that very range, unless `range` is NULL. */
bool filter_inherited(const struct filter_range *range);

#endif
