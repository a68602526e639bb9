#include <gnutls/ocsp.h>
#include <stdio.h>
#include <string.h>

#include "clients/gnutls_parts.h"

#define S(symbol, outcome)                                                                         \
    {                                                                                              \
        GNUTLS_CERT_##symbol, "GNUTLS_CERT_" #symbol, OUTCOME_##outcome                            \
    }
static const struct status_row {
    unsigned bit;
    const char *name;
    enum outcome outcome;
} status_rows[] = {
    S(REVOKED, REVOKED),
    S(SIGNER_NOT_FOUND, UNKNOWN_ISSUER),
    S(SIGNER_NOT_CA, NOT_A_CA),
    S(INSECURE_ALGORITHM, WEAK_SIGNATURE),
    S(NOT_ACTIVATED, NOT_YET_VALID),
    S(EXPIRED, EXPIRED),
    S(SIGNATURE_FAILURE, BAD_SIGNATURE),
    S(REVOCATION_DATA_SUPERSEDED, REVOCATION_UNKNOWN),
    S(UNEXPECTED_OWNER, WRONG_NAME),
    S(SIGNER_CONSTRAINTS_FAILURE, NAME_CONSTRAINT),
    S(PURPOSE_MISMATCH, WRONG_PURPOSE),
    S(MISSING_OCSP_STATUS, STAPLE_MISSING),
    S(INVALID_OCSP_STATUS, REVOCATION_UNKNOWN),
    S(UNKNOWN_CRIT_EXTENSIONS, CRITICAL_EXTENSION),
};
#define STATUS_ROWS (sizeof status_rows / sizeof status_rows[0])

static const struct error_row {
    int number;
    enum outcome outcome;
} error_rows[] = {
    {GNUTLS_E_UNSUPPORTED_VERSION_PACKET,      OUTCOME_PROTOCOL_VERSION},
    {GNUTLS_E_UNKNOWN_CIPHER_SUITE,            OUTCOME_NO_SHARED_CIPHER},
    {GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM, OUTCOME_NO_SHARED_CIPHER},
    {GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY,       OUTCOME_NO_SHARED_CIPHER},
    {GNUTLS_E_ECC_NO_SUPPORTED_CURVES,         OUTCOME_NO_SHARED_CIPHER},
    {GNUTLS_E_ECC_UNSUPPORTED_CURVE,           OUTCOME_NO_SHARED_CIPHER},
    {GNUTLS_E_PK_SIG_VERIFY_FAILED,            OUTCOME_BAD_SIGNATURE   },
    {GNUTLS_E_KEY_USAGE_VIOLATION,             OUTCOME_WRONG_PURPOSE   },
    {GNUTLS_E_DH_PRIME_UNACCEPTABLE,           OUTCOME_WEAK_KEY        },
    {GNUTLS_E_ASN1_ELEMENT_NOT_FOUND,          OUTCOME_MALFORMED       },
    {GNUTLS_E_ASN1_DER_ERROR,                  OUTCOME_MALFORMED       },
    {GNUTLS_E_ASN1_TAG_ERROR,                  OUTCOME_MALFORMED       },
    {GNUTLS_E_ASN1_TIME_ERROR,                 OUTCOME_MALFORMED       },
    {GNUTLS_E_CERTIFICATE_TIME_ERROR,          OUTCOME_MALFORMED       },
    {GNUTLS_E_CONSTRAINT_ERROR,                OUTCOME_PATH_LENGTH     }, /* more than 16 certificates */
    {GNUTLS_E_X509_DUPLICATE_EXTENSION,        OUTCOME_MALFORMED       },
    {GNUTLS_E_CERTIFICATE_ERROR,               OUTCOME_MALFORMED       },
    {GNUTLS_E_NO_CERTIFICATE_FOUND,            OUTCOME_MALFORMED       },
    {GNUTLS_E_PK_INVALID_PUBKEY,               OUTCOME_MALFORMED       },
    {GNUTLS_E_HANDSHAKE_TOO_LARGE,             OUTCOME_MALFORMED       },
    {GNUTLS_E_UNEXPECTED_PACKET_LENGTH,        OUTCOME_MALFORMED       },
    {GNUTLS_E_UNEXPECTED_EXTENSIONS_LENGTH,    OUTCOME_MALFORMED       },
    {GNUTLS_E_RECORD_OVERFLOW,                 OUTCOME_MALFORMED       },
    {GNUTLS_E_SESSION_EOF,                     OUTCOME_CLOSED          },
};

