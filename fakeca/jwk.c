#include "fakeca/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RSA_LEAST_BITS 2048
#define RSA_MOST_BITS  8192
#define FIELD_MOST     (RSA_MOST_BITS / 8) /* octets of the longest field of a key */

/* --- making keys -------------------------------------------------------------------------------- */

static const struct curve {
    const char *name; /* as RFC 7518 has it */
    const char *group;
    size_t octets; /* of a coordinate */
} curves[] = {
    {"P-256", "P-256", 32},
    {"P-384", "P-384", 48},
    {"P-521", "P-521", 66},
};

static ssize_t field(const json_t *jwk, const char *name, unsigned char *out, size_t room,
                     struct error *e)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    ssize_t length = text == NULL ? -1 : base64url_decode(text, strlen(text), out, room);

    if (length < 1)
        return failed(e, "the key's \"%s\" is not base64url of a fitting length", name);
    return length;
}

static EVP_PKEY *from_parameters(const char *type, OSSL_PARAM *parameters)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (context == NULL || parameters == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return key;
}

static EVP_PKEY *elliptic(const json_t *jwk, struct error *e)
{
    const char *name = json_string_value(json_object_get(jwk, "crv"));
    unsigned char point[1 + 2 * 66] = {4}; /* uncompressed, SEC 1 section 2.3.3 */

    for (size_t i = 0; name != NULL && i < sizeof curves / sizeof curves[0]; i++) {
        const struct curve *curve = &curves[i];
        EVP_PKEY *key;

        if (strcmp(curve->name, name) != 0)
            continue;
        if (field(jwk, "x", point + 1, curve->octets, e) != (ssize_t)curve->octets ||
            field(jwk, "y", point + 1 + curve->octets, curve->octets, e) != (ssize_t)curve->octets)
            return failed(e, "the key's coordinates do not have the length of its curve"), NULL;
        OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve->group, 0),
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
                                              1 + 2 * curve->octets),
            OSSL_PARAM_END,
        };
        key = from_parameters("EC", parameters);
        return key != NULL ? key : (failed(e, "the key is not a point of %s", name), NULL);
    }
    return failed(e, "expected a key on P-256, P-384 or P-521"), NULL;
}

static OSSL_PARAM *rsa_parameters(const unsigned char *n, ssize_t n_length, const unsigned char *x,
                                  ssize_t x_length)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = BN_bin2bn(n, (int)n_length, NULL);
    BIGNUM *exponent = BN_bin2bn(x, (int)x_length, NULL);
    OSSL_PARAM *parameters = NULL;

    if (builder != NULL && modulus != NULL && exponent != NULL &&
        BN_num_bits(modulus) >= RSA_LEAST_BITS && BN_is_odd(modulus) && BN_is_odd(exponent) &&
        !BN_is_one(exponent) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(builder);
    return parameters;
}

static EVP_PKEY *rsa(const json_t *jwk, struct error *e)
{
    unsigned char n[FIELD_MOST], x[4]; /* a longer exponent only costs us time */
    ssize_t n_length = field(jwk, "n", n, sizeof n, e);
    ssize_t x_length = n_length < 0 ? -1 : field(jwk, "e", x, sizeof x, e);
    OSSL_PARAM *parameters;
    EVP_PKEY *key;

    if (x_length < 0)
        return NULL;
    parameters = rsa_parameters(n, n_length, x, x_length);
    key = from_parameters("RSA", parameters);
    OSSL_PARAM_free(parameters);
    if (key == NULL)
        failed(e, "expected an RSA key of %d to %d bits", RSA_LEAST_BITS, RSA_MOST_BITS);
    return key;
}

static EVP_PKEY *edwards(const json_t *jwk, struct error *e)
{
    const char *name = json_string_value(json_object_get(jwk, "crv"));
    unsigned char point[32];
    EVP_PKEY *key;

    if (name == NULL || strcmp(name, "Ed25519") != 0)
        return failed(e, "expected an OKP key on Ed25519"), NULL;
    if (field(jwk, "x", point, sizeof point, e) != (ssize_t)sizeof point)
        return failed(e, "the key's \"x\" does not have 32 octets"), NULL;
    key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point, sizeof point);
    return key != NULL ? key : (failed(e, "the key is not a point of Ed25519"), NULL);
}

static const struct type {
    const char *name;
    EVP_PKEY *(*key)(const json_t *jwk, struct error *e);
    const char *thumbprint; /* the fields that count, in their order: RFC 7638 section 3.2 */
} types[] = {
    {"EC",  elliptic, "crv kty x y"},
    {"OKP", edwards,  "crv kty x"  },
    {"RSA", rsa,      "e kty n"    },
};

