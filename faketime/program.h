/* program.h -- whether a program can be put on a calendar by preloading, before it is started.
 *
 * ld.so(8) preloads into programs that name it as their interpreter and gain no privilege by
 * starting.  The others would run on real time, silently; so they are found out by what their
 * file says (elf(5)) and refused.  What such a program starts in turn cannot be seen from here.
 */
#ifndef FAKETIME_PROGRAM_H
#define FAKETIME_PROGRAM_H

#include "testbed/wire/error.h"

enum program {
    PROGRAM_MOVES,
    PROGRAM_MISSING, /* no such command, or none that can be run */
    PROGRAM_STAYS,   /* it would keep real time */
};

/* `command` as execvp(3) finds it; a script's interpreter is looked at in its place.  Fills *e
 * unless it returns PROGRAM_MOVES. */
enum program program_check(const char *command, struct error *e);

#endif
