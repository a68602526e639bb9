/* openssl_parts.h -- what the OpenSSL driver's own files know of each other.
 *
 *     openssl.c           sessions, and the driver itself
 *     openssl_profile.c   settings into an SSL_CTX
 *     openssl_blame.c     errors into outcomes
 *     openssl_staple.c    the application that verifies staples
 */
#ifndef CLIENTS_OPENSSL_PARTS_H
#define CLIENTS_OPENSSL_PARTS_H

#include <openssl/ssl.h>

#include "clients/driver.h"

struct profile {
    const struct settings *settings;
    SSL_CTX *context;
    int staple;
};

struct session {
    struct profile *profile;
    SSL *ssl;
    struct stream *stream;
    struct verdict *verdict;
};

struct session *openssl_session(const SSL *ssl);
/* The suite of the ServerHello, or NULL before it. */
const SSL_CIPHER *openssl_suite(const SSL *ssl);

/* An SSL_CTX for the settings, with everything but the driver's callbacks.  The driver's
 * prepare and forget. */
struct profile *openssl_prepare(const struct settings *settings, struct error *e);
void openssl_forget(struct profile *profile);
/* Callbacks of a context: alerts as they pass, the chain as it is verified, the staple. */
void openssl_on_event(const SSL *ssl, int where, int value);
int openssl_on_chain(X509_STORE_CTX *store, void *unused);
int openssl_on_staple(SSL *ssl, void *unused);

/* Writes into the verdict what made the last call fail, by this thread's queue of errors, and empties it. */
void openssl_blame_queue(struct session *session);
/* The same for a certificate that was refused, by X509_V_ERR number. */
void openssl_blame_verification(struct verdict *verdict, int number, int depth);

#endif
