/* Accounts: RFC 8555 section 7.3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/acme_parts.h"
#include "fakeca/eab.h"

#define CONTACTS_MOST 10
#define ORDERS_PAGE   50

static int answer_with(struct call *call, int status, int64_t number, const json_t *account)
{
    static const char *const kept[] = {"status", "contact", "externalAccountBinding"};
    struct json_text told = {0};
    char url[URL_TEXT];

    url_of(call, url, "/acme/account/%lld", (long long)number);
    http_answer_field(call->answer, "Location", "%s", url);
    json_text_open(&told, NULL, '{');
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        json_text_value(&told, kept[i], json_object_get(account, kept[i]));
    tell_url(call, &told, "orders", "/acme/orders/%lld", (long long)number);
    json_text_close(&told, '}');
    return answer_json(call, status, &told);
}

/* The contacts that a payload names; NULL after a refusal. */
static json_t *contacts(struct call *call)
{
    json_t *given = json_object_get(call->payload, "contact"), *one;
    size_t i;

    if (given == NULL || json_is_null(given))
        return json_array();
    if (!json_is_array(given) || json_array_size(given) > CONTACTS_MOST)
        return refuse(call, INVALID_CONTACT, "expected an array of at most %d contacts",
                      CONTACTS_MOST),
               NULL;
    json_array_foreach (given, i, one) {
        const char *text = json_string_value(one);

        if (text == NULL || strncmp(text, "mailto:", 7) != 0)
            return refuse(call, UNSUPPORTED_CONTACT,
                          "expected contacts like mailto:admin@shop.test"),
                   NULL;
        if (strchr(text + 7, '@') == NULL || strcspn(text, " ,?\"<>") != strlen(text) ||
            strlen(text) > 320)
            return refuse(call, INVALID_CONTACT, "'%.100s' is not one address", text), NULL;
    }
    return json_incref(given);
}

/* The directory tells of terms, so that nobody gets an account who does not agree to them: section 7.3. */
static int refuse_terms(struct call *call)
{
    char url[URL_TEXT];

    url_of(call, url, "/terms/1");
    http_answer_field(call->answer, "Link", "<%s>;rel=\"terms-of-service\"", url);
    return refuse(call, USER_ACTION_REQUIRED,
                  "expected \"termsOfServiceAgreed\": true, to the terms at %s", url);
}

static int create(struct call *call, const char *thumbprint)
{
    json_t *contact, *account;
    struct error e;
    int64_t number;
    int status;

    if (json_is_true(json_object_get(call->payload, "onlyReturnExisting")))
        return refuse(call, ACCOUNT_DOES_NOT_EXIST, "this key has no account");
    if (!json_is_true(json_object_get(call->payload, "termsOfServiceAgreed")))
        return refuse_terms(call);
    contact = contacts(call);
    if (contact == NULL)
        return -1;
    account = json_pack("{s:s, s:o, s:O, s:I}", "status", "valid", "contact", contact, "jwk",
                        call->jws.jwk, "created", (json_int_t)call->now);
    status = eab_check(call, account) < 0 || limit_account(call) < 0 ? -1 : 0;
    number = status < 0 ? 0 : store_add(call->store, "account", thumbprint, account, &e);
    if (status == 0)
        status = number < 0 ? broken(call, &e) : answer_with(call, 201, number, account);
    json_decref(account);
    return status;
}

int answer_new_account(struct call *call)
{
    char thumbprint[THUMBPRINT_TEXT];
    struct error e;
    json_t *account;
    int64_t number;
    int status;

    if (call->payload == NULL)
        return refuse(call, MALFORMED, "expected a payload");
    if (jwk_thumbprint(call->jws.jwk, thumbprint, &e) < 0)
        return refuse(call, BAD_PUBLIC_KEY, "%s", e.text);
    account = store_find(call->store, "account", thumbprint, &number);
    if (account == NULL)
        return create(call, thumbprint);
    if (has_status(account, "valid"))
        status = answer_with(call, 200, number, account);
    else
        status = refuse(call, UNAUTHORIZED, "the account is %s", text_of(account, "status"));
    json_decref(account);
    return status;
}

/* What else a client may say is passed over: section 7.3.2. */
static int change(struct call *call)
{
    const char *status = text_of(call->payload, "status");
    struct error e;

    if (status != NULL && strcmp(status, "deactivated") == 0)
        set_status(call->account, status);
    if (json_object_get(call->payload, "contact") != NULL) {
        json_t *contact = contacts(call);

        if (contact == NULL)
            return -1;
        json_object_set_new(call->account, "contact", contact);
    }
    return store_put(call->store, "account", call->account_number, call->account, &e) < 0
               ? broken(call, &e)
               : 0;
}

