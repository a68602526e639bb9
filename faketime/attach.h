/* attach.h -- putting a process that runs on a calendar, and taking it off (redirect.h).
 *
 * The process stands still meanwhile, for some milliseconds.  When that fails, or we are killed, it runs on
 * as it was before.
 */
#ifndef FAKETIME_ATTACH_H
#define FAKETIME_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "testbed/wire/error.h"

/* `clock` is an absolute path.  Does nothing where the process is on that clock already; -1 with one line
 * where it is on another one. */
int attach(pid_t pid, const char *clock, struct error *e);

/* Back to real time, every byte of the program as it was. */
int detach(pid_t pid, struct error *e);

/* Whether waits until a time stay the kernel's, and so real, in a process that was attached: those of a program that is
 * linked statically with glibc are inside it, and a filter that would trap them (trap.h) could not be taken off
 * again.  With one line in *why. */
bool attach_leaves_waits(pid_t pid, struct error *why);

typedef void complaint(const struct error *e);

/* The process and all its descendants, also those that are born meanwhile.  Complains of each that cannot be
 * attached with `complain`, and of each whose waits stay real, and goes on; the number of the former. */
size_t attach_tree(pid_t pid, const char *clock, complaint *complain);

/* Takes off their clocks those of them that are on one.  Complains of each that cannot be taken off, and goes on, and
 * where there is none; the number of complaints. */
size_t detach_tree(pid_t pid, complaint *complain);

#endif
