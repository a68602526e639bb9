/* fakeca init, rotate, cross-sign: what makes and changes an authority. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fakeca/authority.h"
#include "fakeca/verbs.h"
#include "testbed/wire/moment.h"

#define YEAR                  (365 * 86400 * NANOSECONDS)
#define ROOT_LIFETIME         (10 * YEAR)
#define INTERMEDIATE_LIFETIME (5 * YEAR)

struct init_arguments {
    const char *state, *at, *key, *name;
    long intermediates, path_length;
    int64_t root_lifetime, intermediate_lifetime; /* nanoseconds */
    struct option_list permitted, excluded;
    bool json;
};

#define AT(field) offsetof(struct init_arguments, field)
/* clang-format off */
const struct option_row init_options[] = {
    {"state",                 "DIR",    "where the authority shall live; must not exist",
     OPTION_TEXT, AT(state)},
    {"at",                    "TIME",   "now, on your calendar [the real now]",
     OPTION_TEXT, AT(at)},
    {"key",                   "KIND",   "p256, p384, rsa2048, rsa3072, rsa4096 or ed25519 [p256]",
     OPTION_TEXT, AT(key)},
    {"intermediates",         "N",      "how many stand between root and leaf [1]",
     OPTION_NUMBER, AT(intermediates)},
    {"name",                  "TEXT",   "the organization in its names [Rehearsal]",
     OPTION_TEXT, AT(name)},
    {"root-lifetime",         "T",      "the root ends T from now [10y]",
     OPTION_DURATION, AT(root_lifetime)},
    {"intermediate-lifetime", "T",      "the intermediates end T from now [5y]",
     OPTION_DURATION, AT(intermediate_lifetime)},
    {"path-length",           "N",      "path length of the topmost intermediate [what fits]",
     OPTION_NUMBER, AT(path_length)},
    {"permit",                "DOMAIN", "name constraint of the intermediates (may repeat)",
     OPTION_LIST, AT(permitted)},
    {"exclude",               "DOMAIN", "name constraint of the intermediates (may repeat)",
     OPTION_LIST, AT(excluded)},
    {"json",                  NULL,     "answer with one JSON object", OPTION_FLAG, AT(json)},
    {0},
};
/* clang-format on */
#undef AT

static int plan_of(const struct init_arguments *arguments, struct authority_plan *plan,
                   struct error *e)
{
    if (require(init_options, "state", arguments->state, e) < 0 ||
        at_of(arguments->at, &plan->at, e) < 0)
        return -1;
    plan->kind = key_kind_named(arguments->key, e);
    if (plan->kind == NULL)
        return failed_in(e, "--key");
    if (arguments->intermediates > INTERMEDIATES_MOST)
        return failed(e, "--intermediates: %ld is more than %d", arguments->intermediates,
                      INTERMEDIATES_MOST);
    plan->name = arguments->name;
    plan->intermediates = (size_t)arguments->intermediates;
    plan->root_until = plan->at + arguments->root_lifetime / NANOSECONDS;
    plan->intermediate_until = plan->at + arguments->intermediate_lifetime / NANOSECONDS;
    plan->permitted = words_of(&arguments->permitted);
    plan->excluded = words_of(&arguments->excluded);
    plan->path_length = (int)arguments->path_length;
    return 0;
}

static void tell_authority(const char *state, bool json, const char *what)
{
    if (json)
        tell_json(json_pack("{s:s, s:s}", "state", state, "done", what));
    else
        printf("%s: %s\n", state, what);
}

int verb_init(int argc, char **argv)
{
    struct init_arguments arguments = {
        .key = "p256",
        .intermediates = 1,
        .path_length = -1,
        .root_lifetime = ROOT_LIFETIME,
        .intermediate_lifetime = INTERMEDIATE_LIFETIME,
    };
    struct authority_plan plan = {0};
    struct error e;

    if (options_for(init_options, argc, argv, &arguments, NULL, 0, &e) < 0 ||
        plan_of(&arguments, &plan, &e) < 0 || authority_create(arguments.state, &plan, &e) < 0)
        return complain(&e);
    tell_authority(arguments.state, arguments.json, "a new rehearsal CA");
    return STATUS_DONE;
}

