/* Orders: RFC 8555 sections 7.4 and 7.1.6; profiles: draft-ietf-acme-profiles; replacing: RFC 9773
 * section 5. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/acme_parts.h"
#include "fakeca/renewal.h"

/* --- what an order looks like ------------------------------------------------------------------- */

static void tell(const struct call *call, int64_t number, const json_t *order,
                 struct json_text *told)
{
    static const char *const kept[] = {"status", "identifiers", "error", "profile", "replaces"};
    json_t *certificate = json_object_get(order, "certificate"), *one;
    size_t i;

    json_text_open(told, NULL, '{');
    for (i = 0; i < sizeof kept / sizeof kept[0]; i++)
        json_text_value(told, kept[i], json_object_get(order, kept[i]));
    tell_time(told, "expires", json_integer_value(json_object_get(order, "expires")));
    json_text_open(told, "authorizations", '[');
    json_array_foreach (json_object_get(order, "authorizations"), i, one)
        tell_url(call, told, NULL, "/acme/authz/%lld", (long long)json_integer_value(one));
    json_text_close(told, ']');
    tell_url(call, told, "finalize", "/acme/finalize/%lld", (long long)number);
    if (certificate != NULL)
        tell_url(call, told, "certificate", "/acme/certificate/%lld",
                 (long long)json_integer_value(certificate));
    json_text_close(told, '}');
}

int order_answer(struct call *call, int status, int64_t number, const json_t *order)
{
    struct json_text told = {0};
    char url[URL_TEXT];

    url_of(call, url, "/acme/order/%lld", (long long)number);
    http_answer_field(call->answer, "Location", "%s", url);
    tell(call, number, order, &told);
    return answer_json(call, status, &told);
}

/* --- the state of an order ---------------------------------------------------------------------- */

/* What the authorizations make of an order that is not yet paid out; `why` is the error of the one
 * that failed. */
static const char *state_of(struct call *call, const json_t *order, json_t **why)
{
    json_t *numbers = json_object_get(order, "authorizations"), *number;
    const char *state = "ready";
    size_t i;

    if (call->now > json_integer_value(json_object_get(order, "expires")))
        return "invalid";
    json_array_foreach (numbers, i, number) {
        json_t *one = store_get(call->store, "authz", json_integer_value(number));
        bool over = call->now > json_integer_value(json_object_get(one, "expires"));

        if (has_status(one, "pending") && !over)
            state = "pending";
        else if (!has_status(one, "valid") || over) {
            *why = json_incref(json_object_get(one, "error"));
            json_decref(one);
            return "invalid";
        }
        json_decref(one);
    }
    return state;
}

int order_refresh(struct call *call, int64_t number, json_t *order)
{
    json_t *why = NULL;
    const char *state;
    struct error e;

    if (!has_status(order, "pending") && !has_status(order, "ready"))
        return 0;
    state = state_of(call, order, &why);
    if (why != NULL)
        json_object_set_new(order, "error", why);
    if (has_status(order, state))
        return 0;
    set_status(order, state);
    return store_put(call->store, "order", number, order, &e) < 0 ? broken(call, &e) : 0;
}

int answer_order(struct call *call)
{
    json_t *order = own(call, "order", call->number);
    int status;

    if (order == NULL)
        return -1;
    if (call->payload != NULL)
        status = refuse(call, MALFORMED, "an order is read with an empty payload");
    else if ((status = order_refresh(call, call->number, order)) == 0) {
        if (has_status(order, "processing"))
            http_answer_field(call->answer, "Retry-After", "1");
        status = order_answer(call, 200, call->number, order);
    }
    json_decref(order);
    return status;
}

/* --- identifiers -------------------------------------------------------------------------------- */

/* Whether a label begins or ends with a hyphen: no host name, RFC 1123 section 2.1. */
static bool has_loose_hyphen(const char *name)
{
    size_t length = strlen(name);

    return *name == '-' || name[length - 1] == '-' || strstr(name, ".-") != NULL ||
           strstr(name, "-.") != NULL;
}

/* Whether its last label is a number: no name either, but what an address ends with, RFC 3696 section 2. */
static bool ends_in_number(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot == NULL ? name : dot + 1;

    return last[strspn(last, "0123456789")] == '\0';
}

