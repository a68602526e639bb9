#include "fakeca/revocation.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/openssl_error.h"

struct word {
    const char *word;
    int value;
};

static const struct word statuses[] = {
    {"good",                     V_OCSP_CERTSTATUS_GOOD},
    {"revoked",                          V_OCSP_CERTSTATUS_REVOKED},
    {"unknown",V_OCSP_CERTSTATUS_UNKNOWN},
    {0                 },
};

static const struct word reasons[] = {
    {"unspecified",                      CRL_REASON_UNSPECIFIED},
    {"keyCompromise",                                  CRL_REASON_KEY_COMPROMISE},
    {"cACompromise",CRL_REASON_CA_COMPROMISE},
    {"affiliationChanged",                     CRL_REASON_AFFILIATION_CHANGED},
    {"superseded",                                  CRL_REASON_SUPERSEDED},
    {"cessationOfOperation",CRL_REASON_CESSATION_OF_OPERATION},
    {"certificateHold",                       CRL_REASON_CERTIFICATE_HOLD},
    {"privilegeWithdrawn",                                  CRL_REASON_PRIVILEGE_WITHDRAWN},
    {0                 },
};

static int find(const struct word *words, const char *word, int *value, const char *what,
                struct error *e)
{
    char expected[256] = "";

    for (; words->word != NULL; words++) {
        if (strcmp(words->word, word) == 0) {
            *value = words->value;
            return 0;
        }
        strcat(strcat(expected, expected[0] == '\0' ? "" : ", "), words->word);
    }
    return failed(e, "'%s' is not a %s; expected one of %s", word, what, expected);
}

int status_named(const char *word, int *status, struct error *e)
{
    return find(statuses, word, status, "status", e);
}

int reason_named(const char *word, int *reason, struct error *e)
{
    return find(reasons, word, reason, "reason", e);
}

int blob_of(unsigned char *der, int length, struct blob *out)
{
    *out = (struct blob){0};
    if (der == NULL || length <= 0)
        return -1;
    out->bytes = malloc((size_t)length);
    if (out->bytes != NULL) {
        out->length = (size_t)length;
        memcpy(out->bytes, der, out->length);
    }
    OPENSSL_free(der);
    return out->bytes == NULL ? -1 : 0;
}

int blob_of_garbage(size_t length, struct blob *out, struct error *e)
{
    *out = (struct blob){malloc(length), length};
    if (out->bytes == NULL)
        return failed(e, "out of memory");
    for (size_t i = 0; i < length; i++)
        out->bytes[i] = (unsigned char)(0xff - 37 * i);
    return 0;
}

/* --- OCSP --------------------------------------------------------------------------------------- */

int ocsp_state(OCSP_BASICRESP *basic, OCSP_CERTID *id, const struct standing *standing,
               struct validity validity, struct error *e)
{
    bool revoked = standing->status == V_OCSP_CERTSTATUS_REVOKED;
    bool ends = validity.until != NO_END;
    ASN1_TIME *from = ASN1_GENERALIZEDTIME_set(NULL, (time_t)validity.from);
    ASN1_TIME *until = ends ? ASN1_GENERALIZEDTIME_set(NULL, (time_t)validity.until) : NULL;
    ASN1_TIME *at = revoked ? ASN1_GENERALIZEDTIME_set(NULL, (time_t)standing->revoked.at) : NULL;
    int reason = !revoked || standing->revoked.reason < 0 ? OCSP_REVOKED_STATUS_NOSTATUS
                                                          : standing->revoked.reason;
    OCSP_SINGLERESP *single = NULL;

    if (from != NULL && (until != NULL || !ends))
        single = OCSP_basic_add1_status(basic, id, standing->status, reason, at, from, until);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(at);
    return single == NULL ? openssl_failed(e, "add to an OCSP response") : 0;
}

int ocsp_sign(OCSP_BASICRESP *basic, const struct signer *signer, bool send, int64_t produced,
              struct error *e)
{
    /* OCSP_basic_sign would take producedAt from the real clock.  OCSP_NOTIME stops it, and
     * leaves it to us to set the field, for which there is no setter but this. */
    ASN1_GENERALIZEDTIME *produced_at = (ASN1_GENERALIZEDTIME *)OCSP_resp_get0_produced_at(basic);
    unsigned long flags = send ? OCSP_NOTIME : OCSP_NOTIME | OCSP_NOCERTS;

