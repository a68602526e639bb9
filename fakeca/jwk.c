#include "fakeca/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
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