/* The one spelling of an identifier's value; -1 where it is none that we issue for. */
static int canonical(const char *type, const char *value, char out[256])
{
    unsigned char address[16];
    const char *name = strncmp(value, "*.", 2) == 0 ? value + 2 : value;
    size_t length = strlen(value);
    struct error e;

    if (strcmp(type, "ip") == 0) {
        int family = strchr(value, ':') == NULL ? AF_INET : AF_INET6;

        return inet_pton(family, value, address) == 1 &&
                       inet_ntop(family, address, out, 256) != NULL
                   ? 0
                   : -1;
    }
    if (length > 253 || name_is_address(value) || strchr(name, '*') != NULL ||
        name_check(value, &e) < 0 || name[strlen(name) - 1] == '.' || has_loose_hyphen(name) ||
        ends_in_number(name))
        return -1;
    for (size_t i = 0; i <= length; i++)
        out[i] = (char)tolower((unsigned char)value[i]);
    return 0;
}

static bool holds(const json_t *identifiers, const char *value)
{
    json_t *one;
    size_t i;

    json_array_foreach (identifiers, i, one)
        if (strcmp(text_of(one, "value"), value) == 0)
            return true;
    return false;
}

static void reject(json_t *rejected, const json_t *given, enum problem problem, const char *why)
{
    json_t *one = problem_describe(problem, why);

    json_object_set(one, "identifier", (json_t *)given);
    json_array_append_new(rejected, one);
}

/* What we do not issue for is put with those that are rejected. */
static int take_identifier(struct call *call, const json_t *given, json_t *identifiers,
                           json_t *rejected)
{
    const char *type = text_of(given, "type"), *value = text_of(given, "value");
    char name[256], why[320];

    if (type == NULL || value == NULL || *value == '\0')
        return refuse(call, MALFORMED, "an identifier has a \"type\" and a \"value\"");
    if (strcmp(type, "dns") != 0 && strcmp(type, "ip") != 0)
        reject(rejected, given, UNSUPPORTED_IDENTIFIER,
               "identifiers of type dns and ip are known here");
    else if (canonical(type, value, name) < 0) {
        snprintf(why, sizeof why, "'%.260s' is no identifier of type %s", value, type);
        reject(rejected, given, REJECTED_IDENTIFIER, why);
    } else if (!holds(identifiers, name))
        json_array_append_new(identifiers, json_pack("{s:s, s:s}", "type", type, "value", name));
    return 0;
}

/* Each of them, or a refusal: of one that is malformed, or that tells of all that were rejected. */
static int take_each(struct call *call, const json_t *given, json_t *identifiers)
{
    json_t *rejected = json_array(), *one;
    int status = 0;
    size_t i;

    json_array_foreach (given, i, one) {
        if (status == 0)
            status = take_identifier(call, one, identifiers, rejected);
    }
    if (status == 0 && json_array_size(rejected) > 0) {
        problem_answer_with(call->answer, problem_of_several(rejected, "The order"));
        status = -1;
    }
    json_decref(rejected);
    return status;
}

/* NULL after a refusal. */
static json_t *take_identifiers(struct call *call, size_t most)
{
    json_t *given = json_object_get(call->payload, "identifiers");
    json_t *identifiers;

    if (!json_is_array(given) || json_array_size(given) == 0 || json_array_size(given) > most)
        return refuse(call, MALFORMED, "expected 1 to %zu identifiers", most), NULL;
    identifiers = json_array();
    if (take_each(call, given, identifiers) == 0)
        return identifiers;
    json_decref(identifiers);
    return NULL;
}

/* --- a new order -------------------------------------------------------------------------------- */

const struct profile *order_profile(const struct acme *acme, const json_t *order)
{
    return profile_find(acme->plan.profiles, text_of(order, "profile"));
}

static int add_authorizations(struct call *call, json_t *order)
{
    json_t *numbers = json_array(), *identifier;
    const struct profile *profile = order_profile(call->acme, order);
    struct error e;
    size_t i;

    json_object_set_new(order, "authorizations", numbers);
    json_array_foreach (json_object_get(order, "identifiers"), i, identifier) {
        int64_t number = authorization_for(call, identifier, profile, &e);

        if (number < 0)
            return broken(call, &e);
        json_array_append_new(numbers, json_integer(number));
    }
    return 0;
}

