/* Which requests look at which rate limits, and which are exempt: as Let's Encrypt has it in 2026. */
#include <arpa/inet.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/acme_parts.h"

#define WHO 384

static const struct policy *policy_of(const struct call *call)
{
    return call->acme->plan.policy;
}

/* 0 where there is a token; else refuses.  `name` is what the refusal names. */
static int check(struct call *call, enum limit limit, const char *who, const char *name)
{
    const struct limit_rate *rate = &policy_of(call)->limits[limit];
    int64_t wait = limit_wait(call->store, limit, rate, who, call->now);
    int64_t seconds = (wait + 999) / 1000;
    char text[LIMIT_TEXT];

    if (wait == 0)
        return 0;
    limit_explain(limit, rate, name, call->now + seconds, text);
    http_answer_field(call->answer, "Retry-After", "%lld", (long long)seconds);
    http_answer_field(call->answer, "Link",
                      "<https://letsencrypt.org/docs/rate-limits/>;rel=\"help\"");
    return refuse(call, RATE_LIMITED, "%s", text);
}

static int spend(struct acme *acme, enum limit limit, const char *who, int64_t now, struct error *e)
{
    return limit_spend(acme->plan.store, limit, &acme->plan.policy->limits[limit], who, now, e);
}

static int check_and_spend(struct call *call, enum limit limit, const char *who)
{
    struct error e;

    if (check(call, limit, who, NULL) < 0)
        return -1;
    return spend(call->acme, limit, who, call->now, &e) < 0 ? broken(call, &e) : 0;
}

/* --- accounts ----------------------------------------------------------------------------------- */

int limit_account(struct call *call)
{
    const char *peer = call->request->peer;
    unsigned char address[16];
    char range[WHO];

    if (!policy_of(call)->rate_limits)
        return 0;
    if (check_and_spend(call, LIMIT_ACCOUNTS, peer) < 0)
        return -1;
    if (inet_pton(AF_INET6, peer, address) != 1)
        return 0;
    memset(address + 6, 0, sizeof address - 6);
    inet_ntop(AF_INET6, address, range, sizeof range);
    return check_and_spend(call, LIMIT_RANGE, range);
}

/* --- names -------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What stands for exactly these identifiers, in whatever order they come. */
void identifiers_name(const json_t *identifiers, char out[SET_TEXT])
{
    size_t count = json_array_size(identifiers), i;
    const char **values = calloc(count + 1, sizeof *values);
    unsigned char digest[SHA256_DIGEST_LENGTH] = {0};
    json_t *sorted = json_array(), *one;
    char *text;

    if (values != NULL) {
        json_array_foreach (identifiers, i, one)
            values[i] = text_of(one, "value");
        qsort(values, count, sizeof *values, by_value);
    }
    for (i = 0; values != NULL && i < count; i++)
        json_array_append_new(sorted, json_string(values[i]));
    text = json_dumps(sorted, JSON_COMPACT);
    if (text != NULL)
        SHA256((const unsigned char *)text, strlen(text), digest);
    base64url(digest, sizeof digest, out);
    free(text);
    free(values);
    json_decref(sorted);
}

static bool had_before(struct store *store, const char *set)
{
    int64_t number;
    json_t *thing = store_find(store, "set", set, &number);

    json_decref(thing);
    return thing != NULL;
}

static const char *value_of(const json_t *identifiers, size_t i)
{
    const char *value = text_of(json_array_get(identifiers, i), "value");

    return strncmp(value, "*.", 2) == 0 ? value + 2 : value;
}

static const char *domain_of(const json_t *identifiers, size_t i)
{
    const char *type = text_of(json_array_get(identifiers, i), "type");
    const char *value = value_of(identifiers, i);

    return strcmp(type, "dns") == 0 ? limit_domain(value) : value;
}

/* Whether an identifier before this one has the same registered domain. */
static bool counted(const json_t *identifiers, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(domain_of(identifiers, k), domain_of(identifiers, i)) == 0)
            return true;
    return false;
}

