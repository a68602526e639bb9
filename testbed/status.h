/* status.h -- the exit status of `rehearse`, one table for the code, its help and the docs. */
#ifndef TESTBED_STATUS_H
#define TESTBED_STATUS_H

#include <lua.h>

enum status {
    STATUS_MET = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_UNSTEADY = 3,
    STATUS_GUARDED = 4,
    STATUS_ENVIRONMENT = 6,
};

struct status_row {
    int status;
    const char *word; /* NULL ends the table */
    const char *gloss;
};

extern const struct status_row status_rows[];

/* Leaves { met = 0, failed = 1, ... } on the stack. */
int status_open(lua_State *L);

#endif
