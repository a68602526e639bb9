#include "testbed/status.h"

#include <stddef.h>

const struct status_row status_rows[] = {
    {STATUS_MET,         "met",         "every expectation was met"                            },
    {STATUS_FAILED,      "failed",      "an expectation was not met"                           },
    {STATUS_USAGE,       "usage",       "wrong usage or a broken scenario; nothing was started"},
    {STATUS_UNSTEADY,    "unsteady",    "no steady state to begin with; nothing was injected"  },
    {STATUS_GUARDED,     "guarded",     "stopped by a guard rail"                              },
    {STATUS_ENVIRONMENT, "environment", "the environment could not do it, or there was no data"},
    {0,                  NULL,          NULL                                                   },
};

int status_open(lua_State *L)
{
    lua_newtable(L);
    for (const struct status_row *row = status_rows; row->word != NULL; row++) {
        lua_pushinteger(L, row->status);
        lua_setfield(L, -2, row->word);
    }
    return 1;
}
