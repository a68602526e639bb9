#include "testbed/flow.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOOK_EVERY 100000 /* VM instructions between two looks at the clock */

struct flow {
    ev_timer timer; /* first: the watcher is the flow */
    flow_id id;
    lua_State *co;
    int anchor;          /* registry reference that keeps co alive */
    int arguments;       /* values on co for the next resume */
    bool parked;         /* waits, or has not begun */
    bool woken;          /* queued to run */
    bool timed_out;      /* why it runs: nobody woke it */
    bool interrupted;    /* the value on top of its stack is an error to raise */
    lua_KFunction again; /* continuation, or NULL: return what the waker gave */
    double resumed_at;   /* processor time */
    struct flow *next;
};

static struct ev_loop *loop;
static lua_State *main_state;
static struct flow *flows;
static flow_id last_id;
void (*flow_on_crash)(const char *traceback);

static struct flow *of(lua_State *co)
{
    return *(struct flow **)lua_getextraspace(co);
}

static struct flow *find(flow_id id)
{
    struct flow *flow = flows;

    while (flow != NULL && flow->id != id)
        flow = flow->next;
    return flow;
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct ev_loop *flow_loop(void)
{
    return loop;
}

flow_id flow_running(lua_State *co)
{
    if (of(co) == NULL)
        return (flow_id)luaL_error(co, "only a flow can wait");
    return of(co)->id;
}

/* --- running -------------------------------------------------------------------------------- */

static void impatient(lua_State *co, lua_Debug *where)
{
    if (of(co) == NULL ||
        seconds_of(CLOCK_PROCESS_CPUTIME_ID) - of(co)->resumed_at <= FLOW_PATIENCE)
        return;
    lua_getinfo(co, "Sl", where);
    lua_pushfstring(co, "%s:%d: computed for %d s without waiting for anything", where->short_src,
                    where->currentline, (int)FLOW_PATIENCE);
    lua_error(co);
}

static void discard(struct flow *flow)
{
    struct flow **link = &flows;

    while (*link != flow)
        link = &(*link)->next;
    *link = flow->next;
    ev_timer_stop(loop, &flow->timer);
    ev_clear_pending(loop, &flow->timer);
    *(struct flow **)lua_getextraspace(flow->co) = NULL;
    luaL_unref(main_state, LUA_REGISTRYINDEX, flow->anchor);
    free(flow);
}

static void crash(struct flow *flow)
{
    const char *what = lua_tostring(flow->co, -1);

    luaL_traceback(main_state, flow->co, what == NULL ? "an error that is no text" : what, 0);
    if (flow_on_crash != NULL)
        flow_on_crash(lua_tostring(main_state, -1));
    lua_pop(main_state, 1);
}

/* The only place where a script runs. */
static void due(struct ev_loop *l, ev_timer *timer, int events)
{
    struct flow *flow = (struct flow *)timer;
    int arguments = flow->arguments, results, status;

    (void)l;
    (void)events;
    assert(flow->parked);
    ev_timer_stop(loop, &flow->timer);
    flow->timed_out = !flow->woken;
    flow->parked = flow->woken = false;
    flow->arguments = 0;
    flow->resumed_at = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    status = lua_resume(flow->co, NULL, arguments, &results);
    if (status == LUA_YIELD) {
        assert(flow->parked && results == 0);
        return;
    }
    if (status != LUA_OK)
        crash(flow);
    lua_resetthread(flow->co);
    discard(flow);
}

static void queue(struct flow *flow)
{
    flow->woken = true;
    ev_timer_stop(loop, &flow->timer);
    ev_feed_event(loop, &flow->timer, EV_CUSTOM);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int awake(lua_State *co, int status, lua_KContext context)
{
    struct flow *flow = of(co);

    if (flow->interrupted) {
        flow->interrupted = false;
        return lua_error(co);
    }
    if (flow->again != NULL)
        return flow->again(co, status, context);
    lua_pushboolean(co, !flow->timed_out);
    lua_insert(co, 2);
    return lua_gettop(co) - 1; /* 1 is park's own argument */
}

int flow_park(lua_State *co, double timeout, lua_KFunction again)
{
    struct flow *flow = of(co);

    assert(flow != NULL && !flow->parked && !flow->interrupted);
    flow->again = again;
    flow->parked = true;
    if (timeout >= 0) {
        ev_now_update(loop); /* a script may have computed for long */
        ev_timer_set(&flow->timer, timeout, 0.);
        ev_timer_start(loop, &flow->timer);
    }
    return lua_yieldk(co, 0, 0, awake);
}

int flow_wait(lua_State *co, lua_KFunction look)
{
    if (of(co) != NULL)
        of(co)->timed_out = false; /* that was another wait */
    return look(co, LUA_OK, 0);
}

bool flow_timed_out(lua_State *co)
{
    return of(co) != NULL && of(co)->timed_out;
}

bool flow_wake(flow_id id)
{
    struct flow *flow = find(id);

    if (flow == NULL || !flow->parked || flow->woken)
        return false;
    queue(flow);
    return true;
}

/* --- the Lua module ----------------------------------------------------------------------------- */

static int l_start(lua_State *L)
{
    int arguments = lua_gettop(L) - 1;
    struct flow *flow;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    flow = calloc(1, sizeof *flow);
    if (flow == NULL)
        return luaL_error(L, "out of memory");
    flow->co = lua_newthread(L);
    flow->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
    *(struct flow **)lua_getextraspace(flow->co) = flow;
    lua_sethook(flow->co, impatient, LUA_MASKCOUNT, HOOK_EVERY);
    lua_xmove(L, flow->co, arguments + 1);
    flow->arguments = arguments;
    flow->id = ++last_id;
    flow->parked = true;
    flow->next = flows;
    flows = flow;
    ev_timer_init(&flow->timer, due, 0., 0.);
    queue(flow);
    lua_pushinteger(L, (lua_Integer)flow->id);
    return 1;
}

static int l_self(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)flow_running(L));
    return 1;
}

