#include "fakeca/certificate.h"

#include <ctype.h>
#include <openssl/asn1.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fakeca/openssl_error.h"

/* --- setting ------------------------------------------------------------------------------------ */

int certificate_set_serial(X509 *certificate, const char *hex, struct error *e)
{
    BIGNUM *number = NULL;
    int status = 0;

    if (BN_hex2bn(&number, hex) != (int)strlen(hex) ||
        BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) == NULL)
        status = openssl_failed(e, "set the serial number");
    BN_free(number);
    return status;
}

int certificate_set_dates(X509 *certificate, int64_t not_before, int64_t not_after, struct error *e)
{
    /* UTCTime until 2049, GeneralizedTime from then on: ASN1_TIME_set chooses as RFC 5280 wants */
    if (not_before >= FIRST_MOMENT && not_before <= LAST_MOMENT && not_after >= FIRST_MOMENT &&
        not_after <= LAST_MOMENT &&
        ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)not_before) != NULL &&
        ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)not_after) != NULL)
        return 0;
    return failed(e, "a certificate cannot hold dates outside the years 0000 to 9999");
}

static int add_text(X509_NAME *name, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1,
                                      -1, 0) == 1
               ? 0
               : -1;
}

int certificate_set_subject(X509_NAME *name, const char *organization, const char *common_name,
                            struct error *e)
{
    if (organization != NULL && add_text(name, "O", organization) < 0)
        return openssl_failed(e, "set the organization");
    if (common_name != NULL && strlen(common_name) <= COMMON_NAME_MOST &&
        add_text(name, "CN", common_name) < 0)
        return openssl_failed(e, "set the common name");
    return 0;
}

static int set_identifiers(X509 *certificate, const struct signer *issuer, struct error *e)
{
    const ASN1_OCTET_STRING *issuers =
        issuer == NULL ? NULL : X509_get0_subject_key_id(issuer->certificate);

    if (extension_subject_key(certificate, e) < 0)
        return -1;
    /* None on self-signed roots: RFC 5280 section 4.2.1.1 lets it go, wolfSSL refuses an empty one */
    return issuers == NULL ? 0 : extension_authority_key(certificate, issuers, e);
}

static int set_extensions(X509 *certificate, const struct certificate_spec *spec,
                          const struct signer *issuer, struct error *e)
{
    if (extension_basic(certificate, spec->ca, spec->ca ? spec->path_length : -1, e) < 0)
        return -1;
    if (spec->key_usage != 0 && extension_key_usage(certificate, spec->key_usage, e) < 0)
        return -1;
    if (spec->purposes.count > 0 && extension_purposes(certificate, spec->purposes, e) < 0)
        return -1;
    if (set_identifiers(certificate, issuer, e) < 0)
        return -1;
    if (spec->names.count > 0 && extension_names(certificate, spec->names, e) < 0)
        return -1;
    if (spec->permitted.count + spec->excluded.count > 0 &&
        extension_name_constraints(certificate, spec->permitted, spec->excluded, e) < 0)
        return -1;
    if ((spec->ca_issuers != NULL || spec->ocsp != NULL) &&
        extension_locations(certificate, spec->ca_issuers, spec->ocsp, e) < 0)
        return -1;
    if (spec->crl != NULL && extension_crl(certificate, spec->crl, e) < 0)
        return -1;
    if (spec->must_staple && extension_must_staple(certificate, e) < 0)
        return -1;
    if (spec->rehearsal && extension_private(certificate, OID_REHEARSAL, false,
                                             "Rehearsal CA. NOT FOR PRODUCTION.", e) < 0)
        return -1;
    return 0;
}

static int fill(X509 *certificate, const struct certificate_spec *spec, EVP_PKEY *key,
                const struct signer *issuer, struct error *e)
{
    X509_NAME *subject = X509_get_subject_name(certificate);

    if (certificate_set_subject(subject, spec->organization, spec->common_name, e) < 0 ||
        certificate_set_serial(certificate, spec->serial, e) < 0 ||
        certificate_set_dates(certificate, spec->not_before, spec->not_after, e) < 0)
        return -1;
    if (X509_set_version(certificate, X509_VERSION_3) != 1 ||
        X509_set_pubkey(certificate, key) != 1 ||
        X509_set_issuer_name(certificate, issuer == NULL
                                              ? subject
                                              : X509_get_subject_name(issuer->certificate)) != 1)
        return openssl_failed(e, "fill a certificate");
    if (set_extensions(certificate, spec, issuer, e) < 0)
        return -1;
    return certificate_sign(certificate, issuer == NULL ? key : issuer->key, NULL, e);
}

X509 *certificate_make(const struct certificate_spec *spec, EVP_PKEY *key,
                       const struct signer *issuer, struct error *e)
{
    X509 *certificate = X509_new();

    if (certificate == NULL)
        return openssl_failed(e, "make a certificate"), NULL;
    if (fill(certificate, spec, key, issuer, e) == 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

const EVP_MD *signing_digest(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "ED25519"))
        return NULL;
    return EVP_PKEY_get_security_bits(key) > 128 ? EVP_sha384() : EVP_sha256();
}

int certificate_sign(X509 *certificate, EVP_PKEY *key, const char *digest, struct error *e)
{
    const EVP_MD *method = digest == NULL ? signing_digest(key) : EVP_get_digestbyname(digest);

    if (X509_sign(certificate, key, method) > 0)
        return 0;
    if (digest != NULL)
        return failed(e, "no signature of %s keys uses %s", EVP_PKEY_get0_type_name(key), digest);
    return openssl_failed(e, "sign a certificate");
}

/* --- reading ------------------------------------------------------------------------------------ */

void serial_text(const ASN1_INTEGER *serial, char out[SERIAL_TEXT])
{
    const unsigned char *octets = ASN1_STRING_get0_data(serial);
    int length = ASN1_STRING_length(serial);
    char *at = out;

    if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
        *at++ = '-';
    for (int i = 0; i < length && at - out + 3 <= SERIAL_TEXT; i++)
        at += snprintf(at, 3, "%02x", octets[i]);
    *at = '\0';
}

void certificate_serial(const X509 *certificate, char out[SERIAL_TEXT])
{
    serial_text(X509_get0_serialNumber(certificate), out);
}

int64_t time_of(const ASN1_TIME *time)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return INT64_MIN;
    return timegm(&tm);
}

int64_t certificate_not_before(const X509 *certificate)
{
    return time_of(X509_get0_notBefore(certificate));
}

int64_t certificate_not_after(const X509 *certificate)
{
    return time_of(X509_get0_notAfter(certificate));
}
