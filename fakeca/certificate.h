/* certificate.h -- one X.509 certificate: from a description, and edited afterwards.
 *
 * Every date is given; the real clock is never read.  RFC 5280 is the profile that
 * certificate_make keeps; breaking it is the business of fault.h.
 */
#ifndef FAKECA_CERTIFICATE_H
#define FAKECA_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "fakeca/extension.h"
#include "testbed/wire/error.h"

#define SERIAL_TEXT 68 /* room for certificate_serial: a sign, 32 octets */

/* What four digits of a year can say: 0000-01-01T00:00:00Z, 9999-12-31T23:59:59Z. */
#define FIRST_MOMENT INT64_C(-62167219200)
#define LAST_MOMENT  INT64_C(253402300799)

#define COMMON_NAME_MOST 64 /* ub-common-name, RFC 5280 appendix A.1 */

/* Who signs: borrowed by all who take it. */
struct signer {
    X509 *certificate;
    EVP_PKEY *key;
};

struct certificate_spec {
    const char *common_name;       /* left out where NULL or longer than X.520 allows */
    const char *organization;      /* or NULL */
    const char *serial;            /* hex */
    int64_t not_before, not_after; /* Unix seconds, both inclusive */
    struct words names;            /* subject alternative names */
    bool ca;
    int path_length; /* of a CA; -1 without limit */
    unsigned key_usage;
    struct words purposes;
    struct words permitted, excluded;    /* name constraints of a CA */
    const char *ca_issuers, *ocsp, *crl; /* URLs or NULL */
    bool must_staple;
    bool rehearsal; /* say in an extension that this is not for production */
};

/* `issuer` NULL: self-signed by `key`, which must then be a whole key pair.
 * The result is to be freed with X509_free. */
X509 *certificate_make(const struct certificate_spec *spec, EVP_PKEY *key,
                       const struct signer *issuer, struct error *e);

/* Signs what was edited.  `digest` NULL: the one that suits the key. */
int certificate_sign(X509 *certificate, EVP_PKEY *key, const char *digest, struct error *e);

int certificate_set_serial(X509 *certificate, const char *hex, struct error *e); /* "-0a" too */
int certificate_set_dates(X509 *certificate, int64_t not_before, int64_t not_after,
                          struct error *e);
int certificate_set_subject(X509_NAME *name, const char *organization, const char *common_name,
                            struct error *e);

/* Lower-case hex of whole octets, "-" before a negative one. */
void certificate_serial(const X509 *certificate, char out[SERIAL_TEXT]);
void serial_text(const ASN1_INTEGER *serial, char out[SERIAL_TEXT]);
int64_t certificate_not_before(const X509 *certificate);
int64_t certificate_not_after(const X509 *certificate);
int64_t time_of(const ASN1_TIME *time); /* INT64_MIN where it is no time */

/* The digest libcrypto wants for signing with this key; NULL for Ed25519, which has its own. */
const EVP_MD *signing_digest(const EVP_PKEY *key);

#endif
