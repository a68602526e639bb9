/* launch.h -- putting a program on a calendar while it becomes one.
 *
 * The program keeps the process id, and nobody stays with it: a helper traces the caller until his
 * execve(2), redirects the new program before its first instruction (redirect.h), lets go and
 * ends.  That needs no privilege: the helper is a child of the caller, who consents.
 */
#ifndef FAKETIME_LAUNCH_H
#define FAKETIME_LAUNCH_H

#include "testbed/wire/error.h"

/* Starts the helper.  When it returns 0 the next successful execve puts the program on `clock`, an absolute
 * path; should that fail, the helper says so in one line on stderr, and the program runs on real time.
 * -1 with one line where the kernel does not let us trace. */
int launch_arm(const char *clock, struct error *e);

#endif
