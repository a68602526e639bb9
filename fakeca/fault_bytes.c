/* Faults of encoding: chain.pem holds other bytes than libcrypto would write. */
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/fault_parts.h"
#include "fakeca/openssl_error.h"

#define HEADER 4 /* of a certificate: 30 82 and two octets of length, for 256 octets and more */

/* The leaf's encoding with room for 16 octets more, to be freed with free(). */
static unsigned char *leaf_der(const struct breaking *b, size_t *length, struct error *e)
{
    X509 *leaf = sk_X509_value(b->chain->sent, 0);
    int needed = i2d_X509(leaf, NULL);
    unsigned char *der, *at;

    if (needed < 256 || needed > 65535)
        return failed(e, "the leaf has %d octets, expected 256 to 65535", needed), NULL;
    der = at = calloc(1, (size_t)needed + 16);
    if (der == NULL)
        return failed(e, "out of memory"), NULL;
    *length = (size_t)i2d_X509(leaf, &at);
    return der;
}

/* Makes these octets the leaf's block in chain.pem, and leaves the others. */
static int serve_leaf(struct breaking *b, const unsigned char *der, size_t length, struct error *e)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL && PEM_write_bio(bio, PEM_STRING_X509, "", der, (long)length) > 0;
    char *text;
    long size;

    for (int i = 1; good && i < sk_X509_num(b->chain->sent); i++)
        good = PEM_write_bio_X509(bio, sk_X509_value(b->chain->sent, i)) == 1;
    if (good && (size = BIO_get_mem_data(bio, &text)) > 0)
        b->chain->pem = strndup(text, (size_t)size);
    BIO_free(bio);
    return b->chain->pem == NULL ? openssl_failed(e, "write PEM") : 0;
}

APPLY(apply_trailing_bytes)
{
    size_t length;
    unsigned char *der = leaf_der(b, &length, e);
    int status = der == NULL ? -1 : serve_leaf(b, der, length + 4, e); /* four zero octets */

    free(der);
    return status;
}

APPLY(apply_truncated_leaf)
{
    size_t length;
    unsigned char *der = leaf_der(b, &length, e);
    int status = der == NULL ? -1 : serve_leaf(b, der, length / 2, e);

    free(der);
    return status;
}

/* As a disk that filled up, or a copy that was cut off, leaves it. */
APPLY(apply_truncated_pem)
{
    X509 *leaf = sk_X509_value(b->chain->sent, 0);
    STACK_OF(X509) *alone = sk_X509_new_null();

    if (alone == NULL || sk_X509_push(alone, leaf) <= 0) {
        sk_X509_free(alone);
        return failed(e, "out of memory");
    }
    b->chain->pem = certificates_pem(alone, e);
    sk_X509_free(alone);
    if (b->chain->pem == NULL)
        return -1;
    b->chain->pem[strlen(b->chain->pem) / 2] = '\0';
    return 0;
}

/* BER allows what DER forbids: a length in more octets than it needs. */
APPLY(apply_long_form_length)
{
    size_t length;
    unsigned char *der = leaf_der(b, &length, e);
    int status;

    if (der == NULL)
        return -1;
    memmove(der + HEADER + 1, der + HEADER, length - HEADER);
    memcpy(der, (unsigned char[]){0x30, 0x83, 0, der[2], der[3]}, HEADER + 1);
    status = serve_leaf(b, der, length + 1, e);
    free(der);
    return status;
}

/* And an end that is marked instead of a length. */
APPLY(apply_indefinite_length)
{
    size_t length;
    unsigned char *der = leaf_der(b, &length, e);
    int status;

    if (der == NULL)
        return -1;
    memmove(der + 2, der + HEADER, length - HEADER);
    memset(der + 2 + length - HEADER, 0, 2);
    der[1] = 0x80;
    status = serve_leaf(b, der, length, e);
    free(der);
    return status;
}
