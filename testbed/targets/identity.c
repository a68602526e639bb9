#include "testbed/targets/identity.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "testbed/targets/certificate.h"
#include "testbed/targets/crypto_error.h"
#include "testbed/targets/exact.h"
#include "testbed/wire/file.h"

/* Nobody sits there who could be asked; without this, OpenSSL opens the terminal. */
static int no_password(char *buffer, int size, int writing, void *user)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

static EVP_PKEY *read_key(const char *path, struct error *e)
{
    size_t length;
    unsigned char *text = file_whole(path, &length, e);
    BIO *bio;
    EVP_PKEY *key;

    if (text == NULL)
        return NULL;
    bio = BIO_new_mem_buf(text, (int)length);
    key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    OPENSSL_cleanse(text, length);
    free(text);
    if (key == NULL)
        failed(e, "%s: no private key in PEM without a password: %s", path, crypto_reason());
    return key;
}

/* The first block is the leaf, the others follow it as they come. */
static int use_block(SSL_CTX *context, EVP_PKEY *key, const struct pem_block *block, bool leaf,
                     bool exact, struct error *e)
{
    X509 *certificate =
        exact ? exact_stand_in(key, block->bytes, block->length, e) : certificate_parse(block, e);
    int taken;

    if (certificate == NULL)
        return -1;
    if (leaf && X509_check_private_key(certificate, key) != 1) {
        X509_free(certificate);
        return failed(e, "is not for the key: %s", crypto_reason());
    }
    taken = leaf ? SSL_CTX_use_certificate(context, certificate)
                 : (int)SSL_CTX_add1_chain_cert(context, certificate);
    X509_free(certificate);
    return taken == 1 ? 0 : failed(e, "libssl will not serve it: %s", crypto_reason());
}

/* A block that was cut before its first byte leaves nothing to send. */
static bool is_servable(const struct pem_block *block, bool exact)
{
    return !exact || block->flaw == NULL || block->length > 0;
}

static int use_chain(SSL_CTX *context, EVP_PKEY *key, const struct pem_list *list, bool exact,
                     struct error *e)
{
    size_t used = 0;

    for (size_t i = 0; i < list->count; i++) {
        char where[40];

        if (!is_servable(&list->blocks[i], exact))
            continue;
        snprintf(where, sizeof where, "certificate %zu", i + 1);
        if (use_block(context, key, &list->blocks[i], used++ == 0, exact, e) < 0)
            return failed_in(e, where);
    }
    if (used == 0)
        return failed(e, "no certificate in it; expected a PEM block CERTIFICATE");
    return 0;
}

static char *serial_of(const struct pem_block *block)
{
    struct error ignored; /* the bytes served on purpose need not parse */
    X509 *certificate = certificate_parse(block, &ignored);
    char *serial = certificate == NULL ? NULL : serial_text(certificate);

    X509_free(certificate);
    return serial;
}

static int use_files(const struct host *host, bool exact, SSL_CTX *context, struct identity *out,
                     struct error *e)
{
    struct pem_list list;
    EVP_PKEY *key;
    int used;

    if (pem_read(host->chain, "CERTIFICATE", &list, e) < 0)
        return -1;
    key = read_key(host->key, e);
    used = key == NULL ? -1 : use_chain(context, key, &list, exact, e);
    if (key != NULL && used < 0)
        failed_in(e, host->chain);
    if (used == 0 && SSL_CTX_use_PrivateKey(context, key) != 1)
        used = failed(e, "%s: libssl will not use it: %s", host->key, crypto_reason());
    if (used == 0)
        out->serial = serial_of(&list.blocks[0]);
    EVP_PKEY_free(key);
    pem_free(&list);
    return used;
}

static int read_staple(const char *path, bool exact, struct identity *out, struct error *e)
{
    const unsigned char *at;
    OCSP_RESPONSE *response;

    out->staple = file_whole(path, &out->staple_length, e);
    if (out->staple == NULL)
        return -1;
    at = out->staple;
    response = d2i_OCSP_RESPONSE(NULL, &at, (long)out->staple_length);
    OCSP_RESPONSE_free(response);
    if (exact || (response != NULL && at == out->staple + out->staple_length)) {
        ERR_clear_error();
        return 0;
    }
    return failed(e, "%s: not an OCSP response in DER: %s", path, crypto_reason());
}

int identity_load(const struct host *host, bool exact, SSL_CTX *context, struct identity *out,
                  struct error *e)
{
    *out = (struct identity){0};
    if (use_files(host, exact, context, out, e) < 0)
        return -1;
    return host->staple == NULL ? 0 : read_staple(host->staple, exact, out, e);
}

void identity_free(struct identity *identity)
{
    free(identity->serial);
    free(identity->staple);
    *identity = (struct identity){0};
}
