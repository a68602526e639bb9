#include "fakeca/policy.h"

#include <stddef.h>
#include <string.h>

#include "testbed/wire/moment.h"
#include "testbed/wire/nearest.h"

#define SWITCHES (sizeof switches / sizeof switches[0])

#define AT(field) offsetof(struct policy, field)
/* clang-format off */
static const struct {
    const char *name;
    size_t offset;
    const char *what;
} switches[] = {
    {"eab-required", AT(eab_required), "new accounts need an external account binding; `fakeca eab` makes keys"},
    {"reuse-authorizations", AT(reuse_authorizations), "a name that was proven is not asked for again for a while, which "
                                                       "the profile sets: 30 d, or 7 h"},
    {"reuse-orders", AT(reuse_orders), "the same order again, while the first is open, is the first"},
    {"rate-limits", AT(rate_limits), "Let's Encrypt's, at the rates below; ARI renewals are exempt, and renewals of the "
                                     "same set of names from two of them"},
    {"caa", AT(caa), "CAA records are looked up, RFC 8659, and again at finalize when that was eight hours ago; the authority's name is rehearsal.test"},
    {"ocsp-delegated", AT(ocsp_delegated), "OCSP answers are signed by a delegate of the issuer, RFC 6960 section 4.2.2.2, and not by itself"},
};
/* clang-format on */
#undef AT

static bool *switch_of(struct policy *policy, size_t i)
{
    return (bool *)((char *)policy + switches[i].offset);
}

void policy_usual(struct policy *policy)
{
    *policy = (struct policy){0};
    for (int i = 0; i < LIMITS; i++)
        policy->limits[i] = limit_rows[i].rate;
}

static int set_switch(bool *at, const char *name, const char *value, struct error *e)
{
    if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
        return failed(e, "%s: '%s' is neither on nor off", name, value);
    *at = strcmp(value, "on") == 0;
    return 0;
}

static int unknown(const char *name, struct error *e)
{
    const char *names[SWITCHES + LIMITS];
    const char *near;

    for (size_t i = 0; i < SWITCHES; i++)
        names[i] = switches[i].name;
    for (size_t i = 0; i < LIMITS; i++)
        names[SWITCHES + i] = limit_rows[i].name;
    near = nearest(name, names, SWITCHES + LIMITS);
    return near == NULL ? failed(e, "unknown setting '%s'; `fakeca settings` lists them", name)
                        : failed(e, "unknown setting '%s'; did you mean %s?", name, near);
}

int policy_set(struct policy *policy, const char *assignment, struct error *e)
{
    const char *sign = strchr(assignment, '=');
    char name[64];

    if (sign == NULL || sign - assignment >= (ptrdiff_t)sizeof name)
        return failed(e, "'%s' sets nothing, expected one like caa=on", assignment);
    snprintf(name, sizeof name, "%.*s", (int)(sign - assignment), assignment);
    for (size_t i = 0; i < SWITCHES; i++)
        if (strcmp(switches[i].name, name) == 0)
            return set_switch(switch_of(policy, i), name, sign + 1, e);
    for (int i = 0; i < LIMITS; i++)
        if (strcmp(limit_rows[i].name, name) == 0)
            return limit_rate_parse(sign + 1, &policy->limits[i], e) < 0 ? failed_in(e, name) : 0;
    return unknown(name, e);
}

/* --- over a restart: things of kind "setting", by name, {"assignment"} ----------------------------- */

int policy_keep(struct store *store, const char *assignment, struct error *e)
{
    json_t *body = json_pack("{s:s}", "assignment", assignment);
    char name[64];
    int status;

    snprintf(name, sizeof name, "%.*s", (int)strcspn(assignment, "="), assignment);
    status = store_set(store, "setting", name, body, e);
    json_decref(body);
    return status;
}

struct restoring {
    struct policy *policy;
    struct error *e;
    int status;
};

static void restore(void *context, int64_t number, json_t *body)
{
    struct restoring *restoring = context;
    const char *assignment = json_string_value(json_object_get(body, "assignment"));

    (void)number;
    if (restoring->status == 0)
        restoring->status =
            policy_set(restoring->policy, assignment == NULL ? "" : assignment, restoring->e);
}

int policy_restore(struct store *store, struct policy *policy, struct error *e)
{
    struct restoring restoring = {.policy = policy, .e = e};

    store_each(store, "setting", restore, &restoring);
    return restoring.status < 0 ? failed_in(e, "serve.db") : 0;
}

/* --- telling ------------------------------------------------------------------------------------ */

static void rate_text(const struct limit_rate *rate, char out[128])
{
    char period[DURATION_TEXT];

    duration_format(rate->period * NANOSECONDS, period);
    snprintf(out, 128, "%lld/%s", (long long)rate->count, period);
}

json_t *policy_describe(const struct policy *policy)
{
    struct policy copy = *policy;
    json_t *out = json_object();
    char text[128];

    for (size_t i = 0; i < SWITCHES; i++)
        json_object_set_new(out, switches[i].name,
                            json_string(*switch_of(&copy, i) ? "on" : "off"));
    for (int i = 0; i < LIMITS; i++) {
        rate_text(&policy->limits[i], text);
        json_object_set_new(out, limit_rows[i].name, json_string(text));
    }
    return out;
}

void policy_markdown(FILE *out)
{
    char text[128];

    fputs("\n## Settings\n\n"
          "`fakeca serve --set NAME=VALUE` sets one from the start, `fakeca set NAME=VALUE --state "
          "DIR`"
          " while it serves, and\n`fakeca settings --state DIR` lists them. What `fakeca set` said "
          "holds over"
          " a restart, unless the next start has a\n`--set` for it. A rate is a count and a time: "
          "a bucket that"
          " holds so many, and is full again after that time; an empty\none refuses with 429, "
          "`Retry-After` and"
          " Let's Encrypt's own words, and outlives a restart.\n\n"
          "`fakeca eab --kid ID` makes a key for `--eab-kid` and `--eab-hmac-key`; `--alternate 2` "
          "offers two more chains,"
          " for `--preferred-chain`;\n`--perspectives 4` has four look at each name, each with a "
          "DNS of its own, which"
          " `fakeca dns --perspective 3` tells what\nthe others are not told.\n\n"
          "`fakeca revoke --state DIR --serial HEX --reason superseded --after 24h` announces a "
          "revocation, also of all"
          " for a `--name`, or of\n`--all`: renewal information says so at once, OCSP and CRLs "
          "when the time has come on"
          " its calendar. `fakeca rotate-issuer`\nmakes an intermediate to issue from; the old one "
          "answers and revokes"
          " as before.\n\n"
          "| setting | usually | what it does |\n|---|---|---|\n",
          out);
    for (size_t i = 0; i < SWITCHES; i++)
        fprintf(out, "| `%s` | off | %s |\n", switches[i].name, switches[i].what);
    for (int i = 0; i < LIMITS; i++) {
        rate_text(&limit_rows[i].rate, text);
        fprintf(out, "| `%s` | %s | %s %s%s |\n", limit_rows[i].name, text, limit_rows[i].what,
                limit_rows[i].whose, limit_rows[i].named ? " a name" : "");
    }
}
