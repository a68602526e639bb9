/* outcome.h -- the one vocabulary in which the three libraries report.
 *
 * Every ending of a connection is one row: the word that scenarios use, and the gloss
 * that reports print.  The rows stand in the order of blame: where a library names
 * several reasons at once (GnuTLS answers with a set of bits), the first row wins.
 *
 * A row says what the *library* said.  Where one library accepts what another refuses,
 * or knows no finer word, that is a result and is never smoothed over.
 */
#ifndef CLIENTS_OUTCOME_H
#define CLIENTS_OUTCOME_H

#define OUTCOMES(X)                                                                                \
    X(OK, "ok", "the handshake was accepted")                                                      \
    X(REFUSED, "refused", "nobody listens there, or no way leads there")                           \
    X(NOT_TLS, "not-tls", "what answered does not speak TLS")                                      \
    X(PROTOCOL_VERSION, "protocol-version", "no TLS version in common")                            \
    X(NO_SHARED_CIPHER, "no-shared-cipher",                                                        \
      "no cipher suite, group or signature algorithm in common")                                   \
    X(ALERT_CERTIFICATE_REQUIRED, "alert-certificate-required",                                    \
      "the server wanted a client certificate and got none")                                       \
    X(ALERT_BAD_CERTIFICATE, "alert-bad-certificate", "the server refused our certificate")        \
    X(ALERT_UNSUPPORTED_CERTIFICATE, "alert-unsupported-certificate",                              \
      "the server does not take certificates such as ours")                                        \
    X(ALERT_CERTIFICATE_REVOKED, "alert-certificate-revoked",                                      \
      "the server holds our certificate for revoked")                                              \
    X(ALERT_CERTIFICATE_EXPIRED, "alert-certificate-expired",                                      \
      "the server holds our certificate for expired")                                              \
    X(ALERT_CERTIFICATE_UNKNOWN, "alert-certificate-unknown",                                      \
      "the server refused our certificate for a reason it did not name")                           \
    X(ALERT_UNKNOWN_CA, "alert-unknown-ca", "the server does not trust who issued ours")           \
    X(ALERT_ACCESS_DENIED, "alert-access-denied", "our certificate is good, but not for this")     \
    X(ALERT_UNRECOGNIZED_NAME, "alert-unrecognized-name", "the server has no host of that name")   \
    X(ALERT_NO_APPLICATION_PROTOCOL, "alert-no-application-protocol",                              \
      "no application protocol (ALPN) in common")                                                  \
    X(ALERT_HANDSHAKE_FAILURE, "alert-handshake-failure",                                          \
      "the server gave up after the parameters were agreed")                                       \
    X(ALERT_DECRYPT_ERROR, "alert-decrypt-error", "the server could not check our signature")      \
    X(ALERT_DECODE_ERROR, "alert-decode-error", "the server could not read our message")           \
    X(ALERT_ILLEGAL_PARAMETER, "alert-illegal-parameter", "the server disliked a parameter")       \
    X(ALERT_UNEXPECTED_MESSAGE, "alert-unexpected-message", "the server expected another message") \
    X(ALERT_MISSING_EXTENSION, "alert-missing-extension", "the server missed an extension")        \
    X(ALERT_INTERNAL_ERROR, "alert-internal-error", "the server failed for its own reasons")       \
    X(ALERT_USER_CANCELED, "alert-user-canceled", "the server called it off")                      \
    X(ALERT_OTHER, "alert-other", "the server sent an alert without a row of its own")             \
    X(MALFORMED, "malformed", "a certificate or message could not be read")                        \
    X(BAD_SIGNATURE, "bad-signature", "a signature does not verify")                               \
    X(SELF_SIGNED, "self-signed", "the server's certificate vouches only for itself")              \
    X(UNKNOWN_ISSUER, "unknown-issuer", "no path leads to a root the client trusts")               \
    X(NOT_A_CA, "not-a-ca", "an issuer in the chain is not allowed to issue")                      \
    X(PATH_LENGTH, "path-length",                                                                  \
      "the chain is longer than an issuer in it, or the library, allows")                          \
    X(NAME_CONSTRAINT, "name-constraint", "an issuer in the chain may not vouch for this name")    \
    X(CRITICAL_EXTENSION, "critical-extension", "a critical extension is not understood")          \
    X(WRONG_PURPOSE, "wrong-purpose", "a certificate is not meant for servers")                    \
    X(WEAK_SIGNATURE, "weak-signature", "a signature uses a digest too weak to trust")             \
    X(WEAK_KEY, "weak-key", "a key is too short to trust")                                         \
    X(REVOKED, "revoked", "a certificate was revoked by its issuer")                               \
    X(EXPIRED, "expired", "a certificate's last day has passed")                                   \
    X(NOT_YET_VALID, "not-yet-valid", "a certificate's first day is still to come")                \
    X(WRONG_NAME, "wrong-name", "the certificate is for another name")                             \
    X(STAPLE_MISSING, "staple-missing", "an OCSP staple was required and none came")               \
    X(REVOCATION_UNKNOWN, "revocation-unknown", "revocation was to be checked and could not be")   \
    X(RESET, "reset", "the connection was reset")                                                  \
    X(CLOSED, "closed", "the peer hung up in the middle of the handshake")                         \
    X(TIMEOUT, "timeout", "no verdict in the time given")                                          \
    X(OTHER, "other", "a reason without a row of its own; see the library's code")

enum outcome {
#define ENUMERATOR(symbol, word, gloss) OUTCOME_##symbol,
    OUTCOMES(ENUMERATOR)
#undef ENUMERATOR
        OUTCOME_COUNT
};

const char *outcome_word(enum outcome outcome);
const char *outcome_gloss(enum outcome outcome);
/* The one of two that is to blame: the earlier row, except that ok never is. */
enum outcome outcome_blame(enum outcome one, enum outcome other);

#define ALERT_NONE (-1)

/* The name of a TLS alert as RFC 8446 section 6 (or RFC 5246 section 7.2) spells it;
 * NULL for ALERT_NONE, "alert_77" for a number without a name, valid until the next call. */
const char *alert_word(int alert);
/* What it means to have received this alert.  `agreed`: the ServerHello had come, so that a
 * handshake_failure cannot mean that nothing was shared. */
enum outcome alert_outcome(int alert, int agreed);

#endif
