#include "fakeca/acme.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/acme_parts.h"
#include "fakeca/caa.h"
#include "fakeca/renewal.h"
#include "testbed/wire/moment.h"

/* --- answers ------------------------------------------------------------------------------------ */

int refuse(struct call *call, enum problem problem, const char *format, ...)
{
    char detail[1024];
    va_list list;

    va_start(list, format);
    vsnprintf(detail, sizeof detail, format, list);
    va_end(list);
    problem_answer(call->answer, problem, detail);
    return -1;
}

int broken(struct call *call, const struct error *e)
{
    fprintf(stderr, "fakeca: %s\n", e->text);
    return refuse(call, SERVER_INTERNAL, "the authority cannot do that now");
}

static void print_url(const struct call *call, char out[URL_TEXT], const char *format, va_list list)
{
    char *path = stpcpy(stpcpy(out, "https://"), call->request->host);

    vsnprintf(path, URL_TEXT - (size_t)(path - out), format, list);
}

void url_of(const struct call *call, char out[URL_TEXT], const char *format, ...)
{
    va_list list;

    va_start(list, format);
    print_url(call, out, format, list);
    va_end(list);
}

void tell_url(const struct call *call, struct json_text *told, const char *name, const char *format,
              ...)
{
    char url[URL_TEXT];
    va_list list;

    va_start(list, format);
    print_url(call, url, format, list);
    va_end(list);
    json_text_string(told, name, url);
}

void tell_time(struct json_text *told, const char *name, int64_t seconds)
{
    char text[MOMENT_TEXT];

    moment_format(seconds, text);
    json_text_string(told, name, text);
}

int answer_json(struct call *call, int status, struct json_text *told)
{
    char *text = misbehave_retell(&call->chosen, json_text_take(told));

    call->answer->status = status;
    http_answer_body(call->answer, "application/json", text, text == NULL ? 0 : strlen(text));
    return text == NULL ? -1 : 0;
}

/* --- things ------------------------------------------------------------------------------------- */

const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

bool has_status(const json_t *object, const char *status)
{
    const char *is = text_of(object, "status");

    return is != NULL && strcmp(is, status) == 0;
}

void set_status(json_t *object, const char *status)
{
    json_object_set_new(object, "status", json_string(status));
}

struct ledger *ledger_of(const struct call *call, struct error *e)
{
    const struct acme_plan *plan = &call->acme->plan;

    return plan->ledger != NULL ? plan->ledger(plan->context, e)
                                : (failed(e, "there is no ledger"), NULL);
}

json_t *own(struct call *call, const char *kind, int64_t number)
{
    json_t *thing = store_get(call->store, kind, number);

    if (thing == NULL)
        return refuse(call, NO_SUCH_THING, "there is no such %s", kind), NULL;
    if (json_integer_value(json_object_get(thing, "account")) == call->account_number)
        return thing;
    json_decref(thing);
    return refuse(call, UNAUTHORIZED, "that %s belongs to another account", kind), NULL;
}

/* --- the directory and nonces ------------------------------------------------------------------- */

static int answer_directory(struct call *call);

static int answer_new_nonce(struct call *call)
{
    call->answer->status = strcmp(call->request->method, "HEAD") == 0 ? 200 : 204;
    http_answer_field(call->answer, "Cache-Control", "no-store");
    return 0;
}

/* Number 2 is what the fault terms-changed leads to. */
static int answer_terms(struct call *call)
{
    static const char text[] = "This is a rehearsal. Nobody is to rely on what is signed here.\n";

    if (strcmp(call->rest, "1") != 0 && strcmp(call->rest, "2") != 0)
        return refuse(call, NO_SUCH_THING, "there are terms 1 and 2");
    call->answer->status = 200;
    http_answer_copy(call->answer, "text/plain", text, sizeof text - 1);
    return 0;
}

