#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpsl.h>

#include "fakeca/limit.h"
#include "testbed/wire/moment.h"

#define HOUR INT64_C(3600)
#define DAY  INT64_C(86400)

/* clang-format off */
const struct limit_row limit_rows[LIMITS] = {
    [LIMIT_ACCOUNTS] = {"accounts-per-address", {10, 3 * HOUR}, "new registrations", "from this IP address", false,
                        "new-registrations-per-ip-address"},
    [LIMIT_RANGE] = {"accounts-per-range", {500, 3 * HOUR}, "new registrations",
                     "from this /48 subnet of IPv6 addresses", false, "new-registrations-per-ipv6-range"},
    [LIMIT_ORDERS] = {"orders-per-account", {300, 3 * HOUR}, "new orders", "from this account", false,
                      "new-orders-per-account"},
    [LIMIT_DOMAIN] = {"certificates-per-domain", {50, 7 * DAY}, "certificates", "already issued for", true,
                      "new-certificates-per-registered-domain"},
    [LIMIT_SET] = {"certificates-per-set", {5, 7 * DAY}, "certificates",
                   "already issued for this exact set of identifiers", false,
                   "new-certificates-per-exact-set-of-identifiers"},
    [LIMIT_FAILURES] = {"failures-per-identifier", {5, HOUR}, "failed authorizations", "for", true,
                        "authorization-failures-per-identifier-per-account"},
    [LIMIT_CONSECUTIVE] = {"consecutive-failures", {1152, 1152 * DAY}, "consecutive failed authorizations", "for", true,
                           "consecutive-authorization-failures-per-identifier-per-account"},
};
/* clang-format on */

/* --- buckets ------------------------------------------------------------------------------------ */

static void name_of(enum limit limit, const char *who, char out[400])
{
    snprintf(out, 400, "%s %s", limit_rows[limit].name, who);
}

/* When the bucket is full again, in milliseconds; never in the past. */
static int64_t full_at(struct store *store, enum limit limit, const char *who, int64_t now)
{
    char name[400];
    int64_t number, at;
    json_t *bucket;

    name_of(limit, who, name);
    bucket = store_find(store, "bucket", name, &number);
    at = json_integer_value(json_object_get(bucket, "full_at"));
    json_decref(bucket);
    return at > now * 1000 ? at : now * 1000;
}

static int64_t interval_of(const struct limit_rate *rate)
{
    return rate->period * 1000 / rate->count;
}

int64_t limit_wait(struct store *store, enum limit limit, const struct limit_rate *rate,
                   const char *who, int64_t now)
{
    int64_t interval = interval_of(rate);
    int64_t wait = full_at(store, limit, who, now) + interval - rate->count * interval - now * 1000;

    return wait > 0 ? wait : 0;
}

int limit_spend(struct store *store, enum limit limit, const struct limit_rate *rate,
                const char *who, int64_t now, struct error *e)
{
    int64_t at = full_at(store, limit, who, now) + interval_of(rate);
    json_t *bucket = json_pack("{s:I}", "full_at", (json_int_t)at);
    char name[400];
    int status;

    name_of(limit, who, name);
    status = store_set(store, "bucket", name, bucket, e);
    json_decref(bucket);
    return status;
}

int limit_reset(struct store *store, enum limit limit, const char *who, struct error *e)
{
    char name[400];

    name_of(limit, who, name);
    return store_unset(store, "bucket", name, e);
}

/* --- pauses ------------------------------------------------------------------------------------- */

int limit_pause(struct store *store, int64_t account, const char *who, struct error *e)
{
    json_t *paused = json_pack("{s:I, s:s}", "account", (json_int_t)account, "who", who);
    int status = store_set(store, "paused", who, paused, e);

    json_decref(paused);
    return status;
}

bool limit_paused(struct store *store, const char *who)
{
    int64_t number;
    json_t *paused = store_find(store, "paused", who, &number);

    json_decref(paused);
    return paused != NULL;
}

struct pauses {
    int64_t account;
    json_t *found;
};

static void gather(void *context, int64_t number, json_t *paused)
{
    struct pauses *pauses = context;

    (void)number;
    if (json_integer_value(json_object_get(paused, "account")) == pauses->account)
        json_array_append(pauses->found, json_object_get(paused, "who"));
}

int limit_unpause(struct store *store, int64_t account, struct error *e)
{
    struct pauses pauses = {account, NULL};
    json_t *known = store_get(store, "account", account), *who;
    int count = 0;
    size_t i;

    json_decref(known);
    if (known == NULL)
        return failed(e, "there is no account %lld", (long long)account);
    pauses.found = json_array();
    store_each(store, "paused", gather, &pauses);
    json_array_foreach (pauses.found, i, who) {
        if (store_unset(store, "paused", json_string_value(who), e) < 0 ||
            limit_reset(store, LIMIT_CONSECUTIVE, json_string_value(who), e) < 0) {
            json_decref(pauses.found);
            return -1;
        }
        count++;
    }
    json_decref(pauses.found);
    return count;
}

/* --- words -------------------------------------------------------------------------------------- */

void limit_explain(enum limit limit, const struct limit_rate *rate, const char *name,
                   int64_t retry_at, char out[LIMIT_TEXT])
{
    const struct limit_row *row = &limit_rows[limit];
    const char *quote = row->named ? " \"" : "";
    long long period = rate->period;
    time_t at = (time_t)retry_at;
    char when[64];
    struct tm parts;

    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&at, &parts));
    snprintf(out, LIMIT_TEXT,
             "too many %s (%lld) %s%s%.255s%s in the last %lldh%lldm%llds, retry after %s: see "
             "https://letsencrypt.org/docs/rate-limits/#%s",
             row->what, (long long)rate->count, row->whose, quote, row->named ? name : "",
             row->named ? "\"" : "", period / 3600, period / 60 % 60, period % 60, when,
             row->anchor);
}

int limit_rate_parse(const char *text, struct limit_rate *out, struct error *e)
{
    char *end;
    long long count = strtoll(text, &end, 10);
    int64_t period;

    if (end == text || *end != '/' || count < 1 || count > 1000000)
        return failed(e, "'%s' is no rate, expected one like 5/7d", text);
    if (duration_parse(end + 1, &period, e) < 0)
        return -1;
    if (period < NANOSECONDS)
        return failed(e, "'%s': the time is too short", text);
    *out = (struct limit_rate){count, period / NANOSECONDS};
    return 0;
}

const char *limit_domain(const char *name)
{
    const char *domain = psl_registrable_domain(psl_builtin(), name);

    return domain == NULL ? name : domain;
}
