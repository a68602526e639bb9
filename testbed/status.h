/* status.h -- the exit statuses, as Lua calls them. */
#ifndef TESTBED_STATUS_H
#define TESTBED_STATUS_H

#include <lua.h>

/* Leaves { met = 0, failed = 1, ... } on the stack. */
int status_open(lua_State *L);

#endif