/* clang-format off */
static const struct endpoint endpoints[] = {
    {"directory",   "/directory",          "GET, HEAD, POST", SIGNED_AT_WILL, NULL, false, answer_directory},
    {"newNonce",    "/acme/new-nonce",     "GET, HEAD, POST", SIGNED_AT_WILL, NULL, true, answer_new_nonce},
    {"newAccount",  "/acme/new-account",   "POST",            SIGNED_BY_KEY,     NULL, true, answer_new_account},
    {"newOrder",    "/acme/new-order",     "POST",            SIGNED_BY_ACCOUNT, NULL, true, answer_new_order},
    {"revokeCert",  "/acme/revoke-cert",   "POST",            SIGNED_BY_EITHER,  NULL, true, answer_revoke},
    {"keyChange",   "/acme/key-change",    "POST",            SIGNED_BY_ACCOUNT, NULL, true, answer_key_change},
    {"account",     "/acme/account/",      "POST",            SIGNED_BY_ACCOUNT, "account", false, answer_account},
    {"orders",      "/acme/orders/",       "POST",            SIGNED_BY_ACCOUNT, "account", false, answer_orders},
    {"order",       "/acme/order/",        "POST",            SIGNED_BY_ACCOUNT, "order", false, answer_order},
    {"authz",       "/acme/authz/",        "POST",            SIGNED_BY_ACCOUNT, "authz", false, answer_authorization},
    {"challenge",   "/acme/challenge/",    "POST",            SIGNED_BY_ACCOUNT, "authz", false, answer_challenge},
    {"finalize",    "/acme/finalize/",     "POST",            SIGNED_BY_ACCOUNT, "order", false, answer_finalize},
    {"certificate", "/acme/certificate/",  "POST",            SIGNED_BY_ACCOUNT, "certificate", false, answer_certificate},
    {"renewalInfo", "/acme/renewal-info/", "GET, HEAD",       SIGNED_BY_NOBODY,  NULL, true, answer_renewal_info},
    {"terms",       "/terms/",             "GET, HEAD",       SIGNED_BY_NOBODY,  NULL, false, answer_terms},
};
/* clang-format on */

static void tell_profile(struct json_text *told, const struct profile *profile)
{
    char lasts[DURATION_TEXT], what[DURATION_TEXT + 32];

    if (profile->withdrawn)
        return;
    duration_format(profile->lifetime * NANOSECONDS, lasts);
    snprintf(what, sizeof what, "%s, %s common name", lasts,
             profile->no_common_name ? "no" : "with a");
    json_text_string(told, profile->name, what);
}

static void tell_meta(const struct call *call, struct json_text *told)
{
    const struct acme_plan *plan = &call->acme->plan;

    json_text_open(told, "meta", '{');
    tell_url(call, told, "termsOfService", "/terms/1");
    json_text_bool(told, "externalAccountRequired", plan->policy->eab_required);
    json_text_open(told, "caaIdentities", '[');
    json_text_string(told, NULL, CAA_IDENTITY);
    json_text_close(told, ']');
    json_text_open(told, "profiles", '{');
    for (size_t i = 0; i < plan->profiles->count; i++)
        tell_profile(told, &plan->profiles->all[i]);
    json_text_close(told, '}');
    json_text_close(told, '}');
}

/* What the paths of its entries begin with now: nothing, unless a fault has moved them. */
static const char *place_of(const struct acme *acme, char out[32])
{
    *out = '\0';
    if (acme->place > 0)
        snprintf(out, 32, "/moved-%u", acme->place);
    return out;
}

static int answer_directory(struct call *call)
{
    struct acme *acme = call->acme;
    struct json_text told = {0};
    char place[32];

    acme->place = call->chosen.fault != NULL && call->chosen.fault->moves ? ++acme->places : 0;
    place_of(acme, place);
    json_text_open(&told, NULL, '{');
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        size_t length = strlen(endpoints[i].path);

        length -= endpoints[i].path[length - 1] == '/';
        if (endpoints[i].listed)
            tell_url(call, &told, endpoints[i].name, "%s%.*s", place, (int)length,
                     endpoints[i].path);
    }
    tell_meta(call, &told);
    json_text_close(&told, '}');
    return answer_json(call, 200, &told);
}

/* --- the envelope ------------------------------------------------------------------------------- */

