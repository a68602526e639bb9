/* Authorizations and challenges: RFC 8555 section 7.5. */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "fakeca/acme_parts.h"

#define TOKEN_OCTETS 32

/* Which challenges there are for what. */
static const struct kind {
    const char *type;
    bool wildcard;
    bool offered[CHALLENGES];
} kinds[] = {
    {"dns", false, {[HTTP_01] = true, [DNS_01] = true, [TLS_ALPN_01] = true}},
    {"dns", true,  {[DNS_01] = true}                                        },
    {"ip",  false, {[HTTP_01] = true, [TLS_ALPN_01] = true}                 },
};

static json_t *new_challenges(const char *type, bool wildcard)
{
    unsigned char random[CHALLENGES][TOKEN_OCTETS];
    json_t *all = json_array();

    if (RAND_bytes(random[0], sizeof random) != 1)
        return all;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        for (int k = 0; k < CHALLENGES; k++) {
            char token[BASE64URL_TEXT(TOKEN_OCTETS)];

            if (strcmp(kinds[i].type, type) != 0 || kinds[i].wildcard != wildcard ||
                !kinds[i].offered[k])
                continue;
            json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "type", challenge_names[k],
                                                 "status", "pending", "token",
                                                 base64url(random[k], TOKEN_OCTETS, token)));
        }
    return all;
}

static int64_t authorization_new(struct call *call, const json_t *identifier,
                                 const struct profile *profile, struct error *e)
{
    const char *type = text_of(identifier, "type"), *value = text_of(identifier, "value");
    bool wildcard = strncmp(value, "*.", 2) == 0;
    int64_t expires = call->now + profile->pending;
    json_t *body =
        json_pack("{s:s, s:I, s:I, s:I, s:{s:s, s:s}, s:o}", "status", "pending", "account",
                  (json_int_t)call->account_number, "expires", (json_int_t)expires, "reuse",
                  (json_int_t)profile->reuse, "identifier", "type", type, "value",
                  wildcard ? value + 2 : value, "challenges", new_challenges(type, wildcard));
    int64_t number;

    if (wildcard)
        json_object_set_new(body, "wildcard", json_true());
    number = store_add(call->store, "authz", NULL, body, e);
    json_decref(body);
    return number;
}

/* --- used again --------------------------------------------------------------------------------- */

/* What the valid authorization of an account for a name goes by: kind "proof", {"authz": number}. */
static void proof_name(int64_t account, const char *name, char out[300])
{
    snprintf(out, 300, "%lld %s", (long long)account, name);
}

static int64_t proof_of(struct call *call, const char *name)
{
    char proof[300];
    int64_t number;
    json_t *pointer, *body;
    bool holds;

    proof_name(call->account_number, name, proof);
    pointer = store_find(call->store, "proof", proof, &number);
    number = json_integer_value(json_object_get(pointer, "authz"));
    json_decref(pointer);
    body = number == 0 ? NULL : store_get(call->store, "authz", number);
    holds = has_status(body, "valid") &&
            call->now < json_integer_value(json_object_get(body, "expires"));
    json_decref(body);
    return holds ? number : 0;
}

bool authorization_holds(struct call *call, const char *name)
{
    return proof_of(call, name) != 0;
}

int64_t authorization_for(struct call *call, const json_t *identifier,
                          const struct profile *profile, struct error *e)
{
    int64_t proof = call->acme->plan.policy->reuse_authorizations
                        ? proof_of(call, text_of(identifier, "value"))
                        : 0;

    return proof != 0 ? proof : authorization_new(call, identifier, profile, e);
}

/* Notes that it became valid: from now on it counts for as long as its profile says. */
static int keep_proof(struct acme *acme, int64_t number, json_t *body, int64_t now, struct error *e)
{
    const char *value = text_of(json_object_get(body, "identifier"), "value");
    bool wildcard = json_object_get(body, "wildcard") != NULL;
    json_t *pointer = json_pack("{s:I}", "authz", (json_int_t)number);
    json_int_t reuse = json_integer_value(json_object_get(body, "reuse"));
    char name[260], proof[300];
    int status;

    snprintf(name, sizeof name, "%s%s", wildcard ? "*." : "", value);
    proof_name(json_integer_value(json_object_get(body, "account")), name, proof);
    if (acme->plan.policy->caa)
        json_object_set_new(body, "caa", json_integer(now)); /* when it was looked at */
    json_object_set_new(body, "expires", json_integer(now + reuse));
    status = store_set(acme->plan.store, "proof", proof, pointer, e);
    json_decref(pointer);
    return status;
}

/* --- what they look like ------------------------------------------------------------------------ */

static void tell_challenge(const struct call *call, int64_t number, const json_t *challenge,
                           struct json_text *told)
{
    static const char *const kept[] = {"type", "status", "token", "error"};
    json_t *validated = json_object_get(challenge, "validated");

