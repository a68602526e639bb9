#include "fakeca/verifier.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <string.h>

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

bool algorithm_known(const char *name)
{
    return algorithm_named(name) != NULL;
}

const char *algorithm_name(size_t number)
{
    return number < sizeof algorithms / sizeof algorithms[0] ? algorithms[number].name : NULL;
}

void verifier_close(struct verifier *verifier)
{
    EVP_MD_CTX_free(verifier->ready);
    EVP_MD_CTX_free(verifier->scratch);
    EVP_PKEY_free(verifier->key);
    *verifier = (struct verifier){0};
}

/* --- signatures --------------------------------------------------------------------------------- */

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

static bool fits(const EVP_PKEY *key, const struct algorithm *algorithm)
{
    return EVP_PKEY_is_a(key, algorithm->type) &&
           (algorithm->bits == 0 || EVP_PKEY_get_bits(key) == algorithm->bits);
}

static int make_ready(struct verifier *verifier, const struct algorithm *algorithm)
{
    EVP_MD_CTX_free(verifier->ready);
    verifier->algorithm = NULL;
    verifier->ready = EVP_MD_CTX_new();
    if (verifier->scratch == NULL)
        verifier->scratch = EVP_MD_CTX_new();
    if (verifier->ready == NULL || verifier->scratch == NULL ||
        EVP_DigestVerifyInit_ex(verifier->ready, NULL, algorithm->digest, NULL, NULL, verifier->key,
                                NULL) != 1)
        return -1;
    verifier->algorithm = algorithm;
    return 0;
}

static bool verified(struct verifier *verifier, const char *text, size_t length,
                     const unsigned char *signature, size_t signature_length)
{
    bool good = EVP_MD_CTX_copy_ex(verifier->scratch, verifier->ready) == 1 &&
                EVP_DigestVerify(verifier->scratch, signature, signature_length,
                                 (const unsigned char *)text, length) == 1;

    ERR_clear_error();
    return good;
}

int verifier_check(struct verifier *verifier, const char *name, const char *text, size_t length,
                   const unsigned char *signature, size_t signature_length, struct error *e)
{
    const struct algorithm *algorithm = algorithm_named(name);
    unsigned char *der = NULL;
    int der_length;
    bool good;

    if (algorithm == NULL || !fits(verifier->key, algorithm) ||
        (verifier->algorithm != algorithm && make_ready(verifier, algorithm) < 0))
        return ERR_clear_error(), failed(e, "the key is not one for the algorithm %s", name);
    if (algorithm->octets == 0)
        good = verified(verifier, text, length, signature, signature_length);
    else {
        if (signature_length != 2 * algorithm->octets)
            return failed(e, "expected a signature of %zu octets", 2 * algorithm->octets);
        der_length = ecdsa_der(signature, algorithm->octets, &der);
        good = der_length > 0 && verified(verifier, text, length, der, (size_t)der_length);
        OPENSSL_free(der);
    }
    return good ? 0 : failed(e, "the signature does not fit");
}