/* Errors that say what is wrong with the peer's bytes, but not with TCP. */
static enum outcome error_outcome(int number)
{
    for (size_t i = 0; i < sizeof error_rows / sizeof error_rows[0]; i++)
        if (error_rows[i].number == number)
            return error_rows[i].outcome;
    return OUTCOME_OTHER;
}

void gnutls_blame_error(struct session *session, int number)
{
    struct verdict *verdict = session->verdict;
    enum outcome outcome = error_outcome(number);
    const char *name = gnutls_strerror_name(number);
    const char *words = gnutls_strerror(number);
    char code[96];

    snprintf(code, sizeof code, "%s (%d)", name == NULL ? "GNUTLS_E" : name, number);
    if (number == GNUTLS_E_UNEXPECTED_PACKET_LENGTH && session->stream->ended)
        outcome = OUTCOME_OTHER; /* a record that was cut off: TCP knows more */
    if (number == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        outcome = alert_outcome(verdict->alert_received, verdict->cipher[0] != '\0');
        words = gnutls_alert_get_name((gnutls_alert_description_t)verdict->alert_received);
    }
    verdict_set(verdict, outcome, DEPTH_UNKNOWN, code, words);
}

/* --- verification ------------------------------------------------------------------------------- */

static void add_chain(struct session *session)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session->tls, &count);

    for (unsigned i = 0; i < count; i++)
        verdict_add_certificate(session->verdict, chain[i].data, chain[i].size);
}

static void blame_status(struct session *session, unsigned status)
{
    struct verdict *verdict = session->verdict;
    enum outcome outcome = OUTCOME_OTHER;
    gnutls_datum_t words = {NULL, 0};
    char code[96] = "";
    size_t used = 0;

    for (size_t i = 0; i < STATUS_ROWS; i++) {
        if (!(status & status_rows[i].bit))
            continue;
        outcome = outcome_blame(outcome, status_rows[i].outcome);
        if (used < sizeof code)
            used += (size_t)snprintf(code + used, sizeof code - used, "%s%s", used > 0 ? " " : "",
                                     status_rows[i].name);
    }
    if (used < sizeof code)
        snprintf(code + used, sizeof code - used, " (0x%x)", status);
    if (outcome == OUTCOME_NAME_CONSTRAINT)
        outcome = session->constraint;
    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0) < 0)
        words.data = NULL;
    while (words.size > 0 && words.data[words.size - 1] == ' ')
        words.data[--words.size] = '\0';
    verdict_set(verdict, outcome, session->bad_at, code, (const char *)words.data);
    gnutls_free(words.data);
}

static struct session
    *verifying; /* whose chain gnutls_on_certificate is told of: it gets no context */

/* The depth of a certificate, among those received. */
static int depth_of(gnutls_session_t tls, gnutls_x509_crt_t certificate)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls, &count);
    gnutls_datum_t der;
    int depth = DEPTH_UNKNOWN;

    if (gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) < 0)
        return DEPTH_UNKNOWN;
    for (unsigned i = 0; i < count && depth == DEPTH_UNKNOWN; i++)
        if (chain[i].size == der.size && memcmp(chain[i].data, der.data, der.size) == 0)
            depth = (int)i;
    gnutls_free(der.data);
    return depth;
}

