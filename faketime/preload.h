/* preload.h -- LD_PRELOAD, as it is to be for a program on a clock.
 *
 * Both work on the environment of the caller, for the program that he is about to become.
 */
#ifndef FAKETIME_PRELOAD_H
#define FAKETIME_PRELOAD_H

#include "testbed/wire/error.h"

/* Puts libfakeclock.so first, the one beside this program or in the lib folder beside its folder.  Where one
 * is there already, wherever it lies, that stays: an outer `fakeclock run` put it there, or somebody who
 * linked to it from a path that can be preloaded.  -1 where neither can be preloaded. */
int preload_library(struct error *e);

/* Takes it out again, for a program of another libc, which would break at it. */
void preload_forget(void);

#endif
