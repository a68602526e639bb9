#include "testbed/targets/exact.h"

#include <limits.h>
#include <openssl/asn1t.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "testbed/targets/crypto_error.h"

struct body {
    size_t length;
    unsigned char bytes[];
};

static void free_body(void *parent, void *body, CRYPTO_EX_DATA *data, int index, long argl,
                      void *argp)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)argl;
    (void)argp;
    free(body);
}

static int body_index(void)
{
    static int index = -1;

    if (index < 0)
        index = X509_get_ex_new_index(0, NULL, NULL, NULL, free_body);
    return index;
}

/* The contract of i2d: the length; and the bytes, where `out` is given, at *out, which then points
 * behind them, or in fresh memory where *out is NULL. */
static int put_body(const struct body *body, unsigned char **out)
{
    unsigned char *to;

    if (out == NULL)
        return (int)body->length;
    to = *out != NULL ? *out : OPENSSL_malloc(body->length + 1);
    if (to == NULL)
        return -1;
    memcpy(to, body->bytes, body->length);
    *out = *out != NULL ? to + body->length : to;
    return (int)body->length;
}

int i2d_X509(const X509 *certificate, unsigned char **out)
{
    const struct body *body = X509_get_ex_data(certificate, body_index());

    if (body != NULL)
        return put_body(body, out);
    return ASN1_item_i2d((const ASN1_VALUE *)certificate, out, ASN1_ITEM_rptr(X509));
}

/* Ed25519 and its like have their digest built in; libcrypto calls that "UNDEF". */
static const EVP_MD *digest_for(EVP_PKEY *key)
{
    char name[32];

    if (EVP_PKEY_get_default_digest_name(key, name, sizeof name) > 0 && strcmp(name, "UNDEF") == 0)
        return NULL;
    return EVP_sha256();
}

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_NAME_new();
    bool made = certificate != NULL && name != NULL &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                           (const unsigned char *)"stand-in", -1, -1, 0) == 1 &&
                X509_set_version(certificate, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
                X509_set_subject_name(certificate, name) == 1 &&
                X509_set_issuer_name(certificate, name) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) != NULL &&
                X509_set_pubkey(certificate, key) == 1 &&
                X509_sign(certificate, key, digest_for(key)) > 0;

    X509_NAME_free(name);
    if (made)
        return certificate;
    X509_free(certificate);
    return NULL;
}

X509 *exact_stand_in(EVP_PKEY *key, const unsigned char *bytes, size_t length, struct error *e)
{
    struct body *body = length > INT_MAX - 1 ? NULL : malloc(sizeof *body + length);
    X509 *certificate = self_signed(key);

    if (certificate != NULL && body != NULL) {
        body->length = length;
        memcpy(body->bytes, bytes, length);
        if (X509_set_ex_data(certificate, body_index(), body) == 1)
            return certificate;
    }
    failed(e, "cannot make a certificate to stand in: %s", crypto_reason());
    X509_free(certificate);
    free(body);
    return NULL;
}
