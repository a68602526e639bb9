#include "testbed/vocabulary.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static void path_of(const char *module, char path[256])
{
    if (strncmp(module, "targets.", 8) == 0)
        snprintf(path, 256, "testbed/targets/%.200s.lua", module + 8);
    else
        snprintf(path, 256, "testbed/lua/%.200s.lua", module);
}

static int search(lua_State *L)
{
    char path[256];

    path_of(luaL_checkstring(L, 1), path);
    for (const struct vocabulary_file *file = vocabulary_files; file->path != NULL; file++) {
        if (strcmp(file->path, path) != 0)
            continue;
        lua_pushfstring(L, "@%s", path);
        if (luaL_loadbufferx(L, file->text, file->length, lua_tostring(L, -1), "t") != LUA_OK)
            return lua_error(L);
        return 1;
    }
    lua_pushfstring(L, "no '%s' in this program", path);
    return 1;
}

void vocabulary_open(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_createtable(L, 1, 0);
    lua_pushcfunction(L, search);
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, "searchers");
    lua_pop(L, 1);
}
