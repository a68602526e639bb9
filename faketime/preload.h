/* preload.h -- LD_PRELOAD, as it is to be for a program on a clock.
 *
 * ld.so(8) splits LD_PRELOAD at spaces and colons, LD_LIBRARY_PATH at colons and semicolons, and knows no quoting.
 * So a library with a space in its path is preloaded by its name alone, and LD_LIBRARY_PATH leads to it, last.
 */
#ifndef FAKETIME_PRELOAD_H
#define FAKETIME_PRELOAD_H

#include <stdbool.h>

#include "testbed/wire/error.h"

/* Puts libfakeclock.so first, the one beside this program or in the lib folder beside its folder, in the environment of
 * the caller, for the program that he is about to become.  Where one is there already, wherever it lies, that
 * stays: an outer `fakeclock run` put it there, or somebody who linked to it from a path that can be preloaded.  Where
 * it is there by its name, LD_LIBRARY_PATH is seen to again.  -1 where it cannot be preloaded. */
int preload_library(struct error *e);

/* Takes it out again, for a program of another libc, which would break at it.  LD_LIBRARY_PATH stays: in that folder
 * there is nothing such a program looks for. */
void preload_forget(void);

/* A variable's value in an environment, or NULL. */
const char *preload_value(char *const environment[], const char *name);

/* Whether ld.so finds a libfakeclock.so to preload in this environment: by a path, or by its name in `folder`.  Nothing
 * is allocated. */
bool preload_reaches(char *const environment[], const char *folder);

#endif
