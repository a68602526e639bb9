#include "fakeca/aia_answer.h"

#include <openssl/pkcs7.h>

#include "fakeca/openssl_error.h"
#include "fakeca/revocation.h"

const struct aia_look aia_looks[AIA_FORMS] = {
    [AIA_DER] = {".cer", "application/pkix-cert"                        },
    [AIA_PKCS7] = {".p7c", "application/pkcs7-mime; smime-type=certs-only"},
};

static int put_der(X509 *certificate, struct blob *out)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);

    return blob_of(der, length, out);
}

/* SignedData without anything signed, and nobody who signs. */
static int put_pkcs7(X509 *certificate, struct blob *out)
{
    PKCS7 *message = PKCS7_new();
    unsigned char *der = NULL;
    int length = -1;

    if (message != NULL && PKCS7_set_type(message, NID_pkcs7_signed) == 1 &&
        PKCS7_content_new(message, NID_pkcs7_data) == 1 && PKCS7_set_detached(message, 1) == 1 &&
        PKCS7_add_certificate(message, certificate) == 1)
        length = i2d_PKCS7(message, &der);
    PKCS7_free(message);
    return blob_of(der, length, out);
}

static int (*const puts_form[AIA_FORMS])(X509 *certificate, struct blob *out) = {
    [AIA_DER] = put_der,
    [AIA_PKCS7] = put_pkcs7,
};

int aia_answer(struct authority *authority, size_t issuer, enum aia_form form, struct blob *out,
               struct error *e)
{
    const struct signer *signer;

    *out = (struct blob){0};
    if (issuer >= authority->count)
        return failed(e, "%s: has no issuer number %zu", authority->path, issuer);
    signer = authority_signer(authority, issuer, e);
    if (signer == NULL)
        return -1;
    if (puts_form[form](signer->certificate, out) < 0)
        return openssl_failed(e, "encode a certificate");
    return 0;
}
