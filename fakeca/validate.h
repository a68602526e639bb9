/* validate.h -- does whoever asks for a certificate hold the name?  By really connecting.
 *
 * http-01 (RFC 8555 section 8.3): GET /.well-known/acme-challenge/TOKEN on the configured port, following
 * ten redirects at most, to http and https only, on the two configured ports, which stand for 80 and
 * 443; what certificate an https server shows does not matter.
 * dns-01 (section 8.4): a TXT record of _acme-challenge.NAME.
 * tls-alpn-01 (RFC 8737): a handshake for acme-tls/1 on the other configured port.
 * Literal addresses (RFC 8738) are connected to as they are.  Of several addresses IPv6 goes first, and the next
 * is tried where one refuses or keeps silent.
 *
 * Where there are several perspectives, each does all that by itself, with a resolver of its own; the first must
 * find all well, and of the others all but one (but two, of six and more): validate_quorum.c.
 * Where the policy has it, CAA is looked up after a good answer (caa.h).
 *
 * A detour is what an attempt meets on its way where a fault is about it; it then goes there and finds out by
 * itself, as for any other reason.
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
#include "fakeca/policy.h"
#include "fakeca/problem.h"

#define VALIDATE_SECONDS       10.
#define CONNECT_SECONDS        3. /* for one address that keeps silent, where there is another */
#define KEY_AUTHORIZATION_TEXT 160
#define VALIDATION_GOOD        (-1)

#define PERSPECTIVES_MOST 8

struct attempt;

/* All zero: none. */
struct detour {
    /* So many of the perspectives besides the first ask `stranger` about names; -1: all of them. */
    int estranged;
    bool circles; /* whatever a name stands for, connections lead to `circle` */
    double late;  /* real seconds: the perspectives besides the first look so much later */
    bool alien;   /* on this machine, connections come from another address of it: ALIEN_SOURCE */
};

#define ALIEN_SOURCE "127.0.0.66"

struct validator {
    struct ev_loop *loop;
    /* One for each perspective; NULL: this machine's idea of names, which knows addresses alone. */
    const struct resolver *resolvers[PERSPECTIVES_MOST];
    size_t perspectives;         /* 0 is 1 */
    const struct policy *policy; /* NULL: no CAA */
    unsigned http_port, tls_port;
    /* Where detours lead, literal addresses: a name server that knows no name, and a web server that redirects
     * to where one is.  NULL: there are no detours. */
    const struct resolver *stranger;
    const struct address *circle;
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

struct validation {
    int64_t authorization, account;
    enum challenge challenge;
    const char *identifier; /* without "*."; this and the next two are borrowed for the call */
    const char *token, *key_authorization;
    bool wildcard;
    bool proven; /* that was found out before: only CAA is to be looked at */
    struct detour detour;
};

int validate_start(struct validator *validator, const struct validation *validation,
                   struct error *e);

#endif
