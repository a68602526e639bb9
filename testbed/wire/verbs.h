/* verbs.h -- programs with verbs, such as `fakeca issue`, from a table of them. */
#ifndef WIRE_VERBS_H
#define WIRE_VERBS_H

#include <stdio.h>

#include "testbed/wire/error.h"
#include "testbed/wire/options.h"
#include "testbed/wire/status.h"

/* One verb: `run` gets argv with the verb as its argv[0] and returns the exit status.  The table ends
 * with an all-zero row. */
struct verb {
    const char *name;
    const char *arguments; /* "FILE|DIR..." */
    const char *help;
    const struct option_row *options; /* or NULL */
    int (*run)(int argc, char **argv);
};

struct tool {
    const char *name;
    const char *summary; /* the first line of its help */
    const struct verb *verbs;
    void (*more)(FILE *out); /* the rest of its help, after the verbs */
    const struct status_row *statuses;
};

/* Runs the verb that argv[1] names, or tells of the program (--help, --version) or of a verb
 * (VERB --help).  Returns the exit status; that a main has its standard streams and that what it says
 * arrives (streams.h) is seen to here. */
int verbs_main(const struct tool *tool, int argc, char **argv);

/* The verb of that name, or NULL with the nearest one in *e. */
const struct verb *verb_find(const struct verb *verbs, const char *name, struct error *e);
void verbs_print(const char *program, const struct verb *verbs, FILE *out);
/* `PROGRAM VERB --help`: the verb's line and its options. */
void verb_print(const char *program, const struct verb *verb, FILE *out);

#endif
