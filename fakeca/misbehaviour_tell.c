/* What faults do to what is told, and to what is issued. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/misbehaviour_parts.h"
#include "testbed/wire/moment.h"

#define DAY INT64_C(86400)

/* Nobody can listen there. */
#define DEAD "http://127.0.0.1:0"

/* --- orders and authorizations ------------------------------------------------------------------ */

static void tell_time(json_t *object, const char *name, int64_t at)
{
    char text[MOMENT_TEXT];

    moment_format(at, text);
    json_object_set_new(object, name, json_string(text));
}

void tell_status(const struct chosen *chosen, json_t *told)
{
    const struct serve_fault *fault = chosen->fault;

    json_object_set_new(told, "status", json_string(fault->argument));
    json_object_del(told, "certificate");
    if (strcmp(fault->argument, "invalid") == 0)
        json_object_set_new(told, "error",
                            problem_describe(CAA_FORBIDS, "rechecking at issuance: CAA forbids"));
}

void tell_identifiers_reversed(const struct chosen *chosen, json_t *told)
{
    json_t *names = json_object_get(told, "identifiers"), *reversed = json_array();

    (void)chosen;
    for (size_t i = json_array_size(names); i-- > 0;)
        json_array_append(reversed, json_array_get(names, i));
    if (names != NULL)
        json_object_set(told, "identifiers", reversed);
    json_decref(reversed);
}

static void raise_value(json_t *identifier)
{
    const char *value = json_string_value(json_object_get(identifier, "value"));
    char *raised = value == NULL ? NULL : strdup(value);

    for (char *at = raised; at != NULL && *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    if (raised != NULL)
        json_object_set_new(identifier, "value", json_string(raised));
    free(raised);
}

void tell_identifiers_upper(const struct chosen *chosen, json_t *told)
{
    json_t *one;
    size_t i;

    (void)chosen;
    json_array_foreach (json_object_get(told, "identifiers"), i, one)
        raise_value(one);
    raise_value(json_object_get(told, "identifier"));
}

void tell_identifier_dropped(const struct chosen *chosen, json_t *told)
{
    json_t *names = json_object_get(told, "identifiers");

    (void)chosen;
    if (json_array_size(names) > 0)
        json_array_remove(names, json_array_size(names) - 1);
}

void tell_expired(const struct chosen *chosen, json_t *told)
{
    tell_time(told, "expires", chosen->now - DAY);
}

void tell_no_challenges(const struct chosen *chosen, json_t *told)
{
    (void)chosen;
    json_object_set_new(told, "challenges", json_array());
}

void tell_unknown_challenges(const struct chosen *chosen, json_t *told)
{
    json_t *one;
    size_t i;

    (void)chosen;
    json_array_foreach (json_object_get(told, "challenges"), i, one)
        json_object_set_new(one, "type", json_string("rehearsal-01"));
}

void tell_without_challenge(const struct chosen *chosen, json_t *told)
{
    json_t *left = json_array(), *one;
    size_t i;

    json_array_foreach (json_object_get(told, "challenges"), i, one)
        if (strcmp(json_string_value(json_object_get(one, "type")), chosen->key) != 0)
            json_array_append(left, one);
    json_object_set_new(told, "challenges", left);
}

/* Of an authorization or of a challenge. */
void tell_token(const struct chosen *chosen, json_t *told)
{
    json_t *challenges = json_object_get(told, "challenges"), *one;
    size_t i;

    json_array_foreach (challenges, i, one)
        json_object_set_new(one, "token", json_string(chosen->fault->argument));
    if (challenges == NULL)
        json_object_set_new(told, "token", json_string(chosen->fault->argument));
}

/* --- the directory, and whatever else has keys -------------------------------------------------- */

void tell_without(const struct chosen *chosen, json_t *told)
{
    json_object_del(told, chosen->key);
}

void tell_meta_null(const struct chosen *chosen, json_t *told)
{
    json_t *meta = json_object_get(told, "meta"), *value;
    const char *key;

    (void)chosen;
    json_object_foreach (meta, key, value)
        json_object_set_new(meta, key, json_null());
}

void tell_meta_without(const struct chosen *chosen, json_t *told)
{
    json_object_del(json_object_get(told, "meta"), chosen->fault->argument);
}

/* --- renewal windows ---------------------------------------------------------------------------- */

void tell_window(const struct chosen *chosen, json_t *told)
{
    json_t *window = json_object_get(told, "suggestedWindow");

    tell_time(window, "start", chosen->now + chosen->fault->window_from);
    tell_time(window, "end", chosen->now + chosen->fault->window_end);
}

/* --- what is issued ----------------------------------------------------------------------------- */

void plan_by_clock(const struct chosen *chosen, struct leaf_plan *plan)
{
    plan->at += chosen->skew;
    plan->not_before += chosen->skew;
    plan->not_after += chosen->skew;
}

void plan_no_lifetime(const struct chosen *chosen, struct leaf_plan *plan)
{
    (void)chosen;
    plan->not_after = plan->not_before;
}

void plan_no_ocsp(const struct chosen *chosen, struct leaf_plan *plan)
{
    (void)chosen;
    plan->ocsp = NULL;
}

void plan_no_urls(const struct chosen *chosen, struct leaf_plan *plan)
{
    (void)chosen;
    plan->ocsp = plan->ca_issuers = plan->crl = NULL;
}

void plan_another_key(const struct chosen *chosen, struct leaf_plan *plan)
{
    (void)chosen;
    plan->public_key = NULL;
}

void plan_dead_ocsp(const struct chosen *chosen, struct leaf_plan *plan)
{
    (void)chosen;
    plan->ocsp = DEAD "/ocsp";
}

void plan_dead_issuers(const struct chosen *chosen, struct leaf_plan *plan)
{
    (void)chosen;
    plan->ca_issuers = DEAD "/issuers/1.cer";
}

void plan_dead_crls(const struct chosen *chosen, struct leaf_plan *plan)
{
    (void)chosen;
    plan->crl = DEAD "/crls/1.crl";
}