    if (ASN1_GENERALIZEDTIME_set(produced_at, (time_t)produced) != NULL &&
        OCSP_basic_sign(basic, signer->certificate, signer->key, signing_digest(signer->key), NULL,
                        flags) == 1)
        return 0;
    return openssl_failed(e, "sign an OCSP response");
}

int ocsp_encode(OCSP_BASICRESP *basic, struct blob *out, struct error *e)
{
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *der = NULL;
    int length = response == NULL ? -1 : i2d_OCSP_RESPONSE(response, &der);

    OCSP_RESPONSE_free(response);
    return blob_of(der, length, out) < 0 ? openssl_failed(e, "encode an OCSP response") : 0;
}

int ocsp_respond(X509 *certificate, const struct signer *issuer, const struct standing *standing,
                 struct validity validity, struct blob *out, struct error *e)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    /* SHA-1 here only names the issuer; it is the one digest that all clients look up */
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), certificate, issuer->certificate);
    int result = 0;

    if (basic == NULL || id == NULL)
        result = openssl_failed(e, "make an OCSP response");
    else if (ocsp_state(basic, id, standing, validity, e) < 0 ||
             ocsp_sign(basic, issuer, false, validity.from, e) < 0 ||
             ocsp_encode(basic, out, e) < 0)
        result = -1;
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    return result;
}

/* --- CRLs --------------------------------------------------------------------------------------- */

static int set_reason(X509_REVOKED *entry, int reason)
{
    ASN1_ENUMERATED *value;
    int status;

    if (reason <= CRL_REASON_UNSPECIFIED) /* left out, too: RFC 5280 section 5.3.1 */
        return 0;
    value = ASN1_ENUMERATED_new();
    status = value != NULL && ASN1_ENUMERATED_set(value, reason) == 1 &&
                     X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value, 0, 0) == 1
                 ? 0
                 : -1;
    ASN1_ENUMERATED_free(value);
    return status;
}

static int add_revoked(X509_CRL *crl, const struct revoked *revoked)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    BIGNUM *number = NULL;
    ASN1_INTEGER *serial =
        BN_hex2bn(&number, revoked->serial) == 0 ? NULL : BN_to_ASN1_INTEGER(number, NULL);
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)revoked->at);
    int status = -1;

    if (entry != NULL && serial != NULL && at != NULL &&
        X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
        X509_REVOKED_set_revocationDate(entry, at) == 1 &&
        set_reason(entry, revoked->reason) == 0 && X509_CRL_add0_revoked(crl, entry) == 1)
        status = 0;
    else
        X509_REVOKED_free(entry);
    ASN1_TIME_free(at);
    ASN1_INTEGER_free(serial);
    BN_free(number);
    return status;
}

static int add_crl_extensions(X509_CRL *crl, const struct signer *issuer, long number)
{
    const ASN1_OCTET_STRING *octets = X509_get0_subject_key_id(issuer->certificate);
    AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    int status = -1;

    if (id != NULL && octets != NULL)
        id->keyid = ASN1_OCTET_STRING_dup(octets);
    if (id != NULL && id->keyid != NULL && serial != NULL &&
        ASN1_INTEGER_set(serial, number) == 1 &&
        X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, id, 0, 0) == 1 &&
        X509_CRL_add1_ext_i2d(crl, NID_crl_number, serial, 0, 0) == 1)
        status = 0;
    AUTHORITY_KEYID_free(id);
    ASN1_INTEGER_free(serial);
    return status;
}

static int set_validity(X509_CRL *crl, struct validity validity)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)validity.from);
    ASN1_TIME *until = ASN1_TIME_set(NULL, (time_t)validity.until);
    int status = from != NULL && until != NULL && X509_CRL_set1_lastUpdate(crl, from) == 1 &&
                         X509_CRL_set1_nextUpdate(crl, until) == 1
                     ? 0
                     : -1;

    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return status;
}

X509_CRL *crl_make(const struct signer *issuer, const struct revoked *revoked, size_t count,
                   struct validity validity, long number, struct error *e)
{
    X509_CRL *crl = X509_CRL_new();
    int status = -1;

    if (crl != NULL && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->certificate)) == 1)
        status = set_validity(crl, validity);
    for (size_t i = 0; i < count && status == 0; i++)
        status = add_revoked(crl, &revoked[i]);
    if (status == 0 && add_crl_extensions(crl, issuer, number) == 0 && X509_CRL_sort(crl) == 1 &&
        X509_CRL_sign(crl, issuer->key, signing_digest(issuer->key)) > 0)
        return crl;
    X509_CRL_free(crl);
    return openssl_failed(e, "make a CRL"), NULL;
}
