#include "fakeca/ocsp_signer.h"

#include "fakeca/certificate.h"
#include "fakeca/key.h"
#include "fakeca/openssl_error.h"

static const char *const purposes[OCSP_SIGNINGS] = {
    [OCSP_BY_DELEGATE] = "OCSPSigning",
    [OCSP_BY_UNENTITLED] = "serverAuth",
};

/* A certificate of the issuer's for `key`. */
static X509 *certify(struct ocsp_signers *signers, const struct signer *issuer, EVP_PKEY *key,
                     const char *purpose, struct error *e)
{
    char serial[SERIAL_TEXT];
    const struct certificate_spec spec = {
        .common_name = "Rehearsal OCSP responder",
        .serial = serial,
        .not_before = certificate_not_before(issuer->certificate),
        .not_after = certificate_not_after(issuer->certificate),
        .key_usage = KU_DIGITAL_SIGNATURE,
        .purposes = {&purpose, 1},
    };
    X509 *certificate;

    if (authority_serial(signers->authority, serial, e) < 0)
        return NULL;
    certificate = certificate_make(&spec, key, issuer, e);
    /* nobody shall ask the responder about itself */
    if (certificate == NULL || (extension_no_ocsp_check(certificate, e) == 0 &&
                                certificate_sign(certificate, issuer->key, NULL, e) == 0))
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* What passes for the issuer's certificate until somebody looks at the signature. */
static X509 *impersonate(const struct signer *issuer, EVP_PKEY *key, struct error *e)
{
    X509 *certificate = X509_dup(issuer->certificate);

    if (certificate == NULL || X509_set_pubkey(certificate, key) != 1)
        openssl_failed(e, "copy a certificate");
    else if (extension_subject_key(certificate, e) == 0 &&
             certificate_sign(certificate, key, NULL, e) == 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

const struct signer *ocsp_signer(struct ocsp_signers *signers, size_t issuer,
                                 enum ocsp_signing signing, struct error *e)
{
    const struct signer *above = authority_signer(signers->authority, issuer, e);
    struct signer *made = &signers->made[signing][issuer];

    if (above == NULL || signing == OCSP_BY_ISSUER)
        return above;
    if (made->key == NULL)
        made->key = key_unlike(above->key, e);
    if (made->key != NULL && made->certificate == NULL)
        made->certificate = purposes[signing] == NULL
                                ? impersonate(above, made->key, e)
                                : certify(signers, above, made->key, purposes[signing], e);
    return made->certificate == NULL ? NULL : made;
}

void ocsp_signers_free(struct ocsp_signers *signers)
{
    for (size_t signing = 0; signing < OCSP_SIGNINGS; signing++)
        for (size_t i = 0; i < SIGNERS_MOST; i++) {
            X509_free(signers->made[signing][i].certificate);
            EVP_PKEY_free(signers->made[signing][i].key);
        }
}
