/* serve_tls.h -- the certificate that the ACME server itself shows. */
#ifndef FAKECA_SERVE_TLS_H
#define FAKECA_SERVE_TLS_H

#include <openssl/ssl.h>
#include <stdint.h>

#include "testbed/wire/error.h"

/* A fresh one for `host`, localhost and the loopback addresses, from the authority in DIR/https, which
 * is made if it is not there.  To be freed with SSL_CTX_free; NULL with *e. */
SSL_CTX *serve_tls_new(const char *directory, const char *host, int64_t now, struct error *e);

/* The same kind of authority as `fakeca init` makes, where there is none in `directory` yet. */
int authority_need(const char *directory, const char *name, int64_t now, struct error *e);

#endif
