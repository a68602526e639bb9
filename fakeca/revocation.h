/* revocation.h -- signed OCSP responses (RFC 6960) and CRLs (RFC 5280 section 5).
 *
 * Every date is given, producedAt too; the real clock is never read.
 */
#ifndef FAKECA_REVOCATION_H
#define FAKECA_REVOCATION_H

#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <stdint.h>

#include "fakeca/certificate.h"
#include "fakeca/chain.h"

#define NO_END INT64_MAX

struct validity {
    int64_t from, until; /* thisUpdate and nextUpdate, Unix seconds; NO_END: no nextUpdate */
};

struct revoked {
    char serial[SERIAL_TEXT];
    int64_t at;
    int64_t told; /* when it became known: earlier than `at` where it was announced */
    int reason;   /* CRL_REASON_... of openssl/x509v3.h; negative: none given */
};

/* What an issuer has to say of one of its certificates. */
struct standing {
    int status;             /* V_OCSP_CERTSTATUS_... of openssl/ocsp.h */
    struct revoked revoked; /* read where `status` is revoked */
};

/* An index for OCSP_cert_status_str's words: "good", "revoked" or "unknown". */
int status_named(const char *word, int *status, struct error *e);
/* "keyCompromise" and its like, RFC 5280 section 5.3.1. */
int reason_named(const char *word, int *reason, struct error *e);

/* What the issuer itself answers about `certificate`, as DER to be freed with free(). */
int ocsp_respond(X509 *certificate, const struct signer *issuer, const struct standing *standing,
                 struct validity validity, struct blob *out, struct error *e);

/* The same step by step, for answers to requests: any number of ocsp_state, extensions as wished,
 * then ocsp_sign and ocsp_encode. */
int ocsp_state(OCSP_BASICRESP *basic, OCSP_CERTID *id, const struct standing *standing,
               struct validity validity, struct error *e);
/* `send`: the signer's certificate goes along, because the client cannot have it. */
int ocsp_sign(OCSP_BASICRESP *basic, const struct signer *signer, bool send, int64_t produced,
              struct error *e);
int ocsp_encode(OCSP_BASICRESP *basic, struct blob *out, struct error *e);

/* To be freed with X509_CRL_free. */
X509_CRL *crl_make(const struct signer *issuer, const struct revoked *revoked, size_t count,
                   struct validity validity, long number, struct error *e);

/* What libcrypto has written, in memory that free() frees; frees `der`.  -1 for NULL or none. */
int blob_of(unsigned char *der, int length, struct blob *out);
/* Bytes that are no DER. */
int blob_of_garbage(size_t length, struct blob *out, struct error *e);

#endif
