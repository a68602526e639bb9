#include "fakeca/chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/certificate.h"
#include "fakeca/files.h"
#include "fakeca/key.h"
#include "fakeca/openssl_error.h"

struct chain *chain_new(const char *name, int64_t at, struct error *e)
{
    struct chain *chain = calloc(1, sizeof *chain);

    if (chain == NULL)
        return failed(e, "out of memory"), NULL;
    chain->at = at;
    chain->sent = sk_X509_new_null();
    chain->trust = sk_X509_new_null();
    chain->crls = sk_X509_CRL_new_null();
    chain->name = strdup(name);
    if (chain->sent != NULL && chain->trust != NULL && chain->crls != NULL && chain->name != NULL)
        return chain;
    chain_free(chain);
    return failed(e, "out of memory"), NULL;
}

void chain_free(struct chain *chain)
{
    if (chain == NULL)
        return;
    sk_X509_pop_free(chain->sent, X509_free);
    sk_X509_pop_free(chain->trust, X509_free);
    sk_X509_CRL_pop_free(chain->crls, X509_CRL_free);
    EVP_PKEY_free(chain->key);
    free(chain->pem);
    free(chain->staple.bytes);
    free(chain->name);
    free(chain->client_name);
    free(chain->fault);
    free(chain);
}

int chain_push(STACK_OF(X509) * certificates, X509 *certificate, struct error *e)
{
    if (certificate == NULL)
        return -1;
    if (sk_X509_push(certificates, certificate) > 0)
        return 0;
    X509_free(certificate);
    return failed(e, "out of memory");
}

void chain_set(STACK_OF(X509) * certificates, int i, X509 *certificate)
{
    X509_free(sk_X509_value(certificates, i));
    sk_X509_set(certificates, i, certificate);
}

static int copy_certificates(STACK_OF(X509) * to, STACK_OF(X509) * from, struct error *e)
{
    for (int i = 0; i < sk_X509_num(from); i++)
        if (chain_push(to, X509_dup(sk_X509_value(from, i)), e) < 0)
            return failed(e, "out of memory");
    return 0;
}

static int copy_rest(struct chain *copy, const struct chain *chain)
{
    for (int i = 0; i < sk_X509_CRL_num(chain->crls); i++)
        if (sk_X509_CRL_push(copy->crls, X509_CRL_dup(sk_X509_CRL_value(chain->crls, i))) <= 0)
            return -1;
    if (chain->staple.bytes != NULL) {
        copy->staple.bytes = malloc(chain->staple.length);
        if (copy->staple.bytes == NULL)
            return -1;
        memcpy(copy->staple.bytes, chain->staple.bytes, chain->staple.length);
        copy->staple.length = chain->staple.length;
    }
    copy->client_name = chain->client_name == NULL ? NULL : strdup(chain->client_name);
    copy->fault = chain->fault == NULL ? NULL : strdup(chain->fault);
    copy->pem = chain->pem == NULL ? NULL : strdup(chain->pem);
    copy->exact = chain->exact;
    copy->key = chain->key;
    return EVP_PKEY_up_ref(chain->key) == 1 ? 0 : -1;
}

struct chain *chain_copy(const struct chain *chain, struct error *e)
{
    struct chain *copy = chain_new(chain->name, chain->at, e);

    if (copy == NULL)
        return NULL;
    if (copy_certificates(copy->sent, chain->sent, e) == 0 &&
        copy_certificates(copy->trust, chain->trust, e) == 0 && copy_rest(copy, chain) == 0)
        return copy;
    chain_free(copy);
    return failed(e, "out of memory"), NULL;
}

/* --- PEM ---------------------------------------------------------------------------------------- */

/* A reader that has found no further block has not failed. */
static int ended_well(void)
{
    unsigned long last = ERR_peek_last_error();

    if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
        return 0;
    ERR_clear_error();
    return 1;
}

STACK_OF(X509) * certificates_parse(const char *text, struct error *e)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *one;

    while (all != NULL && bio != NULL && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        sk_X509_push(all, one);
    BIO_free(bio);
    if (ended_well())
        return all;
    sk_X509_pop_free(all, X509_free);
    return openssl_failed(e, "read certificates"), NULL;
}

STACK_OF(X509_CRL) * crls_parse(const char *text, struct error *e)
{
    STACK_OF(X509_CRL) *all = sk_X509_CRL_new_null();
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509_CRL *one;

    while (all != NULL && bio != NULL &&
           (one = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL)
        sk_X509_CRL_push(all, one);
    BIO_free(bio);
    if (ended_well())
        return all;
    sk_X509_CRL_pop_free(all, X509_CRL_free);
    return openssl_failed(e, "read CRLs"), NULL;
}

/* The text in a memory BIO as a string; frees the BIO. */
static char *text_of(BIO *bio, bool good, struct error *e)
{
    char *bytes;
    char *text = NULL;

    if (bio != NULL && good) {
        long length = BIO_get_mem_data(bio, &bytes);

        text = strndup(length > 0 ? bytes : "", (size_t)length);
    }
    BIO_free(bio);
    if (text == NULL)
        openssl_failed(e, "write PEM");
    return text;
}

char *certificates_pem(STACK_OF(X509) * certificates, struct error *e)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL;

    for (int i = 0; good && i < sk_X509_num(certificates); i++)
        good = PEM_write_bio_X509(bio, sk_X509_value(certificates, i)) == 1;
    return text_of(bio, good, e);
}

X509 *certificate_read(int directory, const char *name, struct error *e)
{
    char *text = file_read(directory, name, NULL, e);
    STACK_OF(X509) *all = text == NULL ? NULL : certificates_parse(text, e);
    X509 *one = all == NULL ? NULL : sk_X509_shift(all);

    if (all != NULL && one == NULL)
        failed(e, "no certificate in it");
    if (text != NULL && one == NULL)
        failed_in(e, name);
    sk_X509_pop_free(all, X509_free);
    free(text);
    return one;
}

int certificate_write(int directory, const char *name, X509 *certificate, struct error *e)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    int status;

    if (bio == NULL || PEM_write_bio_X509(bio, certificate) != 1)
        status = openssl_failed(e, "write a certificate");
    else {
        long length = BIO_get_mem_data(bio, &text);

        status = file_write(directory, name, 0644, text, (size_t)length, e);
    }
    BIO_free(bio);
    return status;
}

char *crls_pem(STACK_OF(X509_CRL) * crls, struct error *e)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL;

    for (int i = 0; good && i < sk_X509_CRL_num(crls); i++)
        good = PEM_write_bio_X509_CRL(bio, sk_X509_CRL_value(crls, i)) == 1;
    return text_of(bio, good, e);
}