int answer_account(struct call *call)
{
    if (call->number != call->account_number)
        return refuse(call, UNAUTHORIZED, "that is another account");
    if (call->payload != NULL && change(call) < 0)
        return -1;
    return answer_with(call, 200, call->account_number, call->account);
}

/* --- orders ------------------------------------------------------------------------------------- */

struct listing {
    const struct call *call;
    struct json_text told;
    size_t count;
    int64_t after; /* numbers beyond this one */
    int64_t last;  /* on the page */
    bool more;
};

static void list_order(void *context, int64_t number, json_t *order)
{
    struct listing *listing = context;

    /* those that came to nothing are not listed: section 7.1.2.1 */
    if (number <= listing->after || has_status(order, "invalid") ||
        json_integer_value(json_object_get(order, "account")) != listing->call->account_number)
        return;
    if (listing->count == ORDERS_PAGE) {
        listing->more = true;
        return;
    }
    listing->last = number;
    listing->count++;
    tell_url(listing->call, &listing->told, NULL, "/acme/order/%lld", (long long)number);
}

int answer_orders(struct call *call)
{
    struct listing listing = {.call = call};
    char url[URL_TEXT];

    if (call->number != call->account_number)
        return refuse(call, UNAUTHORIZED, "that is another account");
    if (*call->rest == '/')
        listing.after = strtoll(call->rest + 1, NULL, 10);
    json_text_open(&listing.told, NULL, '{');
    json_text_open(&listing.told, "orders", '[');
    store_each(call->store, "order", list_order, &listing);
    json_text_close(&listing.told, ']');
    json_text_close(&listing.told, '}');
    if (listing.more) {
        url_of(call, url, "/acme/orders/%lld/%lld", (long long)call->number,
               (long long)listing.last);
        http_answer_field(call->answer, "Link", "<%s>;rel=\"next\"", url);
    }
    return answer_json(call, 200, &listing.told);
}

/* --- key change: section 7.3.5 ------------------------------------------------------------------ */

static int check_inner(struct call *call, const struct jws *inner)
{
    const json_t *old = json_object_get(inner->payload, "oldKey");
    const char *account = text_of(inner->payload, "account");
    char given[THUMBPRINT_TEXT], known[THUMBPRINT_TEXT];
    struct verifier signer = {0};
    struct error e;
    int status;

    if (inner->jwk == NULL)
        return refuse(call, MALFORMED, "the inner JWS brings the new key, as its \"jwk\"");
    if (inner->nonce != NULL || inner->url == NULL || strcmp(inner->url, call->jws.url) != 0)
        return refuse(call, MALFORMED, "the inner JWS has the outer one's \"url\", and no nonce");
    if (account == NULL || strcmp(account, call->jws.kid) != 0)
        return refuse(call, MALFORMED, "the inner JWS is about another account");
    if (jwk_thumbprint(old, given, &e) < 0 ||
        jwk_thumbprint(json_object_get(call->account, "jwk"), known, &e) < 0 ||
        strcmp(given, known) != 0)
        return refuse(call, MALFORMED, "\"oldKey\" is not the account's key");
    signer.key = jwk_key(inner->jwk, &e);
    if (signer.key == NULL)
        return refuse(call, BAD_PUBLIC_KEY, "%s", e.text);
    status =
        jws_verify(inner, &signer, &e) < 0 ? refuse(call, MALFORMED, "inner JWS: %s", e.text) : 0;
    verifier_close(&signer);
    return status;
}

static int take_key(struct call *call, const struct jws *inner)
{
    char thumbprint[THUMBPRINT_TEXT], url[URL_TEXT];
    json_t *other;
    int64_t number;
    struct error e;

    if (jwk_thumbprint(inner->jwk, thumbprint, &e) < 0)
        return refuse(call, BAD_PUBLIC_KEY, "%s", e.text);
    other = store_find(call->store, "account", thumbprint, &number);
    if (other != NULL) {
        json_decref(other);
        url_of(call, url, "/acme/account/%lld", (long long)number);
        http_answer_field(call->answer, "Location", "%s", url);
        problem_answer_as(call->answer, MALFORMED, 409, "the new key has an account already");
        return -1;
    }
    json_object_set(call->account, "jwk", (json_t *)inner->jwk);
    if (store_put(call->store, "account", call->account_number, call->account, &e) < 0 ||
        store_rename(call->store, "account", call->account_number, thumbprint, &e) < 0)
        return broken(call, &e);
    return answer_with(call, 200, call->account_number, call->account);
}

int answer_key_change(struct call *call)
{
    struct jws inner;
    enum jws_fault fault;
    struct error e;
    int status;

    if (jws_of_object(call->payload, &inner, &fault, &e) < 0)
        status = refuse(call, MALFORMED, "inner JWS: %s", e.text);
    else
        status = check_inner(call, &inner) < 0 ? -1 : take_key(call, &inner);
    jws_free(&inner);
    return status;
}
