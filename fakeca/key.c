#include "fakeca/key.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
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

EVP_PKEY *key_unlike(const EVP_PKEY *key, struct error *e)
{
    const struct key_kind *kind = key_kind_of(key);

    if (kind == NULL)
        return failed(e, "cannot make another key like the leaf's: not %s", key_kinds()), NULL;
    return key_make(kind, e);
}
