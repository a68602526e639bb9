/* launch.h -- putting a program on a calendar while it becomes one.
 *
 * The program keeps the process id, and nobody stays with it: a helper traces the caller until his
 * execve(2), redirects the new program before its first instruction (redirect.h), lets go and
 * ends.  That needs no privilege: the helper is a child of the caller, who consents.
 *
 * Until then both run on one processor only; before the program's first instruction it has those back that the caller
 * had, unless somebody kills the helper.
 */
#ifndef FAKETIME_LAUNCH_H
#define FAKETIME_LAUNCH_H

#include "faketime/trap.h"
#include "testbed/wire/error.h"

/* Starts the helper.  When it returns 0 the next successful execve puts the program on the order's clock, an
 * absolute path, or on none, where that is empty, and traps what is to be trapped; should that fail, the helper says
 * so in one line on stderr, and the program runs on real time, or with waits that may hang.
 * -1 with one line where the kernel does not let us trace. */
int launch_arm(const struct trap_order *order, struct error *e);

#endif
