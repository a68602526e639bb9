/* serve.h -- an authority that serves: everything that listens, around one loop.
 *
 *     DIR/authority.json ...   the authority itself (authority.h), made if it is not there
 *     DIR/https/               a second one, for the certificate of the ACME server itself
 *     DIR/alternate/           a third one, whose root cross-signs that of the first, where that is wanted;
 *                              further ones: DIR/alternate-2/, ...
 *     DIR/fired.jsonl          every fault that fired, as misbehaviour.h has it
 *     DIR/manage.sock          where it is told to misbehave (manage.h), mode 0600
 *     DIR/dns-key.pem ...      what DNS is signed with (dns_signer.h), where that is wanted
 *     DIR/serve.db             accounts, orders and what was issued (store.h)
 *
 * Order of calls: serve_open, serve_run, serve_close -- the last in any case.
 */
#ifndef FAKECA_SERVE_H
#define FAKECA_SERVE_H

#include <ev.h>

#include "fakeca/acme.h"
#include "fakeca/http_server.h"
#include "fakeca/manage.h"
#include "fakeca/serve_detours.h"
#include "fakeca/serve_dns.h"
#include "fakeca/serve_hole.h"
#include "fakeca/serve_plain.h"
#include "fakeca/serve_tls.h"
#include "faketime/page.h"

#define FIRED_FILE      "fired.jsonl"
#define ALTERNATES_MOST 16
#define URL_ROOM        (SOCKET_ADDRESS_TEXT + 32)

struct serve_plan {
    const char *state;
    const char *clock; /* a clock page; NULL: the real clock */
    struct address acme, http, dns;
    const char
        *names_address; /* what all names stand for in our DNS; NULL: none that is not told */
    unsigned long seed;
    const struct resolver *resolver; /* NULL: this machine's idea of names */
    unsigned validate_http_port, validate_tls_port;
    struct profiles profiles;
    struct words settings; /* as policy_set takes them, over those that were kept */
    size_t perspectives;
    bool dnssec;       /* our DNS signs what it says, and we believe nothing that it did not sign */
    size_t alternates; /* other roots that cross-sign the first, at least */
};

struct serve {
    const struct serve_plan *plan;
    struct ev_loop *loop;
    const struct clock_page *page;
    struct authority authority;
    bool opened; /* the authority is */
    int depth;   /* how many intermediates are in what it issues */
    struct store *store;
    struct dns_trust trust; /* in what it signs */
    struct resolver resolvers[PERSPECTIVES_MOST], stranger;
    struct validator validator;
    struct acme *acme;
    struct serve_tls tls;
    SSL_CTX *broken_tls; /* the last that was shown in its place, or NULL */
    struct misbehaviour *misbehaviour;
    int remembered; /* how many faults are armed from before */
    struct policy policy;
    struct profiles profiles;
    struct http_server api, http;
    struct plain plain;
    struct dns_signer *signer; /* NULL: DNS is not signed */
    struct dns_views names;
    struct detours detours;
    struct hole hole;
    struct manage manage;
    ev_signal terminated, interrupted;
    ev_prepare turn;        /* of the loop: what it has written is committed, and told */
    ev_timer doors;         /* while a port is to be closed or opened by the calendar */
    char urls[3][URL_ROOM]; /* of OCSP, of issuers, of CRLs */
};

/* *serve is all zero before; the plan is borrowed. */
int serve_open(struct serve *serve, const struct serve_plan *plan, struct error *e);
/* The line that says that all is listening: JSON, to be decref'd. */
json_t *serve_describe(struct serve *serve);
/* Until SIGTERM or SIGINT. */
void serve_run(struct serve *serve);
void serve_close(struct serve *serve);

#endif