static bool has_name_constraints(gnutls_x509_crt_t issuer)
{
    static const char oid[] = GNUTLS_X509EXT_OID_NAME_CONSTRAINTS;
    size_t size = 0;
    int found = gnutls_x509_crt_get_extension_by_oid(issuer, oid, 0, NULL, &size, NULL);

    return found != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

/* The library has one word for many constraints of an issuer's; the issuer itself tells which.
 * `below` is how many issuers there are under it (RFC 5280, 4.2.1.9 and 4.2.1.3). */
static enum outcome constraint_of(gnutls_x509_crt_t issuer, int below)
{
    unsigned critical, ca, usage;
    int allowed = -1;

    if (gnutls_x509_crt_get_key_usage(issuer, &usage, &critical) == 0 &&
        !(usage & GNUTLS_KEY_KEY_CERT_SIGN))
        return OUTCOME_NOT_A_CA;
    if (gnutls_x509_crt_get_basic_constraints(issuer, &critical, &ca, &allowed) >= 0 &&
        allowed >= 0 && below > allowed)
        return OUTCOME_PATH_LENGTH;
    return has_name_constraints(issuer) ? OUTCOME_NAME_CONSTRAINT : OUTCOME_OTHER;
}

/* ... or that it has no key for such a signature. */
static enum outcome signature_of(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer)
{
    int algorithm = gnutls_x509_crt_get_signature_algorithm(certificate);
    int key = gnutls_x509_crt_get_pk_algorithm(issuer, NULL);

    if (algorithm < 0 || key < 0)
        return OUTCOME_OTHER;
    return gnutls_sign_supports_pk_algorithm((gnutls_sign_algorithm_t)algorithm,
                                             (gnutls_pk_algorithm_t)key)
               ? OUTCOME_OTHER
               : OUTCOME_BAD_SIGNATURE;
}

static void suspect(enum outcome constraint)
{
    verifying->constraint = outcome_blame(verifying->constraint, constraint);
}

/* Called for every certificate as it is judged. */
int gnutls_on_certificate(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
                          gnutls_x509_crl_t crl, unsigned status)
{
    int depth = depth_of(verifying->tls, certificate);

    (void)crl;
    if ((status & GNUTLS_CERT_INVALID) && verifying->bad_at == DEPTH_UNKNOWN)
        verifying->bad_at = depth;
    if (depth > 0)
        suspect(constraint_of(certificate, depth - 1));
    if (issuer != NULL) {
        suspect(constraint_of(issuer, depth));
        suspect(signature_of(certificate, issuer));
    }
    return 0;
}

/* What the staple says, and "bad" where the library does not believe that it is good. */
static const char *staple_word(gnutls_session_t tls)
{
    gnutls_datum_t der;
    gnutls_ocsp_resp_t response;
    unsigned said = GNUTLS_OCSP_CERT_GOOD;

    if (gnutls_ocsp_status_request_get2(tls, 0, &der) < 0)
        return "none";
    if (gnutls_ocsp_resp_init(&response) < 0)
        return "bad";
    if (gnutls_ocsp_resp_import2(response, &der, GNUTLS_X509_FMT_DER) == 0)
        gnutls_ocsp_resp_get_single(response, 0, NULL, NULL, NULL, NULL, &said, NULL, NULL, NULL,
                                    NULL);
    gnutls_ocsp_resp_deinit(response);
    if (said != GNUTLS_OCSP_CERT_GOOD)
        return said == GNUTLS_OCSP_CERT_REVOKED ? "revoked" : "unknown";
    return gnutls_ocsp_status_request_is_checked(tls, 0) ? "good" : "bad";
}

/* 0 accepts the chain; anything else ends the handshake with GNUTLS_E_CERTIFICATE_ERROR. */
int gnutls_on_chain(gnutls_session_t tls)
{
    struct session *session = gnutls_session_get_ptr(tls);
    struct verdict *verdict = session->verdict;
    gnutls_typed_vdata_st wanted[] = {
        {GNUTLS_DT_DNS_HOSTNAME,    (unsigned char *)session->name,            0},
        {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER, 0},
    };
    unsigned status = 0;
    int result;

    add_chain(session);
    verifying = session;
    result = gnutls_certificate_verify_peers(tls, wanted, 2, &status);
    if (session->profile->staple != STAPLE_IGNORE)
        verdict->staple = staple_word(tls);
    if (session->profile->settings->no_verify)
        return 0;
    if (result < 0)
        gnutls_blame_error(session, result);
    else if (status != 0)
        blame_status(session, status);
    else if (session->profile->staple == STAPLE_REQUIRE && strcmp(verdict->staple, "none") == 0)
        verdict_set(verdict, OUTCOME_STAPLE_MISSING, 0, "gnutls_ocsp_status_request_is_checked (0)",
                    "no OCSP response was stapled");
    else
        return 0;
    session->refused = true;
    return -1;
}
