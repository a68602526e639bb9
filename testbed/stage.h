/* stage.h -- where a scenario's processes live and die.
 *
 * A stage is a stage-init (stage/init.c) and whatever it was asked to start.  Closing it, or
 * losing the orchestrator in any way, ends all of it.  Where the kernel allows, it is a
 * set of namespaces with a loopback of its own and no route out.
 *
 * As a Lua module, inside flows:
 *     stage.open{init = PATH, outward = bool, show = {"PATH=FILE", ..}}  a stage, with files of its
 *                          own (8 at most) at these paths; or nil and why
 *     s:ready()            waits for init: "isolated", "outward" or "shared", and what the kernel
 *                          refused ("" for nothing); or nil and why
 *     s:spawn{argv = {..}, env = {"NAME=value", ..}, dir = PATH, input = bool}
 *                          a child, at once; whether it could be started shows in wait().
 *                          Its environment is `env` alone.  `input = false`: /dev/null.
 *     s:close()            waits until nothing of it is left
 *     c:send(text)         queues text for its stdin; false once that is closed
 *     c:finish()           closes its stdin when all is written
 *     c:out([seconds])     the next line of its stdout; nil at the end; false when time is up
 *     c:err([seconds])     the next line of its stderr, likewise
 *     c:wait([seconds])    {code=N} or {signal=N} or {error="why it never started"}; false: time
 *     c:signal("TERM")     TERM HUP KILL INT USR1 USR2 STOP CONT QUIT
 *     c:pid()              as the stage sees it; nil until started
 * One flow at a time may wait for each of out, err and wait.
 */
#ifndef TESTBED_STAGE_H
#define TESTBED_STAGE_H

#include <lua.h>

int stage_open(lua_State *L); /* leaves the module on the stack; after flow_open */

#endif
