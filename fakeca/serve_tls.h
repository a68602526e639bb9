/* serve_tls.h -- the certificate that the ACME server itself shows.
 *
 * Order of calls: serve_tls_open; serve_tls_broken; serve_tls_close.
 */
#ifndef FAKECA_SERVE_TLS_H
#define FAKECA_SERVE_TLS_H

#include <limits.h>
#include <openssl/ssl.h>
#include <stdint.h>

#include "fakeca/chain.h"
#include "testbed/wire/error.h"

struct serve_tls {
    char path[PATH_MAX]; /* of the authority that it comes from */
    struct chain *chain;
    SSL_CTX *context;
};

/* A fresh certificate for `host`, localhost and the loopback addresses, from the authority in DIR/https,
 * which is made if it is not there. */
int serve_tls_open(struct serve_tls *tls, const char *directory, const char *host, int64_t now,
                   struct error *e);
void serve_tls_close(struct serve_tls *tls); /* also what is all zero */

/* A server that shows the same chain, broken as a fault of fault.h does; with NULL for the fault, one that
 * has nothing to show and ends every handshake.  To be freed with SSL_CTX_free; NULL with *e. */
SSL_CTX *serve_tls_broken(const struct serve_tls *tls, const char *fault, int64_t now,
                          struct error *e);

/* The same kind of authority as `fakeca init` makes, where there is none in `directory` yet. */
int authority_need(const char *directory, const char *name, int64_t now, struct error *e);

#endif
