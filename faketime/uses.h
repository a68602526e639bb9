/* uses.h -- which calls that concern time a program's files ask for (elf(5), the dynamic symbols).
 *
 * A statically linked file asks for none, and need not use what it asks for.
 */
#ifndef FAKETIME_USES_H
#define FAKETIME_USES_H

#include <stdbool.h>
#include <stddef.h>

enum use {
    USE_READ,  /* reads the calendar */
    USE_WAIT,  /* waits until a time, which may be one on the calendar */
    USE_SLEEP, /* waits for a while: real always */
    USE_SET,   /* sets the machine's clock */
    USES
};

struct uses {
    const char *names[USES][32]; /* each once, in the order of a table */
    size_t count[USES];
};

/* Adds what the file at `path` asks for.  False where it is not a file with dynamic symbols. */
bool uses_add(struct uses *uses, const char *path);

#endif
