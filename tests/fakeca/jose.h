/* jose.h -- the client's side of a signed request, for tests: keys as JWKs, and signatures. */
#ifndef TESTS_FAKECA_JOSE_H
#define TESTS_FAKECA_JOSE_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>

#include "fakeca/base64url.h"
#include "fakeca/jwk.h"
#include "fakeca/jws.h"
#include "tests/fakeca/fixture.h"

static inline json_t *jose_number(const EVP_PKEY *key, const char *name, int octets)
{
    unsigned char bytes[66];
    char text[BASE64URL_TEXT(66)];
    BIGNUM *number = NULL;

    EVP_PKEY_get_bn_param(key, name, &number);
    BN_bn2binpad(number, bytes, octets);
    BN_free(number);
    return json_string(base64url(bytes, (size_t)octets, text));
}

/* To be freed. */
static inline char *jose_text(const void *bytes, size_t length)
{
    return base64url(bytes, length, malloc(BASE64URL_TEXT(length)));
}

static inline json_t *jose_jwk(const EVP_PKEY *key)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "kty", "EC", "crv", "P-256", "x",
                     jose_number(key, OSSL_PKEY_PARAM_EC_PUB_X, 32), "y",
                     jose_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32));
}

/* ES256 over "protected.payload", as r and s side by side; to be freed. */
static inline char *jose_signature(EVP_PKEY *key, const char *text)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char der[128], pair[64];
    const unsigned char *at = der;
    size_t length = sizeof der;
    ECDSA_SIG *signature;

    assert_int_equal(EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL), 1);
    assert_int_equal(
        EVP_DigestSign(context, der, &length, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
    signature = d2i_ECDSA_SIG(NULL, &at, (long)length);
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), pair, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), pair + 32, 32);
    ECDSA_SIG_free(signature);
    return jose_text(pair, sizeof pair);
}

/* A whole JWS as text, to be freed; takes `header` over.  `payload` "": POST-as-GET. */
static inline char *jose_sign(EVP_PKEY *key, json_t *header, const char *payload)
{
    char *text = json_dumps(header, JSON_COMPACT);
    char *head = jose_text(text, strlen(text)), *body = jose_text(payload, strlen(payload));
    char *input = NULL, *signature, *out = NULL;

    assert_true(asprintf(&input, "%s.%s", head, body) > 0);
    signature = jose_signature(key, input);
    assert_true(asprintf(&out, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}",
                         head, body, signature) > 0);
    free(text);
    free(head);
    free(body);
    free(input);
    free(signature);
    json_decref(header);
    return out;
}

#endif
