/* json.h -- Lua values to JSON and back.
 *
 * A Lua table `t` with #t > 0 is the array of t[1..#t], any other is an object (keys
 * sorted, so that the same table is always the same text); an empty table is an object unless it came
 * from `json.array{}`.  JSON's null is nil when it comes in: the key is absent;
 * `json.null` says null when it goes out, and so does what has no JSON, such as a function or
 * a NaN.  A table in itself ends 64 deep, in a text that says so.
 *
 * As a Lua module: json.encode(value) -> text; json.decode(text) -> value, or nil and why;
 * json.array(table) -> the same table, marked.
 */
#ifndef TESTBED_JSON_H
#define TESTBED_JSON_H

#include <lua.h>

int json_open(lua_State *L); /* leaves the module on the stack */

#endif
