/* rehearse -- break TLS on purpose, before it breaks by itself.
 *
 * The command line and the exit status.  Everything that a scenario can say is in Lua
 * (testbed/lua), over the modules that are opened here.
 */
#include <ev.h>
#include <lauxlib.h>
#include <libgen.h>
#include <limits.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testbed/flow.h"
#include "testbed/host.h"
#include "testbed/json.h"
#include "testbed/stage.h"
#include "testbed/status.h"
#include "testbed/vocabulary.h"
#include "testbed/wire/moment.h"
#include "testbed/wire/verbs.h"

struct arguments {
    const char *state, *journal, *target, *config, *seed;
    struct option_list allow;
    int64_t timeout;
    long jobs, tap, slack;
    bool keep, all_long, json, markdown, help;
};

#define AT(field) offsetof(struct arguments, field)
#define NOT_GIVEN INT64_C(-1)

/* clang-format off */
#define WHAT_IS_PLAYED \
    {"target",  "NAME",    "run against this target instead of the scenario's first",       OPTION_TEXT,     AT(target)}, \
    {"config",  "FILE",    "your own nginx.conf for --target nginx",                        OPTION_TEXT,     AT(config)}, \
    {"allow",   "HOST",    "an external target may be HOST (may repeat)",                   OPTION_LIST,     AT(allow)}

static const struct option_row run_options[] = {
    WHAT_IS_PLAYED,
    {"j",       "N",       "run N scenarios side by side [1]",                              OPTION_NUMBER,   AT(jobs)},
    {"state",   "DIR",     "keep everything here [a new directory, removed if all is met]", OPTION_TEXT,     AT(state)},
    {"keep",    NULL,      "keep the state directory",                                      OPTION_FLAG,     AT(keep)},
    {"journal", "FILE",    "write the journal here [STATE/journal.jsonl]",                  OPTION_TEXT,     AT(journal)},
    {"seed",    "N",       "seed of random arrivals [1]",                                   OPTION_TEXT,     AT(seed)},
    {"timeout", "T",       "give a scenario up after T [what it says itself, or 2m]",       OPTION_DURATION, AT(timeout)},
    {"slack",   "N",       "for a busy machine: N times the patience, an Nth of the clients [1]", OPTION_NUMBER, AT(slack)},
    {"long",    NULL,      "in a directory, play also what is tagged long",                 OPTION_FLAG,     AT(all_long)},
    {"tap",     "VERSION", "TAP version, 13 or 14 [13, as prove reads it]",                 OPTION_NUMBER,   AT(tap)},
    {"help",    NULL,      "this text",                                                     OPTION_FLAG,     AT(help)},
    {0},
};

static const struct option_row validate_options[] = {
    WHAT_IS_PLAYED,
    {"help",    NULL,      "this text",                                                     OPTION_FLAG,     AT(help)},
    {0},
};

static const struct option_row list_options[] = {
    {"json",     NULL, "as JSON",             OPTION_FLAG, AT(json)},
    {"markdown", NULL, "as a Markdown table", OPTION_FLAG, AT(markdown)},
    {"help",     NULL, "this text",           OPTION_FLAG, AT(help)},
    {0},
};

static int run_verb(int argc, char **argv);

/* What they do is in testbed/lua/main.lua, under the same names. */
static const struct verb verbs[] = {
    {"run",      "FILE|DIR...", "rehearse these scenarios, in order",             run_options,      run_verb},
    {"validate", "FILE|DIR...", "check them; nothing is started",                 validate_options, run_verb},
    {"list",     "[DIR...]",    "the scenarios there are, and their targets",     list_options,     run_verb},
    {"targets",  "",            "the kinds of server a scenario can run against", list_options,     run_verb},
    {"faults",   "",            "the faults a chain can be given",                list_options,     run_verb},
    {"words",    "",            "the words of the scenario language",             list_options,     run_verb},
    {"outcomes", "",            "the words for how a handshake can end",          list_options,     run_verb},
    {0},
};
/* clang-format on */

static void more(FILE *out)
{
    fputs("\n  rehearse VERB --help            the options of a verb\n", out);
}

static const struct status_row statuses[] = {
    {STATUS_DONE,        "every expectation was met"                            },
    {STATUS_FAILED,      "an expectation was not met"                           },
    {STATUS_USAGE,       "wrong usage or a broken scenario; nothing was started"},
    {STATUS_UNSTEADY,    "no steady state to begin with; nothing was injected"  },
    {STATUS_GUARDED,     "stopped by a guard rail"                              },
    {STATUS_ENVIRONMENT, "the environment could not do it, or there was no data"},
    {0,                  NULL                                                   },
};

/* --- the Lua state ------------------------------------------------------------------------------ */

/* Lua has this much, and what a script says when it wants more is in testbed/lua/play.lua. */
#define MEMORY_MOST ((size_t)1 << 30)

/* A lua_Alloc, based on the same functions as luaL_newstate's. */
static void *allocate(void *context, void *block, size_t before, size_t size)
{
    size_t *used = context, had = block == NULL ? 0 : before;
    void *moved;

    if (size > had && size - had > MEMORY_MOST - *used)
        return NULL;
    *used += size - had;
    if (size == 0) {
        free(block);
        return NULL;
    }
    moved = realloc(block, size);
    if (moved == NULL)
        *used -= size - had;
    return moved;
}