/* --- orders ------------------------------------------------------------------------------------- */

static void who_validates(int64_t account, const char *name, char out[WHO])
{
    snprintf(out, WHO, "%lld %s", (long long)account, name);
}

/* Where an account fails and fails for a name, the two are paused until somebody acts. */
static int check_pause(struct call *call, const char *who, const char *name)
{
    return !limit_paused(call->store, who)
               ? 0
               : refuse(call, RATE_LIMITED,
                        "Your account is temporarily prevented from requesting certificates for "
                        "%s and possibly others. Please visit: `fakeca unpause --account %lld`",
                        name, (long long)call->account_number);
}

static int check_failures(struct call *call, const json_t *identifiers)
{
    char who[WHO];

    for (size_t i = 0; i < json_array_size(identifiers); i++) {
        const char *name = value_of(identifiers, i);

        who_validates(call->account_number, name, who);
        if (check_pause(call, who, name) < 0 || check(call, LIMIT_FAILURES, who, name) < 0)
            return -1;
    }
    return 0;
}

int limit_order(struct call *call, const json_t *order)
{
    json_t *identifiers = json_object_get(order, "identifiers");
    char set[SET_TEXT], account[WHO];
    bool renewal;

    if (!policy_of(call)->rate_limits || json_object_get(order, "replaces") != NULL)
        return 0;
    identifiers_name(identifiers, set);
    renewal = had_before(call->store, set);
    snprintf(account, sizeof account, "%lld", (long long)call->account_number);
    if (!renewal && check_and_spend(call, LIMIT_ORDERS, account) < 0)
        return -1;
    if (check_failures(call, identifiers) < 0)
        return -1;
    for (size_t i = 0; !renewal && i < json_array_size(identifiers); i++) {
        const char *domain = domain_of(identifiers, i);

        if (check(call, LIMIT_DOMAIN, domain, domain) < 0)
            return -1;
    }
    return check(call, LIMIT_SET, set, NULL);
}

int limit_issued(struct acme *acme, const json_t *order, int64_t now, struct error *e)
{
    json_t *identifiers = json_object_get(order, "identifiers"), *empty = json_object();
    char set[SET_TEXT];
    bool renewal;
    int status;

    identifiers_name(identifiers, set);
    renewal = had_before(acme->plan.store, set);
    status = renewal ? 0 : store_set(acme->plan.store, "set", set, empty, e);
    json_decref(empty);
    if (status < 0 || !acme->plan.policy->rate_limits || json_object_get(order, "replaces") != NULL)
        return status;
    for (size_t i = 0; !renewal && i < json_array_size(identifiers); i++)
        if (!counted(identifiers, i) &&
            spend(acme, LIMIT_DOMAIN, domain_of(identifiers, i), now, e) < 0)
            return -1;
    return spend(acme, LIMIT_SET, set, now, e);
}

/* --- validations -------------------------------------------------------------------------------- */

static int pause_where_empty(struct acme *acme, int64_t account, const char *who, int64_t now,
                             struct error *e)
{
    const struct limit_rate *rate = &acme->plan.policy->limits[LIMIT_CONSECUTIVE];

    return limit_wait(acme->plan.store, LIMIT_CONSECUTIVE, rate, who, now) == 0
               ? 0
               : limit_pause(acme->plan.store, account, who, e);
}

int limit_judged(struct acme *acme, int64_t account, const char *name, bool good, int64_t now,
                 struct error *e)
{
    char who[WHO];

    if (!acme->plan.policy->rate_limits)
        return 0;
    who_validates(account, name, who);
    if (good)
        return limit_reset(acme->plan.store, LIMIT_CONSECUTIVE, who, e);
    if (spend(acme, LIMIT_FAILURES, who, now, e) < 0 ||
        spend(acme, LIMIT_CONSECUTIVE, who, now, e) < 0)
        return -1;
    return pause_where_empty(acme, account, who, now, e);
}
