/* status.h -- the exit statuses of all programs here.  README.md has what each program means by them. */
#ifndef WIRE_STATUS_H
#define WIRE_STATUS_H

#include <stdio.h>

enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,   /* it was done, and the answer is no */
    STATUS_USAGE = 2,    /* the command line, or what it names, makes no sense; nothing was done */
    STATUS_UNSTEADY = 3, /* rehearse: before anything was injected */
    STATUS_GUARDED = 4,  /* rehearse: by a guard rail */
    STATUS_ENVIRONMENT = 6, /* this machine could not do it */

    /* as shells have them */
    STATUS_CANNOT_RUN = 126,
    STATUS_NOT_FOUND = 127,
    STATUS_SIGNALLED = 128, /* and the number of the signal */
};

/* STATUS_ENVIRONMENT where that errno says that the machine would not; else STATUS_USAGE: what was named is not there,
 * or is something else. */
enum status status_of_errno(int error);

/* What a program means by one of them. */
struct status_row {
    enum status status;
    const char *gloss; /* NULL ends the table */
};

/* The part of a --help that tells them. */
void status_print(const struct status_row *rows, FILE *out);

#endif
