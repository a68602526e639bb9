/* flow.h -- Lua coroutines that wait on the libev loop.
 *
 * A flow is a coroutine that runs until it parks and runs again when it is woken or its
 * timeout is over.  The invariants, all asserted:
 *
 *   - a callback never runs Lua: it wakes a flow, which only queues it (ev_feed_event);
 *   - lua_resume stands in exactly one place, and no Lua runs with a callback of ours on the C
 *     stack;
 *   - a parked flow waits for one thing and is woken once.
 *
 * A flow is named by a number that is never used again, so that a waker may come too late
 * without harm.  A flow that computes for longer than FLOW_PATIENCE without parking is
 * broken off with an error: one script must not stop the others.
 *
 * As a Lua module:
 *     flow.start(f, ...)        a new flow that calls f(...) when the loop turns; its number
 *     flow.self()               the running flow's number
 *     flow.park([seconds])      waits: true and what the waker gave, or false when time is up
 *     flow.wake(number, ...)    true if that flow was waiting
 *     flow.interrupt(number, e) raises e in that flow, where it waits
 *     flow.stop(number)         ends that flow where it waits; its pending closes run
 *     flow.alive(number)
 *     flow.now()                seconds of CLOCK_MONOTONIC
 */
#ifndef TESTBED_FLOW_H
#define TESTBED_FLOW_H

#include <ev.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#define FLOW_PATIENCE 3.0 /* seconds of the processor without a wait */

typedef uint64_t flow_id; /* 0: none */

/* Opens the module on a Lua state and a loop; leaves the module's table on the stack. Once a
 * process. */
int flow_open(lua_State *L, struct ev_loop *loop);
struct ev_loop *flow_loop(void);

/* The flow that runs on `co`; an error is raised in Lua where `co` is no flow. */
flow_id flow_running(lua_State *co);

/* Waiting in C takes one function that looks whether there is what it waits for, and parks
 * where there is not.  The Lua function ends with `return flow_wait(co, look);`, which calls it; `look`
 * ends with `return flow_park(co, timeout, look);` and is called anew, with the same stack, when the
 * flow is woken.  timeout < 0 waits forever; where time was up, flow_timed_out(co) says so. */
int flow_wait(lua_State *co, lua_KFunction look);
int flow_park(lua_State *co, double timeout, lua_KFunction look);
bool flow_timed_out(lua_State *co);

/* Wakes a parked flow; false if there is no such flow or it is awake.  Safe in any callback. */
bool flow_wake(flow_id id);

/* Called when a flow ends in an error that nothing in Lua caught: a defect of ours. */
extern void (*flow_on_crash)(const char *traceback);

/* Ends all flows that are left, before lua_close. */
void flow_end_all(void);

#endif
