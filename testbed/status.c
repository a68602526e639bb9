#include "testbed/status.h"

#include <stddef.h>

#include "testbed/wire/status.h"

/* Such words the journal has, too, and the `kind` of a problem. */
static const struct {
    const char *word;
    enum status status;
} words[] = {
    {"met",         STATUS_DONE       },
    {"failed",      STATUS_FAILED     },
    {"usage",       STATUS_USAGE      },
    {"unsteady",    STATUS_UNSTEADY   },
    {"guarded",     STATUS_GUARDED    },
    {"environment", STATUS_ENVIRONMENT},
    {"signalled",   STATUS_SIGNALLED  },
};

int status_open(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        lua_pushinteger(L, words[i].status);
        lua_setfield(L, -2, words[i].word);
    }
    return 1;
}
