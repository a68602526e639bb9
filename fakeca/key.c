#include "fakeca/key.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fakeca/files.h"
#include "fakeca/openssl_error.h"
#include "testbed/wire/nearest.h"

static const struct key_kind kinds[] = {
    {"p256",    "EC",      "prime256v1", 0,    false, "ECDSA on P-256"                },
    {"p384",    "EC",      "secp384r1",  0,    false, "ECDSA on P-384"                },
    {"rsa2048", "RSA",     NULL,         2048, false, "RSA, 2048 bits"                },
    {"rsa3072", "RSA",     NULL,         3072, false, "RSA, 3072 bits"                },
    {"rsa4096", "RSA",     NULL,         4096, false, "RSA, 4096 bits"                },
    {"ed25519", "ED25519", NULL,         0,    false, "Ed25519"                       },
    {"rsa1024", "RSA",     NULL,         1024, true,  "RSA, 1024 bits: too weak today"},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

const struct key_kind *key_kind_named(const char *name, struct error *e)
{
    const char *names[KINDS];
    const char *near;

    for (size_t i = 0; i < KINDS; i++) {
        names[i] = kinds[i].name;
        if (strcmp(names[i], name) == 0)
            return &kinds[i];
    }
    near = nearest(name, names, KINDS);
    if (near != NULL)
        return failed(e, "'%s' is not a kind of key; did you mean %s?", name, near), NULL;
    return failed(e, "'%s' is not a kind of key; expected %s", name, key_kinds()), NULL;
}

const struct key_kind *key_kind_of(const EVP_PKEY *key)
{
    char curve[64] = "";

    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL);
    for (size_t i = 0; i < KINDS; i++) {
        if (!EVP_PKEY_is_a(key, kinds[i].algorithm))
            continue;
        if (kinds[i].curve != NULL && strcmp(curve, kinds[i].curve) != 0)
            continue;
        if (kinds[i].bits == 0 || EVP_PKEY_get_bits(key) == (int)kinds[i].bits)
            return &kinds[i];
    }
    return NULL;
}

const char *key_kinds(void)
{
    static char list[128];

    list[0] = '\0';
    for (size_t i = 0; i < KINDS; i++)
        if (!kinds[i].weak)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                     list[0] == '\0' ? "" : ", ", kinds[i].name);
    return list;
}

EVP_PKEY *key_make(const struct key_kind *kind, struct error *e)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind->algorithm, NULL);
    EVP_PKEY *key = NULL;
    unsigned bits = kind->bits;
    OSSL_PARAM parameters[2] = {OSSL_PARAM_END, OSSL_PARAM_END};

    if (kind->curve != NULL)
        parameters[0] =
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)kind->curve, 0);
    else if (bits != 0)
        parameters[0] = OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits);
    if (context == NULL || EVP_PKEY_keygen_init(context) <= 0 ||
        EVP_PKEY_CTX_set_params(context, parameters) <= 0 || EVP_PKEY_generate(context, &key) <= 0)
        openssl_failed(e, "make a key");
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *key_read(int directory, const char *name, struct error *e)
{
    size_t length;
    char *text = file_read(directory, name, &length, e);
    BIO *bio;
    EVP_PKEY *key;

    if (text == NULL)
        return NULL;
    bio = BIO_new_mem_buf(text, (int)length);
    key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
    if (key == NULL) {
        openssl_failed(e, "read a private key");
        failed_in(e, name);
    }
    BIO_free(bio);
    OPENSSL_clear_free(text, length);
    return key;
}

int key_write(int directory, const char *name, const EVP_PKEY *key, struct error *e)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text;
    long length;
    int status;

    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        BIO_free(bio);
        return openssl_failed(e, "write a private key");
    }
    length = BIO_get_mem_data(bio, &text);
    status = file_write(directory, name, 0600, text, (size_t)length, e);
    BIO_free(bio);
    return status;
}

EVP_PKEY *key_from_pool(int directory, const struct key_kind *kind, unsigned long turn,
                        struct error *e)
{
    char name[64];
    EVP_PKEY *key;

    if (kind->bits == 0)
        return key_make(kind, e);
    snprintf(name, sizeof name, "pool/%s-%lu.pem", kind->name, turn % POOL_KEYS);
    if (file_exists(directory, name))
        return key_read(directory, name, e);
    if (mkdirat(directory, "pool", 0700) < 0 && errno != EEXIST)
        return failed(e, "pool: cannot create: %s", strerror(errno)), NULL;
    key = key_make(kind, e);
    if (key != NULL && key_write(directory, name, key, e) < 0) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

/* --- public keys -------------------------------------------------------------------------------- */

/* On P-256, up to the uncompressed point: RFC 5480 section 2. */
static const unsigned char p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                          0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                          0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
#define P256_POINT (1 + 2 * 32)

/* All that a key on P-256 has but the point. */
static EVP_PKEY *p256_parameters(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *parameters = NULL;

    if (context != NULL && EVP_PKEY_paramgen_init(context) == 1 &&
        EVP_PKEY_CTX_set_group_name(context, "prime256v1") == 1)
        EVP_PKEY_paramgen(context, &parameters);
    EVP_PKEY_CTX_free(context);
    return parameters;
}

/* libcrypto walks through all the names it knows to make an EVP_PKEY; so the last one stays, and gets another point. */
static EVP_PKEY *spare;

static EVP_PKEY *p256_decode(const unsigned char *point)
{
    EVP_PKEY *key = spare == NULL ? p256_parameters() : spare;

    spare = NULL;
    if (key == NULL || EVP_PKEY_set1_encoded_public_key(key, point, P256_POINT) == 1)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

/* NULL also where it is no DER: what comes out again is octet for octet what came in. */
static EVP_PKEY *any_decode(struct key_der der)
{
    const unsigned char *at = der.octets;
    X509_PUBKEY *parsed = d2i_X509_PUBKEY(NULL, &at, (long)der.length);
    unsigned char *again = NULL;
    int length = parsed == NULL ? -1 : i2d_X509_PUBKEY(parsed, &again);
    EVP_PKEY *key =
        again != NULL && length == (int)der.length && memcmp(again, der.octets, der.length) == 0
            ? X509_PUBKEY_get(parsed)
            : NULL;

    OPENSSL_free(again);
    X509_PUBKEY_free(parsed);
    return key;
}

EVP_PKEY *key_decode(struct key_der der, struct error *e)
{
    /* Nearly all are on P-256, and libcrypto's decoder takes twice as long to be set up as the key's signature
     * to be verified. */
    bool p256 = der.length == sizeof p256_head + P256_POINT &&
                memcmp(der.octets, p256_head, sizeof p256_head) == 0;
    EVP_PKEY *key = p256 ? p256_decode(der.octets + sizeof p256_head) : any_decode(der);

    if (key == NULL)
        openssl_failed(e, "read a public key");
    return key;
}

void key_done(EVP_PKEY *key)
{
    const struct key_kind *kind = spare != NULL || key == NULL ? NULL : key_kind_of(key);

    if (kind != NULL && strcmp(kind->name, "p256") == 0)
        spare = key;
    else
        EVP_PKEY_free(key);
}

EVP_PKEY *key_unlike(const EVP_PKEY *key, struct error *e)
{
    const struct key_kind *kind = key_kind_of(key);

    if (kind == NULL)
        return failed(e, "cannot make another key like the leaf's: not %s", key_kinds()), NULL;
    return key_make(kind, e);
}
