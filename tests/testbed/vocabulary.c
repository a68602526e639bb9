/* Runs tests/testbed/lua/NAME.lua, each a flow with the vocabulary's own modules and three words:
 *
 *     is(got, want, what)       the same value (tables are compared as JSON)
 *     like(text, pattern, what) a Lua pattern
 *     boom(f, pattern, what)    f fails, and says so
 */
#include <ev.h>
#include <glob.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "testbed/flow.h"
#include "testbed/host.h"
#include "testbed/json.h"
#include "testbed/stage.h"
#include "testbed/status.h"
#include "testbed/vocabulary.h"

static const char harness[] =
    "local json = require 'json'\n"
    "local count, failed = 0, 0\n"
    "local function point(good, what, more)\n"
    "  count = count + 1\n"
    "  if not good then failed = failed + 1 end\n"
    "  print((good and 'ok ' or 'not ok ') .. count .. ' - ' .. what)\n"
    "  if not good then print('# ' .. (more:gsub('\\n', '\\n# '))) end\n"
    "end\n"
    "local function text(v) return type(v) == 'table' and json.encode(v) or tostring(v) end\n"
    "function is(got, want, what)\n"
    "  point(text(got) == text(want), what, 'got ' .. text(got) .. ', want ' .. text(want)) end\n"
    "function like(got, pattern, what)\n"
    "  point(tostring(got):find(pattern) ~= nil, what, 'got ' .. tostring(got)) end\n"
    "function boom(f, pattern, what)\n"
    "  local ok, why = pcall(f)\n"
    "  point(not ok and tostring(why):find(pattern) ~= nil, what, tostring(why)) end\n"
    "return function (files)\n"
    "  for _, file in ipairs(files) do\n"
    "    print('# ' .. file)\n"
    "    local ok, why = xpcall(dofile, debug.traceback, file)\n"
    "    if not ok then point(false, file, tostring(why)) end\n"
    "  end\n"
    "  print('1..' .. count)\n"
    "  os.exit(failed == 0 and 0 or 1)\n"
    "end\n";

static void on_crash(const char *traceback)
{
    printf("Bail out! %s\n", traceback);
    exit(1);
}

static void module(lua_State *L, const char *name, int (*open)(lua_State *))
{
    open(L);
    lua_setfield(L, -2, name);
}

static int flow_on_default_loop(lua_State *L)
{
    return flow_open(L, ev_default_loop(EVFLAG_AUTO));
}

int main(void)
{
    lua_State *L = luaL_newstate();
    glob_t files;

    setvbuf(stdout, NULL, _IOLBF, 0);
    flow_on_crash = on_crash;
    luaL_openlibs(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    module(L, "flow", flow_on_default_loop);
    module(L, "json", json_open);
    module(L, "stage", stage_open);
    module(L, "host", host_open);
    module(L, "status", status_open);
    vocabulary_open(L);
    lua_getfield(L, -1, "flow");
    lua_getfield(L, -1, "start");
    if (luaL_dostring(L, harness) != LUA_OK)
        on_crash(lua_tostring(L, -1));
    lua_newtable(L);
    if (glob("tests/testbed/lua/*.lua", 0, NULL, &files) != 0)
        on_crash("no tests/testbed/lua/*.lua: run this from the top of the tree");
    for (size_t i = 0; i < files.gl_pathc; i++) {
        lua_pushstring(L, files.gl_pathv[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    globfree(&files);
    lua_call(L, 2, 0);
    ev_run(flow_loop(), 0);
    on_crash("the loop ran dry before the tests were through");
    return 1;
}