static const struct type *type_of(const json_t *jwk, struct error *e)
{
    const char *name = json_string_value(json_object_get(jwk, "kty"));

    for (size_t i = 0; name != NULL && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return failed(e, "expected a key with \"kty\" EC, OKP or RSA"), NULL;
}

EVP_PKEY *jwk_key(const json_t *jwk, struct error *e)
{
    const struct type *type = type_of(jwk, e);

    return type == NULL ? NULL : type->key(jwk, e);
}

int jwk_thumbprint(const json_t *jwk, char out[THUMBPRINT_TEXT], struct error *e)
{
    const struct type *type = type_of(jwk, e);
    unsigned char hash[SHA256_DIGEST_LENGTH];
    char text[3 * FIELD_MOST];
    char fields[32], *rest = fields, *name;
    size_t length = 0;

    if (type == NULL)
        return -1;
    strcpy(fields, type->thumbprint);
    while ((name = strsep(&rest, " ")) != NULL) {
        const char *value = json_string_value(json_object_get(jwk, name));

        /* base64url and names of curves: nothing that JSON would write otherwise */
        if (value == NULL || strpbrk(value, "\"\\") != NULL)
            return failed(e, "the key has no proper \"%s\"", name);
        length += (size_t)snprintf(text + length, sizeof text - length, "%s\"%s\":\"%s\"",
                                   length == 0 ? "{" : ",", name, value);
        if (length + 2 > sizeof text)
            return failed(e, "the key's \"%s\" is too long", name);
    }
    text[length++] = '}';
    SHA256((const unsigned char *)text, length, hash);
    base64url(hash, sizeof hash, out);
    return 0;
}

/* --- signatures --------------------------------------------------------------------------------- */

static const struct algorithm {
    const char *name;
    const char *type; /* of the key */
    const char *digest;
    int bits;      /* of an elliptic key: each algorithm has one curve */
    size_t octets; /* of a coordinate of the signature; 0: it is passed on as it is */
} algorithms[] = {
    {"ES256", "EC",      "SHA256", 256, 32},
    {"ES384", "EC",      "SHA384", 384, 48},
    {"ES512", "EC",      "SHA512", 521, 66},
    {"RS256", "RSA",     "SHA256", 0,   0 },
    {"RS384", "RSA",     "SHA384", 0,   0 },
    {"RS512", "RSA",     "SHA512", 0,   0 },
    {"EdDSA", "ED25519", NULL,     0,   0 },
};

static const struct algorithm *algorithm_named(const char *name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

bool jwk_algorithm_known(const char *name)
{
    return algorithm_named(name) != NULL;
}

/* JWS has r and s side by side (RFC 7518 section 3.4); libcrypto wants them in DER. */
static int ecdsa_der(const unsigned char *pair, size_t octets, unsigned char **der)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(pair, (int)octets, NULL);
    BIGNUM *s = BN_bin2bn(pair + octets, (int)octets, NULL);
    int length = -1;

    if (signature != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1)
        length = i2d_ECDSA_SIG(signature, der);
    else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(signature);
    return length;
}

static bool verified(EVP_PKEY *key, const char *digest, const char *text, size_t length,
                     const unsigned char *signature, size_t signature_length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL &&
                EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, key, NULL) == 1 &&
                EVP_DigestVerify(context, signature, signature_length, (const unsigned char *)text,
                                 length) == 1;

    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good;
}

int jwk_verify(EVP_PKEY *key, const char *name, const char *text, size_t length,
               const unsigned char *signature, size_t signature_length, struct error *e)
{
    const struct algorithm *algorithm = algorithm_named(name);
    unsigned char *der = NULL;
    int der_length;
    bool good;

    if (algorithm == NULL || !EVP_PKEY_is_a(key, algorithm->type) ||
        (algorithm->bits != 0 && EVP_PKEY_get_bits(key) != algorithm->bits))
        return failed(e, "the key is not one for the algorithm %s", name);
    if (algorithm->octets == 0)
        good = verified(key, algorithm->digest, text, length, signature, signature_length);
    else {
        if (signature_length != 2 * algorithm->octets)
            return failed(e, "expected a signature of %zu octets", 2 * algorithm->octets);
        der_length = ecdsa_der(signature, algorithm->octets, &der);
        good = der_length > 0 &&
               verified(key, algorithm->digest, text, length, der, (size_t)der_length);
        OPENSSL_free(der);
    }
    return good ? 0 : failed(e, "the signature does not fit");
}