static lua_State *new_state(void)
{
    static size_t used;
    lua_State *L = luaL_newstate();

    if (L == NULL)
        return NULL;
    used = (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB);
    lua_setallocf(L, allocate, &used);
    return L;
}

static void push_list(lua_State *L, const struct option_list *list)
{
    lua_createtable(L, (int)list->count, 0);
    for (size_t i = 0; i < list->count; i++) {
        lua_pushstring(L, list->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* Where the other programs are: beside this one. */
static void push_programs(lua_State *L)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);

    path[length < 0 ? 0 : length] = '\0';
    lua_pushstring(L, dirname(path));
}

static void push_value(lua_State *L, enum option_kind kind, const void *value)
{
    switch (kind) {
    case OPTION_FLAG:
        lua_pushboolean(L, *(const bool *)value);
        break;
    case OPTION_TEXT:
        lua_pushstring(L, *(const char *const *)value);
        break;
    case OPTION_LIST:
        push_list(L, value);
        break;
    case OPTION_NUMBER:
        lua_pushinteger(L, *(const long *)value);
        break;
    case OPTION_DURATION:
        if (*(const int64_t *)value == NOT_GIVEN)
            lua_pushnil(L);
        else
            lua_pushnumber(L, (double)*(const int64_t *)value / NANOSECONDS);
        break;
    }
}

/* Each option is a field of its name. */
static void set_options(lua_State *L, const struct option_row *rows,
                        const struct arguments *arguments)
{
    for (; rows->name != NULL; rows++) {
        push_value(L, rows->kind, (const char *)arguments + rows->offset);
        lua_setfield(L, -2, rows->name);
    }
}

/* All there are, whatever the verb; of those that it does not take, what they are when not given. */
static void push_arguments(lua_State *L, const struct arguments *arguments,
                           const struct option_list *files, const char *verb)
{
    lua_newtable(L);
    set_options(L, run_options, arguments);
    set_options(L, list_options, arguments);
    lua_pushstring(L, verb);
    lua_setfield(L, -2, "verb");
    push_list(L, files);
    lua_setfield(L, -2, "files");
    push_programs(L);
    lua_setfield(L, -2, "programs");
}

static int exit_status = STATUS_ENVIRONMENT;

static int l_exit(lua_State *L)
{
    exit_status = (int)luaL_checkinteger(L, 1);
    ev_break(flow_loop(), EVBREAK_ALL);
    return 0;
}

static void on_crash(const char *traceback)
{
    fprintf(stderr, "rehearse: a defect of its own: %s\n", traceback);
    exit_status = STATUS_ENVIRONMENT;
    ev_break(flow_loop(), EVBREAK_ALL);
}

/* require "flow", "stage", "json", "host", "status" and the vocabulary's own files. */
static void open_modules(lua_State *L, struct ev_loop *loop)
{
    luaL_openlibs(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    flow_open(L, loop);
    lua_setfield(L, -2, "flow");
    json_open(L);
    lua_setfield(L, -2, "json");
    stage_open(L);
    lua_setfield(L, -2, "stage");
    host_open(L);
    lua_setfield(L, -2, "host");
    status_open(L);
    lua_setfield(L, -2, "status");
    lua_pop(L, 1);
    vocabulary_open(L);
}

/* flow.start(require "main", arguments, exit) */
static int start(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "flow");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "start");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "main");
    lua_call(L, 1, 1);
    lua_pushvalue(L, 1);
    lua_pushcfunction(L, l_exit);
    lua_call(L, 3, 0);
    return 0;
}

static int perform(const struct arguments *arguments, const struct option_list *files,
                   const char *verb)
{
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    lua_State *L = new_state();

    if (loop == NULL || L == NULL) {
        fputs("rehearse: out of memory\n", stderr);
        return STATUS_ENVIRONMENT;
    }
    flow_on_crash = on_crash;
    open_modules(L, loop);
    lua_pushcfunction(L, start);
    push_arguments(L, arguments, files, verb);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        on_crash(lua_tostring(L, -1));
    else
        ev_run(loop, 0);
    flow_end_all();
    lua_close(L);
    clearerr(stdout); /* whether all was taken has been judged, by testbed/lua/main.lua */
    return exit_status;
}

/* --- the command line --------------------------------------------------------------------------- */

static int run_verb(int argc, char **argv)
{
    struct arguments arguments = {.jobs = 1, .tap = 13, .slack = 1, .timeout = NOT_GIVEN};
    struct option_list files = {0};
    struct error e;
    const struct verb *verb = verb_find(verbs, argv[0], &e);

    if (options_parse(verb->options, argc, argv, &arguments, &files, &e) < 0) {
        fprintf(stderr, "rehearse: %s\n", e.text);
        return STATUS_USAGE;
    }
    if (arguments.help) {
        verb_print("rehearse", verb, stdout);
        return STATUS_DONE;
    }
    return perform(&arguments, &files, verb->name);
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "rehearse", "breaks TLS on purpose, before it breaks by itself", verbs, more, statuses};

    return verbs_main(&tool, argc, argv);
}
