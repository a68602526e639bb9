/* revocation.h -- signed OCSP responses (RFC 6960) and CRLs (RFC 5280 section 5).
 *
 * Every date is given, producedAt too; the real clock is never read.
 */
#ifndef FAKECA_REVOCATION_H
#define FAKECA_REVOCATION_H

#include <openssl/x509.h>
#include <stdint.h>

#include "fakeca/certificate.h"
#include "fakeca/chain.h"

struct validity {
    int64_t from, until; /* thisUpdate and nextUpdate, Unix seconds */
};

struct revoked {
    char serial[SERIAL_TEXT];
    int64_t at;
    int reason; /* CRL_REASON_... of openssl/x509v3.h; negative: none given */
};

/* An index for OCSP_cert_status_str's words: "good", "revoked" or "unknown". */
int status_named(const char *word, int *status, struct error *e);
/* "keyCompromise" and its like, RFC 5280 section 5.3.1. */
int reason_named(const char *word, int *reason, struct error *e);

/* What the issuer itself answers about `certificate`, as DER to be freed with free().  `revoked`
 * is read where `status` says so. */
int ocsp_respond(X509 *certificate, const struct signer *issuer, int status,
                 const struct revoked *revoked, struct validity validity, struct blob *out,
                 struct error *e);

/* To be freed with X509_CRL_free. */
X509_CRL *crl_make(const struct signer *issuer, const struct revoked *revoked, size_t count,
                   struct validity validity, long number, struct error *e);

#endif
