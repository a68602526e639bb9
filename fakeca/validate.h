/* validate.h -- does whoever asks for a certificate hold the name?  By really connecting.
 *
 * http-01 (RFC 8555 section 8.3): GET /.well-known/acme-challenge/TOKEN on the configured port, following
 * ten redirects at most, to http and https only, on the two configured ports, which stand for 80 and
 * 443; what certificate an https server shows does not matter.
 * dns-01 (section 8.4): a TXT record of _acme-challenge.NAME.
 * tls-alpn-01 (RFC 8737): a handshake for acme-tls/1 on the other configured port.
 * Literal addresses (RFC 8738) are connected to as they are.
 *
 * An attempt has VALIDATE_SECONDS in all and ends by calling `done` once, never from within
 * validate_start; or by validator_close, which calls nobody.  Everything a peer says is untrusted.
 */
#ifndef FAKECA_VALIDATE_H
#define FAKECA_VALIDATE_H

#include <ev.h>
#include <openssl/ssl.h>
#include <stdint.h>

#include "fakeca/lookup.h"
#include "fakeca/problem.h"

#define VALIDATE_SECONDS       10.
#define KEY_AUTHORIZATION_TEXT 160
#define VALIDATION_GOOD        (-1)

struct attempt;

struct validator {
    struct ev_loop *loop;
    const struct address *resolver;      /* NULL: this machine's idea of names */
    const struct address *text_resolver; /* who is asked for texts; NULL: nobody */
    unsigned http_port, tls_port;
    /* `problem`: VALIDATION_GOOD or an enum problem, with `detail` for people. */
    void (*done)(void *context, int64_t authorization, int problem, const char *detail);
    void *context;
    SSL_CTX *tls; /* the validator's own, as is the next */
    struct attempt *first;
};

enum challenge { HTTP_01, DNS_01, TLS_ALPN_01, CHALLENGES };
extern const char *const challenge_names[CHALLENGES];

int validator_open(struct validator *validator, struct error *e);
void validator_close(struct validator *validator);

int validate_start(struct validator *validator, int64_t authorization, enum challenge challenge,
                   const char *identifier, const char *token, const char *key_authorization,
                   struct error *e);

#endif
