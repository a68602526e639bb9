/* userdata.h -- objects of C in Lua. */
#ifndef TESTBED_USERDATA_H
#define TESTBED_USERDATA_H

#include <lauxlib.h>

/* Makes the metatable by which luaL_setmetatable and luaL_checkudata know `type`; its methods are found on its objects.
 * Leaves the stack as it was. */
void userdata_register(lua_State *L, const char *type, const luaL_Reg *methods);

#endif