    json_text_open(told, NULL, '{');
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        json_text_value(told, kept[i], json_object_get(challenge, kept[i]));
    tell_url(call, told, "url", "/acme/challenge/%lld/%s", (long long)number,
             text_of(challenge, "type"));
    if (validated != NULL)
        tell_time(told, "validated", json_integer_value(validated));
    json_text_close(told, '}');
}

static void tell(const struct call *call, int64_t number, const json_t *body,
                 struct json_text *told)
{
    json_int_t expires = json_integer_value(json_object_get(body, "expires"));
    bool pending = has_status(body, "pending");
    bool late = (pending || has_status(body, "valid")) && call->now > expires;
    json_t *one;
    size_t i;

    json_text_open(told, NULL, '{');
    json_text_string(told, "status", late ? "expired" : text_of(body, "status"));
    json_text_value(told, "identifier", json_object_get(body, "identifier"));
    tell_time(told, "expires", expires);
    json_text_open(told, "challenges", '[');
    json_array_foreach (json_object_get(body, "challenges"), i, one) {
        /* once it is decided, only what decided it: section 7.1.4 */
        if ((pending && !late) || !has_status(one, "pending"))
            tell_challenge(call, number, one, told);
    }
    json_text_close(told, ']');
    json_text_value(told, "wildcard", json_object_get(body, "wildcard"));
    json_text_close(told, '}');
}

/* --- authorizations ----------------------------------------------------------------------------- */

/* What was found out to be invalid stays so: the states of section 7.1.6. */
static int deactivate(struct call *call, json_t *body)
{
    const char *wanted = text_of(call->payload, "status");
    struct error e;

    if (wanted == NULL || strcmp(wanted, "deactivated") != 0)
        return refuse(call, MALFORMED,
                      "an authorization can be made deactivated, and nothing else");
    if (has_status(body, "invalid"))
        return refuse(call, MALFORMED, "the authorization is invalid already");
    set_status(body, wanted);
    return store_put(call->store, "authz", call->number, body, &e) < 0 ? broken(call, &e) : 0;
}

int answer_authorization(struct call *call)
{
    json_t *body = own(call, "authz", call->number);
    struct json_text told = {0};
    int status;

    if (body == NULL)
        return -1;
    status = call->payload == NULL ? 0 : deactivate(call, body);
    if (status == 0) {
        tell(call, call->number, body, &told);
        status = answer_json(call, 200, &told);
    }
    json_decref(body);
    return status;
}

/* --- challenges --------------------------------------------------------------------------------- */

static json_t *challenge_named(const json_t *body, const char *name)
{
    json_t *one;
    size_t i;

    json_array_foreach (json_object_get(body, "challenges"), i, one)
        if (strcmp(text_of(one, "type"), name) == 0)
            return one;
    return NULL;
}

/* The fault that the validation of a challenge meets. */
static struct chosen meet(const struct acme *acme, const json_t *body, const json_t *challenge)
{
    const json_t *identifier = json_object_get(body, "identifier");
    const char *type = text_of(challenge, "type");
    struct subject subject = {
        .endpoint = "validation",
        .account = json_integer_value(json_object_get(body, "account")),
        .names = json_pack("[s]", text_of(identifier, "value")),
        .traits = (strcmp(type, challenge_names[HTTP_01]) == 0 ? OVER_HTTP : 0) |
                  (strcmp(type, challenge_names[DNS_01]) == 0 ? 0 : CONNECTS) |
                  (strcmp(text_of(identifier, "type"), "ip") == 0 ? 0 : BY_NAME),
        .now = acme->plan.now(acme->plan.context),
    };
    struct chosen chosen = misbehaviour_choose(acme->plan.misbehaviour, &subject);

    json_decref((json_t *)subject.names);
    return chosen;
}

/* What that does to it. */
static struct detour detour_of(const json_t *challenge)
{
    struct chosen met = chosen_kept(json_object_get(challenge, "met"));
    struct detour detour = met.fault == NULL ? (struct detour){0} : met.fault->detour;

    if (detour.estranged != 0)
        detour.estranged = met.perspectives;
    return detour;
}

/* Sends the validator out for a challenge that is in processing. */
static int send_out(struct acme *acme, int64_t number, const json_t *body, const json_t *challenge,
                    const json_t *account, struct error *e)
{
    const json_t *identifier = json_object_get(body, "identifier");
    const char *token = text_of(challenge, "token");
    char thumbprint[THUMBPRINT_TEXT], key_authorization[KEY_AUTHORIZATION_TEXT];
    struct validation validation = {
        .authorization = number,
        .account = json_integer_value(json_object_get(body, "account")),
        .identifier = text_of(identifier, "value"),
        .token = token,
        .key_authorization = key_authorization,
        .wildcard = json_object_get(body, "wildcard") != NULL,
        .detour = detour_of(challenge),
    };

    if (jwk_thumbprint(json_object_get(account, "jwk"), thumbprint, e) < 0)
        return -1;
    snprintf(key_authorization, sizeof key_authorization, "%s.%s", token, thumbprint);
    for (int k = 0; k < CHALLENGES; k++)
        if (strcmp(challenge_names[k], text_of(challenge, "type")) == 0) {
            validation.challenge = (enum challenge)k;
            return validate_start(acme->plan.validator, &validation, e);
        }
    return failed(e, "an unknown kind of challenge");
}

