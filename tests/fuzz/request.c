/* Whatever a certificate request holds: names that an order can be held to, or a refusal.
 *
 * No mutation keeps a signature whole, so each request that parses is tried a second time signed
 * anew, which is what a hostile client would do. */
#include "fakeca/request.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "tests/fuzz/must.h"

#define MOST 8192 /* bytes that are worth trying */

static EVP_PKEY *key;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error e;

    (void)argc;
    (void)argv;
    key = key_make(key_kind_named("p256", &e), &e);
    must(key != NULL, "no key");
    return 0;
}

static json_t *identifiers_of(const struct request *request)
{
    json_t *all = json_array(), *name;
    size_t i;

    json_array_foreach (request->names, i, name)
        json_array_append_new(all, json_pack("{s:s, s:O}", "type", "dns", "value", name));
    return all;
}

static void check(const struct request *request)
{
    json_t *identifiers = identifiers_of(request), *name;
    struct error e;
    size_t i;

    must(request->key != NULL && request->kind != NULL, "a request without a key");
    must(!request->kind->weak, "a weak key");
    json_array_foreach (request->names, i, name) {
        const char *text = json_string_value(name);

        must(text != NULL && *text != '\0' && strlen(text) < 256, "a name that is none");
        must(strlen(text) == json_string_length(name), "a name with a NUL in it");
    }
    must(request_matches(request, identifiers, &e) == 0, "a request that does not match itself");
    json_array_append_new(identifiers,
                          json_pack("{s:s, s:s}", "type", "dns", "value", "More.test"));
    must(request_matches(request, identifiers, &e) < 0, "a request that matches more");
    json_decref(identifiers);
}

static void read_one(const unsigned char *der, size_t length)
{
    struct request request;
    struct error e = {""};

    if (request_read(der, length, &request, &e) == 0)
        check(&request);
    else
        must(*e.text != '\0', "a refusal without a word");
    request_free(&request);
    must(ERR_peek_error() == 0, "an error that somebody else will trip over");
}

static void sign_anew(const unsigned char *der, size_t length)
{
    X509_REQ *parsed = d2i_X509_REQ(NULL, &der, (long)length);
    unsigned char *out = NULL;
    int size = -1;

    if (parsed != NULL && X509_REQ_set_pubkey(parsed, key) == 1 &&
        X509_REQ_sign(parsed, key, EVP_sha256()) > 0)
        size = i2d_X509_REQ(parsed, &out);
    ERR_clear_error();
    if (size > 0)
        read_one(out, (size_t)size);
    OPENSSL_free(out);
    X509_REQ_free(parsed);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size > MOST)
        return -1;
    read_one(data, size);
    sign_anew(data, size);
    return 0;
}
