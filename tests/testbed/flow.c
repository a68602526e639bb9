/* Flows: coroutines that wait on the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ev.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "testbed/flow.h"

static char said[4096];
static char last_words[8192];

static int l_say(lua_State *L)
{
    strncat(said, luaL_checkstring(L, 1), sizeof said - strlen(said) - 1);
    return 0;
}

static void on_crash(const char *traceback)
{
    snprintf(last_words, sizeof last_words, "%s", traceback);
}

/* Runs a script as a flow until nothing waits any more; what it said. */
static const char *run(const char *script)
{
    lua_State *L = luaL_newstate();
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);

    said[0] = last_words[0] = '\0';
    flow_on_crash = on_crash;
    luaL_openlibs(L);
    lua_pushcfunction(L, l_say);
    lua_setglobal(L, "say");
    flow_open(L, loop);
    lua_getfield(L, -1, "start");
    lua_insert(L, -2);
    lua_setglobal(L, "flow");
    assert_int_equal(luaL_loadstring(L, script), LUA_OK);
    assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_OK);
    ev_run(loop, 0);
    flow_end_all();
    lua_close(L);
    return said;
}

static void a_flow_runs_and_sleeps(void **state)
{
    (void)state;
    assert_string_equal(run("say 'a' flow.park(0.001) say 'b'"), "ab");
}

static void a_started_flow_runs_when_the_loop_turns(void **state)
{
    (void)state;
    assert_string_equal(run("flow.start(function () say 'b' end) say 'a'"), "ab");
}

static void sleepers_wake_in_the_order_of_their_time(void **state)
{
    (void)state;
    assert_string_equal(
        run("for i = 3, 1, -1 do flow.start(function () flow.park(i / 50) say(i) end) end"), "123");
}

static void a_waker_hands_values_over(void **state)
{
    (void)state;
    assert_string_equal(run("local me = flow.self()\n"
                            "flow.start(function () flow.wake(me, 'x', 'y') end)\n"
                            "local woken, x, y = flow.park(5) say(tostring(woken) .. x .. y)"),
                        "truexy");
}

static void a_timeout_says_false(void **state)
{
    (void)state;
    assert_string_equal(run("say(tostring(flow.park(0.001)))"), "false");
}

static void waking_twice_is_waking_once(void **state)
{
    (void)state;
    assert_string_equal(run("local me = flow.self()\n"
                            "flow.start(function () say(tostring(flow.wake(me))) "
                            "say(tostring(flow.wake(me))) end)\n"
                            "flow.park()"),
                        "truefalse");
}

static void waking_who_is_gone_does_no_harm(void **state)
{
    (void)state;
    assert_string_equal(
        run("local id = flow.start(function () end)\n"
            "flow.park(0.001) say(tostring(flow.wake(id)) .. tostring(flow.alive(id)))"),
        "falsefalse");
}

static void an_interrupt_is_an_error_where_the_flow_waits(void **state)
{
    (void)state;
    assert_string_equal(run("local id = flow.start(function ()\n"
                            "  local ok, why = pcall(flow.park) say(why) end)\n"
                            "flow.park(0.001) flow.interrupt(id, 'stop')"),
                        "stop");
}

static void an_interrupt_overtakes_a_wake(void **state)
{
    (void)state;
    assert_string_equal(run("local id = flow.start(function ()\n"
                            "  local ok, why = pcall(flow.park) say(why) end)\n"
                            "flow.park(0.001) flow.wake(id, 'value') flow.interrupt(id, 'stop')"),
                        "stop");
}

static void a_stopped_flow_never_runs_again(void **state)
{
    (void)state;
    assert_string_equal(run("local id = flow.start(function () say 'a' flow.park() say 'b' end)\n"
                            "flow.park(0.001) flow.stop(id) say(tostring(flow.alive(id)))"),
                        "afalse");
}

static void an_uncaught_error_comes_with_its_traceback(void **state)
{
    (void)state;
    run("flow.park(0.001) error 'oops'");
    assert_non_null(strstr(last_words, "oops"));
    assert_non_null(strstr(last_words, "stack traceback"));
}

static void a_flow_that_never_waits_is_broken_off(void **state)
{
    (void)state;
    run("while true do end");
    assert_non_null(strstr(last_words, "without waiting"));
}

static void many_flows_at_once(void **state)
{
    (void)state;
    assert_string_equal(
        run("local n = 0\n"
            "for i = 1, 2000 do flow.start(function () flow.park(i % 7 / 1000) n = n + 1 end) end\n"
            "flow.park(0.5) say(tostring(n))"),
        "2000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_runs_and_sleeps),
        cmocka_unit_test(a_started_flow_runs_when_the_loop_turns),
        cmocka_unit_test(sleepers_wake_in_the_order_of_their_time),
        cmocka_unit_test(a_waker_hands_values_over),
        cmocka_unit_test(a_timeout_says_false),
        cmocka_unit_test(waking_twice_is_waking_once),
        cmocka_unit_test(waking_who_is_gone_does_no_harm),
        cmocka_unit_test(an_interrupt_is_an_error_where_the_flow_waits),
        cmocka_unit_test(an_interrupt_overtakes_a_wake),
        cmocka_unit_test(a_stopped_flow_never_runs_again),
        cmocka_unit_test(an_uncaught_error_comes_with_its_traceback),
        cmocka_unit_test(a_flow_that_never_waits_is_broken_off),
        cmocka_unit_test(many_flows_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
