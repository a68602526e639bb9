/* vocabulary.h -- the Lua files that travel inside the program.
 *
 * testbed/lua/NAME.lua is `require "NAME"`, testbed/targets/NAME.lua is
 * `require "targets.NAME"`.  Nothing is looked for on disk.
 */
#ifndef TESTBED_VOCABULARY_H
#define TESTBED_VOCABULARY_H

#include <lua.h>
#include <stddef.h>

struct vocabulary_file {
    const char *path; /* as in the source tree; NULL ends the table */
    const char *text; /* not NUL-terminated */
    size_t length;
};

extern const struct vocabulary_file vocabulary_files[]; /* made by the Makefile */

/* Makes `require` find these files, and only these. */
void vocabulary_open(lua_State *L);

#endif