/* What an order goes by while it is open: kind "open-order", {"order": number}. */
static void open_name(const struct call *call, const json_t *order, char out[128])
{
    char set[SET_TEXT];

    identifiers_name(json_object_get(order, "identifiers"), set);
    snprintf(out, 128, "%lld %s %.40s", (long long)call->account_number, set,
             text_of(order, "profile"));
}

struct last {
    int64_t account, number; /* 0: none */
    json_t *order;
};

static void note_last(void *context, int64_t number, json_t *order)
{
    struct last *last = context;

    if (json_integer_value(json_object_get(order, "account")) != last->account)
        return;
    json_decref(last->order);
    last->order = json_incref(order);
    last->number = number;
}

/* The account's last one, whatever it is about and whatever has become of it. */
static int64_t last_order(const struct call *call, json_t **order)
{
    struct last last = {.account = call->account_number};

    store_each(call->store, "order", note_last, &last);
    *order = last.order;
    return last.number;
}

/* The number of an open order that is the same as this one; 0: there is none. */
static int64_t same_order(struct call *call, const json_t *order, json_t **same)
{
    char name[128];
    int64_t number;
    json_t *pointer;

    if (call->chosen.fault != NULL && call->chosen.fault->reuses_order)
        return last_order(call, same);
    if (!call->acme->plan.policy->reuse_orders || text_of(order, "replaces") != NULL)
        return 0;
    open_name(call, order, name);
    pointer = store_find(call->store, "open-order", name, &number);
    number = json_integer_value(json_object_get(pointer, "order"));
    json_decref(pointer);
    *same = number == 0 ? NULL : store_get(call->store, "order", number);
    if (*same != NULL && order_refresh(call, number, *same) == 0 &&
        (has_status(*same, "pending") || has_status(*same, "ready")))
        return number;
    json_decref(*same);
    *same = NULL;
    return 0;
}

static int note_open(struct call *call, const json_t *order, int64_t number)
{
    json_t *pointer = json_pack("{s:I}", "order", (json_int_t)number);
    struct error e;
    char name[128];
    int status;

    open_name(call, order, name);
    status = store_set(call->store, "open-order", name, pointer, &e);
    json_decref(pointer);
    return status < 0 ? broken(call, &e) : 0;
}

static int add_order(struct call *call, json_t *order)
{
    struct error e;
    int64_t number;

    if (limit_order(call, order) < 0 || add_authorizations(call, order) < 0)
        return -1;
    number = store_add(call->store, "order", NULL, order, &e);
    if (number < 0)
        return broken(call, &e);
    if (text_of(order, "replaces") != NULL && renewal_claim(call, order, number) < 0)
        return -1;
    if (call->acme->plan.policy->reuse_orders && note_open(call, order, number) < 0)
        return -1;
    /* with authorizations that are valid already, it is ready at once */
    return order_refresh(call, number, order) < 0 ? -1 : order_answer(call, 201, number, order);
}

int answer_new_order(struct call *call)
{
    const char *profile = text_of(call->payload, "profile");
    const char *replaces = text_of(call->payload, "replaces");
    const struct profile *terms = profile_find(call->acme->plan.profiles, profile);
    json_t *identifiers, *order, *same = NULL;
    int64_t number, expires;
    int status;

    if (json_object_get(call->payload, "notBefore") != NULL ||
        json_object_get(call->payload, "notAfter") != NULL)
        return refuse(call, MALFORMED, "dates are not for the client to choose here");
    if (terms == NULL)
        return refuse(call, INVALID_PROFILE, "there is no profile '%.100s'", profile);
    identifiers = take_identifiers(call, terms->names_most);
    if (identifiers == NULL)
        return -1;
    expires = call->now + terms->order;
    order = json_pack("{s:s, s:I, s:I, s:o, s:s}", "status", "pending", "account",
                      (json_int_t)call->account_number, "expires", (json_int_t)expires,
                      "identifiers", identifiers, "profile", terms->name);
    if (replaces != NULL)
        json_object_set_new(order, "replaces", json_string(replaces));
    number = same_order(call, order, &same);
    status = number != 0 ? order_answer(call, 201, number, same) : add_order(call, order);
    json_decref(order);
    json_decref(same);
    return status;
}
