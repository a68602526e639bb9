/* openssl_staple.c -- OpenSSL hands a staple over and leaves the rest to the application; this is it:
 * the response is read, its signature verified up to the roots, and then what it says of the
 * server's certificate, and until when. */
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "clients/openssl_parts.h"
#include "clients/words.h"

#define OCSP_SLACK 300 /* seconds a responder's clock may be ahead, as `openssl ocsp` allows */

static bool staple_refused(struct verdict *verdict, enum outcome outcome, const char *word,
                           const char *code, const char *words)
{
    verdict->staple = word;
    verdict_set(verdict, outcome, 0, code, words);
    return false;
}

/* What the response says of this certificate, once it is known to be authentic. */
static bool staple_status(struct verdict *verdict, OCSP_BASICRESP *basic, OCSP_CERTID *id)
{
    int status, reason;
    ASN1_GENERALIZEDTIME *revoked, *from, *until;

    if (OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &from, &until) != 1)
        return staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "bad", "OCSP_resp_find_status",
                              "the staple is about another certificate");
    if (OCSP_check_validity(from, until, OCSP_SLACK, -1) != 1)
        return staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "bad", "OCSP_check_validity",
                              ERR_reason_error_string(ERR_peek_last_error()));
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        return staple_refused(verdict, OUTCOME_REVOKED, "revoked", "V_OCSP_CERTSTATUS_REVOKED (1)",
                              "certificate revoked");
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "unknown",
                              "V_OCSP_CERTSTATUS_UNKNOWN (2)",
                              "the responder does not know the certificate");
    verdict->staple = "good";
    return true;
}

static bool staple_verify(SSL *ssl, OCSP_BASICRESP *basic)
{
    struct verdict *verdict = openssl_session(ssl)->verdict;
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
    OCSP_CERTID *id;
    bool good;

    if (sk_X509_num(chain) < 1)
        return staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "bad", NULL,
                              "no verified chain to check the staple with");
    if (OCSP_basic_verify(basic, chain, store, 0) <= 0)
        return staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "bad", "OCSP_basic_verify",
                              ERR_reason_error_string(ERR_peek_last_error()));
    /* A certificate that is itself the trust anchor is its own issuer. */
    id = OCSP_cert_to_id(NULL, sk_X509_value(chain, 0),
                         sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0));
    good = id != NULL && staple_status(verdict, basic, id);
    OCSP_CERTID_free(id);
    return good;
}

static bool staple_read(SSL *ssl, const unsigned char *der, long length)
{
    struct verdict *verdict = openssl_session(ssl)->verdict;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &der, length);
    OCSP_BASICRESP *basic = NULL;
    bool good;

    if (response != NULL && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
        basic = OCSP_response_get1_basic(response);
    if (basic != NULL)
        good = staple_verify(ssl, basic);
    else
        good = staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "bad",
                              response == NULL ? "d2i_OCSP_RESPONSE" : "OCSP_response_status",
                              response == NULL
                                  ? "the staple cannot be read"
                                  : OCSP_response_status_str(OCSP_response_status(response)));
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return good;
}

/* 1 go on; 0 refuse, with the alert bad_certificate_status_response. */
int openssl_on_staple(SSL *ssl, void *unused)
{
    struct session *session = openssl_session(ssl);
    const unsigned char *der;
    long length = SSL_get_tlsext_status_ocsp_resp(ssl, &der);

    (void)unused;
    if (length <= 0) {
        session->verdict->staple = "none";
        if (session->profile->staple != STAPLE_REQUIRE || session->profile->settings->no_verify)
            return 1;
        return staple_refused(session->verdict, OUTCOME_STAPLE_MISSING, "none", NULL,
                              "no OCSP response was stapled");
    }
    return staple_read(ssl, der, length) || session->profile->settings->no_verify;
}
