#include "fakeca/eab.h"
#include "fakeca/acme_parts.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define SECRET_OCTETS 32

/* --- keys --------------------------------------------------------------------------------------- */

json_t *eab_make(struct store *store, const char *id, struct error *e)
{
    unsigned char random[8 + SECRET_OCTETS];
    char secret[BASE64URL_TEXT(SECRET_OCTETS)], made_up[32];
    json_t *key, *old;
    int64_t number;

    if (RAND_bytes(random, sizeof random) != 1)
        return failed(e, "no random numbers"), NULL;
    base64url(random, 8, made_up);
    id = id == NULL ? made_up : id;
    old = store_find(store, "eab", id, &number);
    json_decref(old);
    if (old != NULL)
        return failed(e, "there is a key '%s' already", id), NULL;
    key = json_pack("{s:s, s:s}", "kid", id, "hmac", base64url(random + 8, SECRET_OCTETS, secret));
    if (key == NULL)
        return failed(e, "that is no key id"), NULL;
    if (store_add(store, "eab", id, key, e) >= 0)
        return key;
    json_decref(key);
    return NULL;
}

static void list_one(void *list, int64_t number, json_t *key)
{
    (void)number;
    json_array_append(list, key);
}

json_t *eab_list(struct store *store)
{
    json_t *all = json_array();

    store_each(store, "eab", list_one, all);
    return all;
}

/* --- checking ----------------------------------------------------------------------------------- */

/* The inner JWS says: this account's key, at this URL, for the customer with that key id. */
static int check_words(struct call *call, const struct jws *inner)
{
    char given[THUMBPRINT_TEXT], outer[THUMBPRINT_TEXT];
    struct error e;

    if (inner->nonce != NULL || inner->url == NULL || strcmp(inner->url, call->jws.url) != 0)
        return refuse(call, MALFORMED,
                      "external account binding: expected the outer \"url\", and no nonce");
    if (jwk_thumbprint(inner->payload, given, &e) < 0 ||
        jwk_thumbprint(call->jws.jwk, outer, &e) < 0 || strcmp(given, outer) != 0)
        return refuse(call, MALFORMED,
                      "external account binding: the payload is not the account's key");
    return 0;
}

static int check_secret(struct call *call, const struct jws *inner)
{
    unsigned char secret[256];
    int64_t number;
    json_t *key = store_find(call->store, "eab", inner->kid, &number);
    const char *text = text_of(key, "hmac");
    ssize_t length =
        text == NULL ? -1 : base64url_decode(text, strlen(text), secret, sizeof secret);
    struct error e;

    json_decref(key);
    if (length < 0)
        return refuse(call, UNAUTHORIZED, "external account binding: unknown key id '%.200s'",
                      inner->kid);
    return jws_verify_secret(inner, secret, (size_t)length, &e) < 0
               ? refuse(call, UNAUTHORIZED, "external account binding: %s", e.text)
               : 0;
}

int eab_check(struct call *call, json_t *account)
{
    json_t *binding = json_object_get(call->payload, "externalAccountBinding");
    struct jws inner;
    enum jws_fault fault;
    struct error e;
    int status;

    if (binding == NULL)
        return call->acme->plan.policy->eab_required
                   ? refuse(call, EXTERNAL_ACCOUNT_REQUIRED,
                            "this server requires an external account binding")
                   : 0;
    if (jws_of_secret(binding, &inner, &fault, &e) < 0)
        status = refuse(call, fault == JWS_ALGORITHM ? BAD_SIGNATURE_ALGORITHM : MALFORMED,
                        "external account binding: %s", e.text);
    else
        status = check_words(call, &inner) < 0 ? -1 : check_secret(call, &inner);
    if (status == 0) {
        json_object_set(account, "externalAccountBinding", binding);
        json_object_set_new(account, "eab", json_string(inner.kid));
    }
    jws_free(&inner);
    return status;
}
