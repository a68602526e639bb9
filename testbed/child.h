/* child.h -- one process on a stage: three pipes and the way it ended.
 *
 * Made by stage.c, which routes init's reports here; the rest is the Lua methods that
 * stage.h lists.
 */
#ifndef TESTBED_CHILD_H
#define TESTBED_CHILD_H

#include <ev.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "testbed/flow.h"
#include "testbed/wire/lines.h"

struct child_stream {
    ev_io io; /* first; its data is the child */
    struct lines lines;
    flow_id waiter;
};

struct child {
    uint32_t id;
    struct stage *stage; /* theirs; NULL once the stage is closed */
    struct child *next;  /* in the stage's list */
    ev_io input;
    struct outbox outbox;
    bool finishing; /* close stdin once the outbox is empty */
    struct child_stream out, err;
    pid_t pid;
    bool ended;
    int status; /* as waitpid(2) has it, or -1 and `why` */
    char why[512];
    flow_id waiter; /* for the end */
};

void child_register(lua_State *L); /* makes the metatable */

/* Pushes a new child userdata whose pipes' far ends are in far[3] (stdin, stdout, stderr): the
 * caller closes those after sending them. NULL with nothing pushed where the system has no more. */
struct child *child_new(lua_State *L, bool input, int far[3]);

void child_started(struct child *child, pid_t pid);
void child_ended(struct child *child, int status, const char *why);

/* The stage's half, called by a child's methods; in stage.c. */
void stage_signal(struct stage *stage, uint32_t id, int signal_number);
void stage_forget(struct stage *stage, struct child *child);

#endif
