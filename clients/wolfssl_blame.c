#include <stdio.h>

#include "clients/wolfssl_parts.h"

#define E(symbol, outcome)                                                                         \
    {                                                                                              \
        symbol, #symbol, OUTCOME_##outcome                                                         \
    }
static const struct row {
    int number;
    const char *name;
    enum outcome outcome;
} rows[] = {
    /* what the verify callback is told: some of OpenSSL's numbers ... */
    E(X509_V_ERR_CERT_SIGNATURE_FAILURE, BAD_SIGNATURE),
    E(X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, NOT_YET_VALID),
    E(X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, EXPIRED),
    E(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, SELF_SIGNED),
    E(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNKNOWN_ISSUER),
    E(X509_V_ERR_PATH_LENGTH_EXCEEDED, PATH_LENGTH),
    /* ... which a library built without OPENSSL_COMPATIBLE_DEFAULTS, other than Debian's, tells by its own */
    E(ASN_NO_SIGNER_E, UNKNOWN_ISSUER),
    E(ASN_SELF_SIGNED_E, SELF_SIGNED),
    E(ASN_SIG_CONFIRM_E, BAD_SIGNATURE),
    E(ASN_PATHLEN_INV_E, PATH_LENGTH),
    /* ... and its own, there as well as from wolfSSL_get_error */
    E(ASN_BEFORE_DATE_E, NOT_YET_VALID),
    E(ASN_AFTER_DATE_E, EXPIRED),
    E(ASN_SIG_OID_E, BAD_SIGNATURE),
    E(VERIFY_SIGN_ERROR, BAD_SIGNATURE),
    E(SIG_VERIFY_E, BAD_SIGNATURE),
    E(RSA_PAD_E, BAD_SIGNATURE),
    E(DOMAIN_NAME_MISMATCH, WRONG_NAME),
    E(ASN_NAME_INVALID_E, NAME_CONSTRAINT),
    E(ASN_CRIT_EXT_E, CRITICAL_EXTENSION),
    E(KEYUSE_SIGNATURE_E, WRONG_PURPOSE),
    E(EXTKEYUSE_AUTH_E, WRONG_PURPOSE),
    E(RSA_KEY_SIZE_E, WEAK_KEY),
    E(DH_KEY_SIZE_E, WEAK_KEY),
    E(OCSP_CERT_REVOKED, REVOKED),
    E(CRL_CERT_REVOKED, REVOKED),
    E(CRL_MISSING, REVOCATION_UNKNOWN),
    E(OCSP_CERT_UNKNOWN, REVOCATION_UNKNOWN),
    E(BAD_CERTIFICATE_STATUS_ERROR, REVOCATION_UNKNOWN),
    E(ASN_PARSE_E, MALFORMED),
    E(ASN_VERSION_E, MALFORMED),
    E(ASN_OBJECT_ID_E, MALFORMED),
    E(ASN_EXPECT_0_E, MALFORMED),
    E(ASN_BITSTR_E, MALFORMED),
    E(ASN_UNKNOWN_OID_E, MALFORMED),
    E(PEER_KEY_ERROR, MALFORMED),
    E(HANDSHAKE_SIZE_ERROR, MALFORMED),
    E(BUFFER_ERROR, MALFORMED),
    E(BUFFER_E, MALFORMED),
    E(LENGTH_ERROR, MALFORMED),
    E(PARSE_ERROR, MALFORMED),
    E(DECODE_E, MALFORMED),
    E(ECC_PEERKEY_ERROR, MALFORMED),
    E(VERSION_ERROR, PROTOCOL_VERSION),
    E(ECC_CURVE_OID_E, NO_SHARED_CIPHER),
    E(MATCH_SUITE_ERROR, NO_SHARED_CIPHER),
    E(UNSUPPORTED_SUITE, NO_SHARED_CIPHER),
    E(ECC_CURVETYPE_ERROR, NO_SHARED_CIPHER),
    E(ECC_CURVE_ERROR, NO_SHARED_CIPHER),
    E(ALGO_ID_E, NO_SHARED_CIPHER),
    E(BAD_KEY_SHARE_DATA, NO_SHARED_CIPHER),
    E(WOLFSSL_ERROR_ZERO_RETURN, CLOSED),
    E(FATAL_ERROR, OTHER),
    E(SOCKET_ERROR_E, OTHER),
    E(UNKNOWN_RECORD_TYPE, OTHER),
};

static const struct row *row_numbered(int number)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

void wolfssl_note_alerts(struct session *session)
{
    struct verdict *verdict = session->verdict;
    WOLFSSL_ALERT_HISTORY history;

    if (wolfSSL_get_alert_history(session->ssl, &history) != WOLFSSL_SUCCESS)
        return;
    if (history.last_rx.code > 0)
        verdict->alert_received = history.last_rx.code;
    /* The first one tells why; a second may follow and say unknown_ca. */
    if (history.last_tx.code > 0 && verdict->alert_sent == ALERT_NONE)
        verdict->alert_sent = history.last_tx.code;
}

bool wolfssl_agreed(const struct session *session)
{
    return wolfSSL_get_current_cipher_suite(session->ssl) != 0;
}

static const char *name_of(int number)
{
    const struct row *row = row_numbered(number);

    return row == NULL ? "wolfSSL" : row->name;
}

/* `first` is what the verify callback heard first, and what counts; `last` is what the library
 * returned in the end, and has words for. */
static void blame_certificate(struct session *session, int first, int last)
{
    const struct row *row = row_numbered(first);
    char code[96];

    if (first == last)
        snprintf(code, sizeof code, "%s (%d)", name_of(first), first);
    else
        snprintf(code, sizeof code, "%s (%d), then %d", name_of(first), first, last);
    verdict_set(session->verdict, row == NULL ? OUTCOME_OTHER : row->outcome, session->first_depth,
                code, wolfSSL_ERR_reason_error_string((unsigned long)last));
}

void wolfssl_blame(struct session *session, int number)
{
    struct verdict *verdict = session->verdict;
    const struct row *row = row_numbered(number);
    char code[96];

    wolfssl_note_alerts(session);
    if (session->first_error != 0) {
        blame_certificate(session, session->first_error, number);
        return;
    }
    snprintf(code, sizeof code, "%s (%d)", name_of(number), number);
    verdict_set(verdict, row == NULL ? OUTCOME_OTHER : row->outcome, DEPTH_UNKNOWN, code,
                wolfSSL_ERR_reason_error_string((unsigned long)number));
    if (number == FATAL_ERROR && verdict->alert_received > 0)
        verdict->outcome = alert_outcome(verdict->alert_received, wolfssl_agreed(session));
    else if (number == OCSP_CERT_UNKNOWN && session->profile->staple == STAPLE_REQUIRE)
        verdict->outcome = OUTCOME_STAPLE_MISSING; /* what EnableOCSPMustStaple answers */
}
