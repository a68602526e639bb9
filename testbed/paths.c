#include "testbed/paths.h"

#include <errno.h>
#include <fts.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define ENTRIES_MAX 20000 /* a walk is not interrupted: it has to end soon */

static int told(lua_State *L, const char *path, const char *why)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, why);
    return 2;
}

/* --- one path ----------------------------------------------------------------------------------- */

int paths_kind(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct stat about;

    if (stat(path, &about) < 0)
        return told(L, path, strerror(errno));
    lua_pushstring(L, S_ISREG(about.st_mode)   ? "file"
                      : S_ISDIR(about.st_mode) ? "directory"
                                               : "other");
    return 1;
}

/* --- a tree ------------------------------------------------------------------------------------- */

static bool ends_in(const FTSENT *entry, const char *suffix)
{
    size_t length = strlen(suffix);

    return entry->fts_namelen >= length &&
           strcmp(entry->fts_name + entry->fts_namelen - length, suffix) == 0;
}

/* Leaves the list on the stack; or nil and why. */
static int gather(lua_State *L, FTS *tree, const char *suffix)
{
    const FTSENT *entry;
    lua_Integer found = 0;
    long seen = 0;

    lua_newtable(L);
    while ((entry = fts_read(tree)) != NULL) {
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
            return told(L, entry->fts_path, strerror(entry->fts_errno));
        if (++seen > ENTRIES_MAX)
            return told(L, lua_tostring(L, 1),
                        "more than 20000 files are below it; expected a directory of scenarios");
        if (entry->fts_info == FTS_F && ends_in(entry, suffix)) {
            lua_pushstring(L, entry->fts_path);
            lua_rawseti(L, -2, ++found);
        }
    }
    return 1;
}

int paths_below(lua_State *L)
{
    const char *top = luaL_checkstring(L, 1);
    const char *suffix = luaL_checkstring(L, 2);
    char *const trees[] = {(char *)top, NULL}; /* fts(3) copies it */
    FTS *tree = fts_open(trees, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_XDEV | FTS_NOCHDIR, NULL);
    int results;

    if (tree == NULL)
        return told(L, top, strerror(errno));
    results = gather(L, tree, suffix);
    fts_close(tree);
    return results;
}
