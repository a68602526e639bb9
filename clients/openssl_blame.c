#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "clients/openssl_parts.h"

struct row {
    int number;
    const char *name;
    enum outcome outcome;
};

#define V(symbol, outcome)                                                                         \
    {                                                                                              \
        X509_V_ERR_##symbol, "X509_V_ERR_" #symbol, OUTCOME_##outcome                              \
    }
static const struct row verify_rows[] = {
    V(CERT_HAS_EXPIRED, EXPIRED),
    V(CERT_NOT_YET_VALID, NOT_YET_VALID),
    V(UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNKNOWN_ISSUER),
    V(UNABLE_TO_GET_ISSUER_CERT, UNKNOWN_ISSUER),
    V(SELF_SIGNED_CERT_IN_CHAIN, UNKNOWN_ISSUER),
    V(DEPTH_ZERO_SELF_SIGNED_CERT, SELF_SIGNED),
    V(CERT_SIGNATURE_FAILURE, BAD_SIGNATURE),
    V(ERROR_IN_CERT_NOT_BEFORE_FIELD, MALFORMED),
    V(ERROR_IN_CERT_NOT_AFTER_FIELD, MALFORMED),
    V(INVALID_EXTENSION, MALFORMED),
    V(CA_MD_TOO_WEAK, WEAK_SIGNATURE),
    V(EE_KEY_TOO_SMALL, WEAK_KEY),
    V(CA_KEY_TOO_SMALL, WEAK_KEY),
    V(HOSTNAME_MISMATCH, WRONG_NAME),
    V(IP_ADDRESS_MISMATCH, WRONG_NAME),
    V(INVALID_PURPOSE, WRONG_PURPOSE),
    V(CERT_REJECTED, WRONG_PURPOSE),
    V(PERMITTED_VIOLATION, NAME_CONSTRAINT),
    V(EXCLUDED_VIOLATION, NAME_CONSTRAINT),
    V(SUBTREE_MINMAX, NAME_CONSTRAINT),
    V(UNSUPPORTED_CONSTRAINT_TYPE, NAME_CONSTRAINT),
    V(UNSUPPORTED_NAME_SYNTAX, NAME_CONSTRAINT),
    V(PATH_LENGTH_EXCEEDED, PATH_LENGTH),
    V(CERT_CHAIN_TOO_LONG, PATH_LENGTH),
    V(INVALID_CA, NOT_A_CA),
    V(UNHANDLED_CRITICAL_EXTENSION, CRITICAL_EXTENSION),
    V(CERT_REVOKED, REVOKED),
    V(UNABLE_TO_GET_CRL, REVOCATION_UNKNOWN),
    V(CRL_SIGNATURE_FAILURE, REVOCATION_UNKNOWN),
    V(CRL_NOT_YET_VALID, REVOCATION_UNKNOWN),
    V(CRL_HAS_EXPIRED, REVOCATION_UNKNOWN),
    V(ERROR_IN_CRL_LAST_UPDATE_FIELD, REVOCATION_UNKNOWN),
    V(ERROR_IN_CRL_NEXT_UPDATE_FIELD, REVOCATION_UNKNOWN),
    V(KEYUSAGE_NO_CRL_SIGN, REVOCATION_UNKNOWN),
    V(UNHANDLED_CRITICAL_CRL_EXTENSION, REVOCATION_UNKNOWN),
    V(DIFFERENT_CRL_SCOPE, REVOCATION_UNKNOWN),
    {0, NULL, OUTCOME_OTHER},
};

#define R(symbol, outcome)                                                                         \
    {                                                                                              \
        SSL_R_##symbol, "SSL_R_" #symbol, OUTCOME_##outcome                                        \
    }