static bool number_of(const char *text, int64_t *number, const char **rest)
{
    char *end;

    if (*text < '1' || *text > '9' || strcspn(text, "/") > 18)
        return false;
    *number = strtoll(text, &end, 10);
    *rest = end;
    return *end == '\0' || *end == '/';
}

static bool is_one_of(const char *word, const char *words)
{
    size_t length = strlen(word);

    for (const char *at = words; *at != '\0'; at += strcspn(at, ", "), at += strspn(at, ", "))
        if (strcspn(at, ", ") == length && strncmp(at, word, length) == 0)
            return true;
    return false;
}

static int refuse_method(struct call *call)
{
    http_answer_field(call->answer, "Allow", "%s", call->endpoint->methods);
    return refuse(call, METHOD_NOT_ALLOWED, "%s answers %s", call->endpoint->name,
                  call->endpoint->methods);
}

static int find_endpoint(struct call *call)
{
    char place[32];
    size_t moved = strlen(place_of(call->acme, place));

    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        const struct endpoint *endpoint = &endpoints[i];
        const char *target = call->request->target;
        size_t length = strlen(endpoint->path);
        bool prefix = endpoint->path[length - 1] == '/';

        if (endpoint->listed && strncmp(target, place, moved) != 0)
            continue;
        target += endpoint->listed ? moved : 0;
        if (strncmp(target, endpoint->path, length) != 0 || (!prefix && target[length] != '\0'))
            continue;
        call->endpoint = endpoint;
        call->rest = target + length;
        if (endpoint->thing != NULL && !number_of(call->rest, &call->number, &call->rest))
            break;
        return is_one_of(call->request->method, endpoint->methods) ? 0 : refuse_method(call);
    }
    return refuse(call, NO_SUCH_THING, "there is nothing here; /directory tells what there is");
}

static int find_account(struct call *call)
{
    /* the host is not compared: after a restart on another port an account is the same */
    const char *path = strstr(call->jws.kid, "/acme/account/");
    const char *rest = "?";
    struct error e;

    if (path != NULL && number_of(path + strlen("/acme/account/"), &call->account_number, &rest) &&
        *rest == '\0')
        call->account = store_get(call->store, "account", call->account_number);
    if (call->account == NULL)
        return refuse(call, ACCOUNT_DOES_NOT_EXIST, "there is no account '%.200s'", call->jws.kid);
    call->signer = keyring_key(&call->acme->keyring, call->account_number,
                               json_object_get(call->account, "jwk"), &e);
    return call->signer == NULL ? broken(call, &e) : 0;
}

static int find_key(struct call *call)
{
    static const char *const brought[] = {[SIGNED_AT_WILL] = "kid",
                                          [SIGNED_BY_KEY] = "jwk",
                                          [SIGNED_BY_ACCOUNT] = "kid",
                                          [SIGNED_BY_EITHER] = NULL};
    const char *needed = brought[call->endpoint->signer];
    struct error e;

    if (needed != NULL && json_object_get(call->jws.protected_header, needed) == NULL)
        return refuse(call, MALFORMED, "%s is signed with a \"%s\"", call->endpoint->name, needed);
    if (call->jws.kid != NULL)
        return find_account(call);
    call->brought.key = jwk_key(call->jws.jwk, &e);
    call->signer = &call->brought;
    return call->brought.key == NULL ? refuse(call, BAD_PUBLIC_KEY, "%s", e.text) : 0;
}

static bool is_base64url(const char *text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_";

    return text[strspn(text, alphabet)] == '\0';
}