static int l_park(lua_State *L)
{
    double timeout = luaL_optnumber(L, 1, -1);

    lua_settop(L, 1);
    flow_running(L);
    return flow_park(L, timeout < 0 && !lua_isnil(L, 1) ? 0 : timeout, NULL);
}

static int l_wake(lua_State *L)
{
    struct flow *flow = find((flow_id)luaL_checkinteger(L, 1));
    int values = lua_gettop(L) - 1;
    bool waits = flow != NULL && flow->parked && !flow->woken;

    if (waits) {
        if (!lua_checkstack(flow->co, values))
            return luaL_error(L, "too many values to wake a flow with");
        lua_xmove(L, flow->co, values);
        flow->arguments = values;
        queue(flow);
    }
    lua_pushboolean(L, waits);
    return 1;
}

static int l_interrupt(lua_State *L)
{
    struct flow *flow = find((flow_id)luaL_checkinteger(L, 1));

    luaL_checkany(L, 2);
    lua_settop(L, 2);
    /* A flow that is queued already has its values on its stack: they stay below. */
    if (flow == NULL || flow->interrupted || flow->co == L || lua_status(flow->co) != LUA_YIELD)
        return 0;
    lua_xmove(L, flow->co, 1);
    flow->arguments++;
    flow->interrupted = true;
    if (!flow->woken)
        queue(flow);
    return 0;
}

static int l_stop(lua_State *L)
{
    struct flow *flow = find((flow_id)luaL_checkinteger(L, 1));

    if (flow == NULL)
        return 0;
    if (flow->co == L)
        return luaL_error(L, "a flow cannot stop itself");
    lua_resetthread(flow->co);
    discard(flow);
    return 0;
}

static int l_alive(lua_State *L)
{
    lua_pushboolean(L, find((flow_id)luaL_checkinteger(L, 1)) != NULL);
    return 1;
}

static int l_now(lua_State *L)
{
    lua_pushnumber(L, seconds_of(CLOCK_MONOTONIC));
    return 1;
}

int flow_open(lua_State *L, struct ev_loop *on)
{
    static const luaL_Reg functions[] = {
        {"start",     l_start    },
        {"self",      l_self     },
        {"park",      l_park     },
        {"wake",      l_wake     },
        {"interrupt", l_interrupt},
        {"stop",      l_stop     },
        {"alive",     l_alive    },
        {"now",       l_now      },
        {NULL,        NULL       },
    };

    loop = on;
    main_state = L;
    *(struct flow **)lua_getextraspace(L) = NULL;
    luaL_newlib(L, functions);
    return 1;
}

void flow_end_all(void)
{
    while (flows != NULL) {
        lua_resetthread(flows->co);
        discard(flows);
    }
}