static const struct row reason_rows[] = {
    R(UNSUPPORTED_PROTOCOL, PROTOCOL_VERSION),
    R(WRONG_SSL_VERSION, PROTOCOL_VERSION),
    R(WRONG_VERSION_NUMBER, PROTOCOL_VERSION),
    R(BAD_PROTOCOL_VERSION_NUMBER, PROTOCOL_VERSION),
    R(INAPPROPRIATE_FALLBACK, PROTOCOL_VERSION),
    R(NO_PROTOCOLS_AVAILABLE, PROTOCOL_VERSION),
    R(NO_CIPHERS_AVAILABLE, NO_SHARED_CIPHER),
    R(WRONG_CIPHER_RETURNED, NO_SHARED_CIPHER),
    R(UNKNOWN_CIPHER_RETURNED, NO_SHARED_CIPHER),
    R(BAD_KEY_SHARE, NO_SHARED_CIPHER),
    R(NO_SUITABLE_KEY_SHARE, NO_SHARED_CIPHER),
    R(WRONG_CURVE, NO_SHARED_CIPHER),
    R(WRONG_SIGNATURE_TYPE, NO_SHARED_CIPHER),
    R(LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED, WEAK_SIGNATURE),
    R(DH_KEY_TOO_SMALL, WEAK_KEY),
    R(ECC_CERT_NOT_FOR_SIGNING, WRONG_PURPOSE),
    R(BAD_SIGNATURE, BAD_SIGNATURE),
    R(CERT_LENGTH_MISMATCH, MALFORMED),
    R(LENGTH_MISMATCH, MALFORMED),
    R(LENGTH_TOO_SHORT, MALFORMED),
    R(BAD_PACKET,
      MALFORMED), /* of a CertificateVerify of TLS 1.3, which only who has the keys can cut short */
    R(EXCESSIVE_MESSAGE_SIZE, MALFORMED),
    R(PACKET_LENGTH_TOO_LONG, MALFORMED),
    R(BAD_EXTENSION, MALFORMED),
    R(BAD_ECPOINT, MALFORMED),
    R(INVALID_ALERT, MALFORMED),
    {0, NULL, OUTCOME_OTHER},
};

static const struct row *row_numbered(const struct row *rows, int number)
{
    while (rows->name != NULL && rows->number != number)
        rows++;
    return rows;
}

/* These parts of the library complain of what they are to read. */
static bool about_bytes(int library)
{
    return library == ERR_LIB_ASN1 || library == ERR_LIB_X509V3;
}

/* Of this thread's queue, the first error that we know; where there is none, the first.  What TLS makes of
 * it comes after what its parts say: "bad signature" after "invalid padding". */
static unsigned long telling_error(void)
{
    unsigned long first = ERR_peek_error(), error;

    while ((error = ERR_get_error()) != 0)
        if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
            row_numbered(reason_rows, ERR_GET_REASON(error))->name != NULL)
            return error;
    return first;
}

void openssl_blame_queue(struct session *session)
{
    struct verdict *verdict = session->verdict;
    unsigned long error = telling_error();
    int reason = ERR_GET_REASON(error);
    const struct row *row = row_numbered(reason_rows, reason);
    const char *words = ERR_reason_error_string(error);
    enum outcome outcome = row->outcome;
    char code[96] = "";

    if (error != 0 && ERR_GET_LIB(error) == ERR_LIB_SSL)
        snprintf(code, sizeof code, "%s (%d)", row->name == NULL ? "SSL_R" : row->name, reason);
    else if (error != 0)
        snprintf(code, sizeof code, "error:%08lX", error);
    if (ERR_GET_LIB(error) != ERR_LIB_SSL)
        outcome = about_bytes(ERR_GET_LIB(error)) ? OUTCOME_MALFORMED : OUTCOME_OTHER;
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
        outcome = alert_outcome(reason - SSL_AD_REASON_OFFSET, openssl_suite(session->ssl) != NULL);
    if (error == 0 && session->stream->error != 0)
        words = strerror(session->stream->error);
    verdict_set(verdict, outcome, DEPTH_UNKNOWN, code, words);
}

void openssl_blame_verification(struct verdict *verdict, int number, int depth)
{
    const struct row *row = row_numbered(verify_rows, number);
    char code[96];

    snprintf(code, sizeof code, "%s (%d)", row->name == NULL ? "X509_V_ERR" : row->name, number);
    verdict_set(verdict, row->outcome, depth, code, X509_verify_cert_error_string(number));
}