static int check_signed(struct call *call)
{
    char url[URL_TEXT];
    struct error e;

    if (jws_verify(&call->jws, call->signer, &e) < 0)
        return refuse(call, MALFORMED, "%s", e.text);
    url_of(call, url, "%s", call->request->target);
    if (call->jws.url == NULL || strcmp(call->jws.url, url) != 0)
        return refuse(call, UNAUTHORIZED, "the signed \"url\" is '%.200s', expected '%.200s'",
                      call->jws.url == NULL ? "" : call->jws.url, url);
    if (call->jws.nonce != NULL && !is_base64url(call->jws.nonce))
        return refuse(call, MALFORMED, "the \"nonce\" is not base64url");
    if (call->jws.nonce == NULL || !nonce_spend(&call->acme->nonces, call->jws.nonce))
        return refuse(call, BAD_NONCE, "the nonce is none of ours, or was used before");
    /* 403 as at Boulder and pebble, where RFC 8555 section 7.3.6 has 401: which RFC 9110 wants to come with a
     * WWW-Authenticate, and which libraries of HTTP take for a matter of their own */
    if (call->account != NULL && !has_status(call->account, "valid"))
        return refuse(call, UNAUTHORIZED, "the account is %s", text_of(call->account, "status"));
    call->payload = call->jws.payload;
    return 0;
}

/* With those that are accepted: RFC 8555 section 6.2. */
static int refuse_algorithm(struct call *call, const char *why)
{
    json_t *document = problem_describe(BAD_SIGNATURE_ALGORITHM, why), *names = json_array();
    const char *name;

    for (size_t i = 0; (name = algorithm_name(i)) != NULL; i++)
        json_array_append_new(names, json_string(name));
    json_object_set_new(document, "algorithms", names);
    problem_answer_with(call->answer, document);
    return -1;
}

/* Of a payload's members, those that are used wherever they stand: one of another type is not taken for none. */
static int check_members(struct call *call)
{
    static const struct {
        const char *name;
        bool text; /* else a boolean */
    } members[] = {
        {"onlyReturnExisting",   false},
        {"profile",              true },
        {"replaces",             true },
        {"status",               true },
        {"termsOfServiceAgreed", false},
    };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *value = json_object_get(call->payload, members[i].name);

        if (value != NULL && !json_is_null(value) &&
            !(members[i].text ? json_is_string(value) : json_is_boolean(value)))
            return refuse(call, MALFORMED, "\"%s\" is of the wrong type, expected a %s",
                          members[i].name, members[i].text ? "text" : "boolean");
    }
    return 0;
}

static int open_envelope(struct call *call)
{
    enum jws_fault fault;
    struct error e;

    if (strcmp(call->request->content_type, "application/jose+json") != 0)
        return refuse(call, UNSUPPORTED_MEDIA_TYPE, "expected application/jose+json");
    if (jws_parse(call->request->body, call->request->body_length, &call->jws, &fault, &e) < 0)
        return fault == JWS_ALGORITHM ? refuse_algorithm(call, e.text)
                                      : refuse(call, MALFORMED, "%s", e.text);
    return find_key(call) < 0 || check_signed(call) < 0 ? -1 : check_members(call);
}

/* --- one request -------------------------------------------------------------------------------- */

/* The names that a request is about, and the serial number: NULL where it is about none. */
static json_t *subject_names(struct call *call, json_t *thing)
{
    json_t *names = json_array(), *one;
    json_t *identifiers = json_object_get(thing == NULL ? call->payload : thing, "identifiers");
    size_t i;

    json_array_foreach (identifiers, i, one)
        if (text_of(one, "value") != NULL)
            json_array_append(names, json_object_get(one, "value"));
    one = json_object_get(json_object_get(thing, "identifier"), "value");
    if (one != NULL)
        json_array_append(names, one);
    json_array_extend(names, json_object_get(thing, "names"));
    return names;
}

/* What stands in the store for the thing that a request is about, or NULL. */
static json_t *subject_thing(struct call *call)
{
    int64_t number;

    if (call->endpoint->thing != NULL)
        return store_get(call->store, call->endpoint->thing, call->number);
    return call->endpoint->answer == answer_renewal_info
               ? renewal_certificate(call, call->rest, &number)
               : NULL;
}

static unsigned traits_of(const struct call *call, const json_t *thing, const json_t *names)
{
    return (text_of(call->payload, "replaces") == NULL ? 0 : REPLACES) |
           (json_array_size(names) > 1 ? SEVERAL : 0) |
           (json_object_get(thing, "wildcard") == NULL ? 0 : WILD) |
           (authority_crosses(call->acme->plan.authority) > 0 ? CROSSED : 0);
}

