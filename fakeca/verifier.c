#include "fakeca/verifier.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <string.h>

static const struct algorithm {
    const char *name;
    const char *type;              /* of the key */
    const EVP_MD *(*digest)(void); /* of what is signed; NULL: the text itself is */
    int bits;                      /* of an elliptic key: each algorithm has one curve */
    size_t octets; /* of a coordinate of the signature; 0: it is passed on as it is */
} algorithms[] = {
    {"ES256", "EC",      EVP_sha256, 256, 32},
    {"ES384", "EC",      EVP_sha384, 384, 48},
    {"ES512", "EC",      EVP_sha512, 521, 66},
    {"RS256", "RSA",     EVP_sha256, 0,   0 },
    {"RS384", "RSA",     EVP_sha384, 0,   0 },
    {"RS512", "RSA",     EVP_sha512, 0,   0 },
    {"EdDSA", "ED25519", NULL,       0,   0 },
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
    EVP_PKEY_CTX_free(verifier->ready);
    EVP_MD_CTX_free(verifier->digest);
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

static int make_contexts(struct verifier *verifier, const EVP_MD *digest)
{
    verifier->ready = EVP_PKEY_CTX_new_from_pkey(NULL, verifier->key, NULL);
    if (verifier->digest == NULL)
        verifier->digest = EVP_MD_CTX_new();
    return verifier->ready != NULL && verifier->digest != NULL &&
                   EVP_PKEY_verify_init(verifier->ready) == 1 &&
                   EVP_PKEY_CTX_set_signature_md(verifier->ready, digest) == 1 &&
                   EVP_DigestInit_ex2(verifier->digest, digest, NULL) == 1
               ? 0
               : -1;
}

static int make_ready(struct verifier *verifier, const struct algorithm *algorithm)
{
    EVP_PKEY_CTX_free(verifier->ready);
    verifier->ready = NULL;
    verifier->algorithm = NULL;
    if (!fits(verifier->key, algorithm) ||
        (algorithm->digest != NULL && make_contexts(verifier, algorithm->digest()) < 0))
        return -1;
    verifier->algorithm = algorithm;
    return 0;
}

static bool fits_digest(struct verifier *verifier, const unsigned char *text, size_t length,
                        const unsigned char *signature, size_t signature_length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    return EVP_DigestInit_ex2(verifier->digest, NULL, NULL) == 1 &&
           EVP_DigestUpdate(verifier->digest, text, length) == 1 &&
           EVP_DigestFinal_ex(verifier->digest, digest, &size) == 1 &&
           EVP_PKEY_verify(verifier->ready, signature, signature_length, digest, size) == 1;
}

static bool fits_text(struct verifier *verifier, const unsigned char *text, size_t length,
                      const unsigned char *signature, size_t signature_length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        context != NULL &&
        EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, verifier->key, NULL) == 1 &&
        EVP_DigestVerify(context, signature, signature_length, text, length) == 1;

    EVP_MD_CTX_free(context);
    return good;
}

static bool verified(struct verifier *verifier, const char *text, size_t length,
                     const unsigned char *signature, size_t signature_length)
{
    const unsigned char *octets = (const unsigned char *)text;
    bool good = verifier->ready == NULL
                    ? fits_text(verifier, octets, length, signature, signature_length)
                    : fits_digest(verifier, octets, length, signature, signature_length);

    if (!good)
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

    if (algorithm == NULL ||
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
