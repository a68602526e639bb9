/* CAA once more, before issuance: RFC 8659, and Baseline Requirements 3.2.2.8, which let a look at it count for
 * eight hours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/acme_parts.h"

#define CAA_HOLDS (8 * 3600)

/* One order that waits for it; it is "processing" in the store until then. */
struct recheck {
    struct recheck *next;
    int64_t order;
    json_t *waiting; /* numbers of authorizations */
    json_t *refused; /* problems */
};

static void discard(struct recheck *recheck)
{
    json_decref(recheck->waiting);
    json_decref(recheck->refused);
    free(recheck);
}

static void drop(struct acme *acme, struct recheck *recheck)
{
    struct recheck **at = &acme->rechecks;

    while (*at != recheck)
        at = &(*at)->next;
    *at = recheck->next;
    discard(recheck);
}

void recheck_clear(struct acme *acme)
{
    while (acme->rechecks != NULL)
        drop(acme, acme->rechecks);
}

/* --- looking again ------------------------------------------------------------------------------ */

/* How its name was proven. */
static enum challenge method_of(const json_t *authorization)
{
    json_t *one;
    size_t i;

    json_array_foreach (json_object_get(authorization, "challenges"), i, one) {
        for (int k = 0; k < CHALLENGES; k++)
            if (has_status(one, "valid") && strcmp(challenge_names[k], text_of(one, "type")) == 0)
                return (enum challenge)k;
    }
    return HTTP_01;
}

static int look_again(struct acme *acme, int64_t number, const json_t *authorization,
                      struct error *e)
{
    struct validation validation = {
        .authorization = number,
        .account = json_integer_value(json_object_get(authorization, "account")),
        .challenge = method_of(authorization),
        .identifier = text_of(json_object_get(authorization, "identifier"), "value"),
        .token = "",
        .key_authorization = "",
        .wildcard = json_object_get(authorization, "wildcard") != NULL,
        .proven = true,
    };

    return validate_start(acme->plan.validator, &validation, e);
}

/* Those whose CAA was not looked at since then. */
static int look_at_all(struct acme *acme, struct recheck *recheck, const json_t *order,
                       int64_t since, struct error *e)
{
    json_t *number;
    int status = 0;
    size_t i;

    json_array_foreach (json_object_get(order, "authorizations"), i, number) {
        json_t *one = store_get(acme->plan.store, "authz", json_integer_value(number));

        if (strcmp(text_of(json_object_get(one, "identifier"), "type"), "dns") == 0 &&
            json_integer_value(json_object_get(one, "caa")) < since) {
            json_array_append(recheck->waiting, number);
            status |= look_again(acme, json_integer_value(number), one, e);
        }
        json_decref(one);
    }
    return status;
}

static int start(struct acme *acme, int64_t number, const json_t *order, int64_t since,
                 struct error *e)
{
    struct recheck *recheck = calloc(1, sizeof *recheck);
    int status;

    if (recheck == NULL)
        return failed(e, "out of memory");
    *recheck = (struct recheck){
        .next = acme->rechecks, .order = number, .waiting = json_array(), .refused = json_array()};
    acme->rechecks = recheck;
    status = look_at_all(acme, recheck, order, since, e);
    if (status == 0 && json_array_size(recheck->waiting) > 0)
        return 1;
    drop(acme, recheck);
    return status;
}

int recheck_start(struct call *call, const json_t *order, struct error *e)
{
    return call->acme->plan.policy->caa
               ? start(call->acme, call->number, order, call->now - CAA_HOLDS, e)
               : 0;
}

static void take_up(void *context, int64_t number, json_t *order)
{
    struct error e;

    if (has_status(order, "processing") && start(context, number, order, INT64_MAX, &e) < 0)
        fprintf(stderr, "fakeca: %s\n", e.text);
}

void recheck_resume(struct acme *acme)
{
    store_each(acme->plan.store, "order", take_up, acme);
}

/* --- what was found ----------------------------------------------------------------------------- */

/* Why there is nothing to issue; NULL: there is. */
static json_t *refusal_of(const struct acme *acme, const struct recheck *recheck,
                          const json_t *order)
{
    if (json_array_size(recheck->refused) > 0)
        return problem_of_several(recheck->refused, "Rechecking CAA");
    return issue_refusal(acme, order);
}

static int finish(struct acme *acme, struct recheck *recheck, struct error *e)
{
    json_t *order = store_get(acme->plan.store, "order", recheck->order);
    json_t *refusal = refusal_of(acme, recheck, order);
    int status = 0;

    if (refusal == NULL)
        status = issue_rechecked(acme, recheck->order, order, e);
    else {
        set_status(order, "invalid");
        json_object_set_new(order, "error", refusal);
        json_object_del(order, "csr");
        json_object_del(order, "met");
        status = store_put(acme->plan.store, "order", recheck->order, order, e);
    }
    json_decref(order);
    drop(acme, recheck);
    return status;
}

static int note(struct acme *acme, struct recheck *recheck, int64_t number, int problem,
                const char *detail, struct error *e)
{
    json_t *body = store_get(acme->plan.store, "authz", number), *refusal;
    int status = 0;

    if (problem == VALIDATION_GOOD) {
        json_object_set_new(body, "caa", json_integer(acme->plan.now(acme->plan.context)));
        status = store_put(acme->plan.store, "authz", number, body, e);
    } else {
        refusal = problem_describe((enum problem)problem, detail);
        json_object_set(refusal, "identifier", json_object_get(body, "identifier"));
        json_array_append_new(recheck->refused, refusal);
    }
    json_decref(body);
    return status;
}

/* The order that waits for an authorization, which it then no longer does; NULL: none. */
static struct recheck *take_waiting(struct acme *acme, int64_t number)
{
    json_t *one;
    size_t i;

    for (struct recheck *recheck = acme->rechecks; recheck != NULL; recheck = recheck->next)
        json_array_foreach (recheck->waiting, i, one) {
            if (json_integer_value(one) == number) {
                json_array_remove(recheck->waiting, i);
                return recheck;
            }
        }
    return NULL;
}

int recheck_judged(struct acme *acme, int64_t authorization, int problem, const char *detail,
                   struct error *e)
{
    struct recheck *recheck = take_waiting(acme, authorization);

    if (recheck == NULL)
        return 0;
    if (note(acme, recheck, authorization, problem, detail, e) < 0 ||
        (json_array_size(recheck->waiting) == 0 && finish(acme, recheck, e) < 0))
        return -1;
    return 1;
}