static void choose(struct call *call)
{
    struct misbehaviour *misbehaviour = call->acme->plan.misbehaviour;
    bool looks = misbehaviour_needs_details(misbehaviour);
    json_t *thing = looks ? subject_thing(call) : NULL;
    json_t *names = looks ? subject_names(call, thing) : NULL;
    struct subject subject = {
        .endpoint = call->endpoint->name,
        .account = call->account_number,
        .names = names,
        .serial = text_of(thing, "serial"),
        .traits = looks ? traits_of(call, thing, names) : 0,
        .now = call->now,
    };

    call->chosen = misbehaviour_choose(misbehaviour, &subject);
    json_decref(names);
    json_decref(thing);
}

static bool is_signed(const struct call *call)
{
    enum signer_kind signer = call->endpoint->signer;

    return signer != SIGNED_BY_NOBODY &&
           (signer != SIGNED_AT_WILL || strcmp(call->request->method, "POST") == 0);
}

static int run(struct call *call)
{
    if (find_endpoint(call) < 0)
        return -1;
    if (is_signed(call) && open_envelope(call) < 0)
        return -1;
    if (call->endpoint->signer == SIGNED_AT_WILL && call->payload != NULL)
        return refuse(call, MALFORMED, "%s is read with an empty payload", call->endpoint->name);
    choose(call);
    return misbehave_instead(&call->chosen, call->answer) ? -1 : call->endpoint->answer(call);
}

static void run_as_step(struct call *call)
{
    struct error e;

    store_begin(call->store);
    if (run(call) < 0)
        store_rollback(call->store);
    else if (store_done(call->store, &e) < 0) {
        store_rollback(call->store);
        broken(call, &e);
    }
}

static void add_nonce(struct acme *acme, struct http_answer *answer)
{
    char nonce[NONCE_TEXT];

    nonce_new(&acme->nonces, nonce);
    http_answer_field(answer, "Replay-Nonce", "%s", nonce);
}

static void add_common_fields(struct call *call)
{
    char url[URL_TEXT];

    add_nonce(call->acme, call->answer);
    url_of(call, url, "/directory");
    http_answer_field(call->answer, "Link", "<%s>;rel=\"index\"", url);
}

void acme_answer(void *context, const struct http_request *request, struct http_answer *answer)
{
    struct acme *acme = context;
    struct call call = {
        .acme = acme,
        .store = acme->plan.store,
        .request = request,
        .answer = answer,
        .now = acme->plan.now(acme->plan.context),
    };

    run_as_step(&call);
    misbehaviour_keep(acme->plan.misbehaviour);
    add_common_fields(&call);
    misbehave_after(&call.chosen, answer);
    jws_free(&call.jws);
    verifier_close(&call.brought);
    json_decref(call.account);
}

void acme_refuse(void *context, struct http_answer *answer)
{
    problem_answer_as(answer, MALFORMED, answer->status, http_answer_reason(answer->status));
    add_nonce(context, answer);
}

bool acme_holds(void *context)
{
    return store_waits(((const struct acme *)context)->plan.store);
}

/* --- beginning and ending ----------------------------------------------------------------------- */

struct acme *acme_new(const struct acme_plan *plan, struct error *e)
{
    struct acme *acme = calloc(1, sizeof *acme);

    if (acme == NULL)
        return failed(e, "out of memory"), NULL;
    acme->plan = *plan;
    policy_usual(&acme->usual);
    if (plan->policy == NULL)
        acme->plan.policy = &acme->usual;
    acme->mint = mint_new(plan->authority, e);
    if (acme->mint != NULL && nonces_open(&acme->nonces, e) == 0)
        return acme;
    acme_free(acme);
    return NULL;
}

void acme_free(struct acme *acme)
{
    if (acme != NULL) {
        recheck_clear(acme);
        keyring_clear(&acme->keyring);
        mint_free(acme->mint);
        nonces_close(&acme->nonces);
    }
    free(acme);
}
