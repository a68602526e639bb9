/* program.h -- by what means a program can be put on a calendar, before it is started.
 *
 * ld.so(8) preloads into programs that name it as their interpreter.  The others must be redirected
 * (launch.h), and some cannot be put on a calendar at all: they are found out by what
 * their file says (elf(5)).  What such a program starts in turn cannot be seen from here.
 */
#ifndef FAKETIME_PROGRAM_H
#define FAKETIME_PROGRAM_H

#include <limits.h>

#include "testbed/wire/error.h"

enum program {
    PROGRAM_MOVES, /* by preloading, by redirecting, or both */
    PROGRAM_TRAPS, /* by redirecting, and trapping its waits (trap.h): preloading does nothing to it */
    PROGRAM_REDIRECTS, /* only by redirecting; preloading does nothing to it */
    PROGRAM_FOREIGN,   /* the same, and preloading would break it: another libc */
    PROGRAM_MISSING,   /* no such command, or none that can be run */
    PROGRAM_STAYS,     /* it would keep real time */
};

/* `command` as execvp(3) finds it; a script's interpreter is looked at in its place.  Fills *e
 * unless it returns PROGRAM_MOVES: for the next three, with why preloading does not do. */
enum program program_check(const char *command, struct error *e);

/* The command's file, as execvp(3) looks for it; -1 with one line where there is none. */
int program_find(const char *command, char path[PATH_MAX], struct error *e);

#endif