struct change_arguments {
    const char *state, *from, *at;
    int64_t lifetime;
    bool json;
};

#define AT(field) offsetof(struct change_arguments, field)
/* clang-format off */
const struct option_row rotate_options[] = {
    {"state",    "DIR",  "the authority", OPTION_TEXT, AT(state)},
    {"at",       "TIME", "now, on your calendar [the real now]", OPTION_TEXT, AT(at)},
    {"lifetime", "T",    "the new intermediate ends T from now [5y]",
     OPTION_DURATION, AT(lifetime)},
    {"json",     NULL,   "answer with one JSON object", OPTION_FLAG, AT(json)},
    {0},
};
const struct option_row cross_sign_options[] = {
    {"state",    "DIR",  "the authority whose root is to be signed", OPTION_TEXT, AT(state)},
    {"from",     "DIR",  "the authority whose root signs it", OPTION_TEXT, AT(from)},
    {"at",       "TIME", "now, on your calendar [the real now]", OPTION_TEXT, AT(at)},
    {"lifetime", "T",    "the cross-sign ends T from now [5y]", OPTION_DURATION, AT(lifetime)},
    {"json",     NULL,   "answer with one JSON object", OPTION_FLAG, AT(json)},
    {0},
};
/* clang-format on */
#undef AT

static int change_of(const struct option_row *options, int argc, char **argv,
                     struct change_arguments *arguments, int64_t *at, struct error *e)
{
    if (options_for(options, argc, argv, arguments, NULL, 0, e) < 0 ||
        require(options, "state", arguments->state, e) < 0)
        return -1;
    return at_of(arguments->at, at, e);
}

int verb_rotate(int argc, char **argv)
{
    struct change_arguments arguments = {.lifetime = INTERMEDIATE_LIFETIME};
    struct authority authority;
    struct error e;
    int64_t at;
    int status;

    if (change_of(rotate_options, argc, argv, &arguments, &at, &e) < 0 ||
        authority_open(arguments.state, &authority, &e) < 0)
        return complain(&e);
    status = authority_rotate(&authority, at, at + arguments.lifetime / NANOSECONDS, &e);
    authority_close(&authority);
    if (status < 0)
        return complain(&e);
    tell_authority(arguments.state, arguments.json, "issues from a new intermediate now");
    return STATUS_DONE;
}

/* Opens both, always in the same order: two who cross-sign each other must not wait for each
 * other's lock for ever. */
static int open_both(const struct change_arguments *arguments, struct authority *authority,
                     struct authority *old, struct error *e)
{
    struct stat ours, theirs;
    bool first;

    if (stat(arguments->state, &ours) < 0)
        return failed(e, "%s: %s", arguments->state, strerror(errno));
    if (stat(arguments->from, &theirs) < 0)
        return failed(e, "%s: %s", arguments->from, strerror(errno));
    if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
        return failed(e, "%s: cannot cross-sign itself; --from names another authority",
                      arguments->state);
    first = ours.st_ino < theirs.st_ino;
    if (first && authority_open(arguments->state, authority, e) < 0)
        return -1;
    if (authority_open(arguments->from, old, e) < 0) {
        if (first)
            authority_close(authority);
        return -1;
    }
    if (first || authority_open(arguments->state, authority, e) == 0)
        return 0;
    authority_close(old);
    return -1;
}

static int cross_sign(const struct change_arguments *arguments, int64_t at, struct error *e)
{
    struct authority authority, old;
    int status;

    if (open_both(arguments, &authority, &old, e) < 0)
        return -1;
    status = authority_cross_sign(&authority, &old, at, at + arguments->lifetime / NANOSECONDS, e);
    authority_close(&old);
    authority_close(&authority);
    return status;
}

int verb_cross_sign(int argc, char **argv)
{
    struct change_arguments arguments = {.lifetime = INTERMEDIATE_LIFETIME};
    struct error e;
    int64_t at;

    if (change_of(cross_sign_options, argc, argv, &arguments, &at, &e) < 0 ||
        require(cross_sign_options, "from", arguments.from, &e) < 0 ||
        cross_sign(&arguments, at, &e) < 0)
        return complain(&e);
    tell_authority(arguments.state, arguments.json, "has a cross-signed root now");
    return STATUS_DONE;
}