static int start(struct call *call, json_t *body, json_t *challenge)
{
    struct chosen met;
    struct error e;

    if (!has_status(body, "pending") || !has_status(challenge, "pending"))
        return 0; /* asked twice: what there is, is told */
    if (call->now > json_integer_value(json_object_get(body, "expires")))
        return refuse(call, MALFORMED, "the authorization has expired");
    set_status(challenge, "processing");
    met = meet(call->acme, body, challenge);
    if (met.fault != NULL)
        json_object_set_new(challenge, "met", chosen_keep(&met));
    if (store_put(call->store, "authz", call->number, body, &e) < 0 ||
        send_out(call->acme, call->number, body, challenge, call->account, &e) < 0)
        return broken(call, &e);
    return 0;
}

int answer_challenge(struct call *call)
{
    json_t *body = own(call, "authz", call->number);
    json_t *challenge =
        body == NULL || *call->rest != '/' ? NULL : challenge_named(body, call->rest + 1);
    struct json_text told = {0};
    char url[URL_TEXT];
    int status = -1;

    if (body != NULL && challenge == NULL)
        refuse(call, NO_SUCH_THING, "there is no such challenge");
    else if (body != NULL && (call->payload == NULL || start(call, body, challenge) == 0)) {
        url_of(call, url, "/acme/authz/%lld", (long long)call->number);
        http_answer_field(call->answer, "Link", "<%s>;rel=\"up\"", url);
        if (has_status(challenge, "processing"))
            http_answer_field(call->answer, "Retry-After", "1");
        tell_challenge(call, call->number, challenge, &told);
        status = answer_json(call, 200, &told);
    }
    json_decref(body);
    return status;
}

/* --- what came of it ---------------------------------------------------------------------------- */

static json_t *in_processing(const json_t *body)
{
    json_t *one;
    size_t i;

    json_array_foreach (json_object_get(body, "challenges"), i, one)
        if (has_status(one, "processing"))
            return one;
    return NULL;
}

/* What a verdict changes besides the authorization itself. */
static int note_verdict(struct acme *acme, int64_t number, json_t *body, bool good, struct error *e)
{
    int64_t now = acme->plan.now(acme->plan.context);
    int64_t account = json_integer_value(json_object_get(body, "account"));
    const char *value = text_of(json_object_get(body, "identifier"), "value");

    if (good && keep_proof(acme, number, body, now, e) < 0)
        return -1;
    return limit_judged(acme, account, value, good, now, e);
}

static int decide(struct acme *acme, int64_t number, int problem, const char *detail,
                  struct error *e)
{
    json_t *body = store_get(acme->plan.store, "authz", number);
    json_t *challenge = in_processing(body);
    bool good = problem == VALIDATION_GOOD;
    int status = 0;

    if (challenge != NULL && has_status(body, "pending")) { /* else it was deactivated meanwhile */
        json_object_del(challenge, "met");
        set_status(challenge, good ? "valid" : "invalid");
        set_status(body, good ? "valid" : "invalid");
        json_object_set_new(challenge, "validated",
                            json_integer(acme->plan.now(acme->plan.context)));
        if (!good) {
            json_t *error = problem_describe((enum problem)problem, detail);

            json_object_set_new(error, "identifier",
                                json_incref(json_object_get(body, "identifier")));
            json_object_set(challenge, "error", error);
            json_object_set_new(body, "error", error);
        }
        status = note_verdict(acme, number, body, good, e);
        if (status == 0)
            status = store_put(acme->plan.store, "authz", number, body, e);
    }
    json_decref(body);
    return status;
}

void acme_validated(void *context, int64_t authorization, int problem, const char *detail)
{
    struct acme *acme = context;
    struct error e;
    int rechecked;

    store_begin(acme->plan.store);
    rechecked = recheck_judged(acme, authorization, problem, detail, &e);
    if ((rechecked != 0 ? rechecked > 0 : decide(acme, authorization, problem, detail, &e) == 0) &&
        store_done(acme->plan.store, &e) == 0)
        return;
    store_rollback(acme->plan.store);
    fprintf(stderr, "fakeca: %s\n", e.text);
}

static void take_up(void *context, int64_t number, json_t *body)
{
    struct acme *acme = context;
    const json_t *challenge = has_status(body, "pending") ? in_processing(body) : NULL;
    json_t *account;
    struct error e;

    if (challenge == NULL)
        return;
    account = store_get(acme->plan.store, "account",
                        json_integer_value(json_object_get(body, "account")));
    if (send_out(acme, number, body, challenge, account, &e) < 0)
        fprintf(stderr, "fakeca: %s\n", e.text);
    json_decref(account);
}

void acme_resume(struct acme *acme)
{
    store_each(acme->plan.store, "authz", take_up, acme);
    recheck_resume(acme);
}
