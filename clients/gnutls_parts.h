/* gnutls_parts.h -- what the GnuTLS driver's own files know of each other.
 *
 *     gnutls.c            sessions, and the driver itself
 *     gnutls_profile.c    settings into credentials
 *     gnutls_priority.c   settings into a priority string
 *     gnutls_verify.c     chains and staples, and errors into outcomes
 */
#ifndef CLIENTS_GNUTLS_PARTS_H
#define CLIENTS_GNUTLS_PARTS_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "clients/driver.h"
#include "clients/words.h"

#define ALPN_NAMES 16

struct profile {
    const struct settings *settings;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    int staple;
    gnutls_datum_t alpn[ALPN_NAMES];
    char alpn_text[ALPN_NAMES][256];
    unsigned alpn_count;
};

struct session {
    struct profile *profile;
    gnutls_session_t tls;
    struct stream *stream;
    struct verdict *verdict;
    char name[256];
    bool refused;            /* by verification, which has said why */
    int bad_at;              /* depth of the first certificate refused, or DEPTH_UNKNOWN */
    enum outcome constraint; /* which one its issuer's constraints were, if they were it */
};

/* Our words for groups, and GnuTLS's. */
extern const struct word gnutls_groups[];

/* The driver's prepare and forget. */
struct profile *gnutls_driver_prepare(const struct settings *settings, struct error *e);
void gnutls_driver_forget(struct profile *profile);
int gnutls_set_priority(struct profile *profile, const struct settings *settings, struct error *e);

/* Callbacks of a session: the chain (0 accepts it), and each certificate as it is judged. */
int gnutls_on_chain(gnutls_session_t tls);
int gnutls_on_certificate(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
                          gnutls_x509_crl_t crl, unsigned status);
/* Writes into the verdict what GNUTLS_E number, or the alert that came, means. */
void gnutls_blame_error(struct session *session, int number);

#endif
