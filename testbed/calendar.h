/* calendar.h -- host.clock: a clock page (faketime/clock.h) as a Lua object, in seconds. */
#ifndef TESTBED_CALENDAR_H
#define TESTBED_CALENDAR_H

#include <lua.h>

void calendar_register(lua_State *L);
/* host.clock(path): creates the page; pushes the object, or nil and why. */
int calendar_create(lua_State *L);

#endif
