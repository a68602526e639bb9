/* paths.h -- host.kind_of and host.files_below: what lies at a path that a user gave, before it is opened. */
#ifndef TESTBED_PATHS_H
#define TESTBED_PATHS_H

#include <lua.h>

/* host.kind_of(path): "file", "directory" or "other"; or nil and why. */
int paths_kind(lua_State *L);
/* host.files_below(directory, suffix): the paths of files, unsorted, those of other file systems
 * left out; or nil and why: also where there is more than a directory of scenarios may hold. */
int paths_below(lua_State *L);

#endif
