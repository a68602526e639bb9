#include "testbed/calendar.h"

#include <lauxlib.h>
#include <math.h>

#include "faketime/clock.h"
#include "testbed/userdata.h"
#include "testbed/wire/moment.h"
#include "testbed/wire/status.h"

#define TYPE "testbed.clock"

static struct clock *check(lua_State *L)
{
    return luaL_checkudata(L, 1, TYPE);
}

static int64_t nanoseconds(lua_State *L, int index)
{
    return llround(luaL_checknumber(L, index) * (double)NANOSECONDS);
}

int calendar_create(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct clock made;
    struct error e;
    struct clock *clock;

    if (clock_create(path, &made, &e) < 0) {
        lua_pushnil(L);
        lua_pushstring(L, e.text);
        return 2;
    }
    clock = lua_newuserdatauv(L, sizeof *clock, 0);
    *clock = made;
    page_guard("rehearse", STATUS_ENVIRONMENT);
    luaL_setmetatable(L, TYPE);
    return 1;
}

static int l_now(lua_State *L)
{
    lua_pushnumber(L, (double)clock_now(check(L)) / (double)NANOSECONDS);
    return 1;
}

static int changed(lua_State *L, int result, const struct error *e)
{
    return result < 0 ? luaL_error(L, "%s", e->text) : 0;
}

static int l_set(lua_State *L)
{
    struct error e;

    return changed(L, clock_set(check(L), nanoseconds(L, 2), &e), &e);
}

static int l_advance(lua_State *L)
{
    struct error e;

    return changed(L, clock_advance(check(L), nanoseconds(L, 2), &e), &e);
}

/* page:follow(leader, skew) */
static int l_follow(lua_State *L)
{
    const struct clock *leader = luaL_checkudata(L, 2, TYPE);
    struct error e;

    return changed(L, clock_follow(check(L), leader, nanoseconds(L, 3), &e), &e);
}

/* page:rate(times, mono) */
static int l_rate(lua_State *L)
{
    int (*change)(struct clock *, double, struct error *) =
        lua_toboolean(L, 3) ? clock_pace : clock_rate;
    struct error e;

    return changed(L, change(check(L), luaL_checknumber(L, 2), &e), &e);
}

static int l_gc(lua_State *L)
{
    clock_close(check(L));
    return 0;
}

void calendar_register(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"now",     l_now    },
        {"set",     l_set    },
        {"advance", l_advance},
        {"follow",  l_follow },
        {"rate",    l_rate   },
        {"__gc",    l_gc     },
        {NULL,      NULL     },
    };

    userdata_register(L, TYPE, methods);
}
