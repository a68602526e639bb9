/* validate_parts.h -- one attempt at validation, between validate_attempt.c, which connects, and the files for
 * each kind of challenge, which talk. */
#ifndef FAKECA_VALIDATE_PARTS_H
#define FAKECA_VALIDATE_PARTS_H

#include "fakeca/caa.h"
#include "fakeca/http_reply.h"
#include "fakeca/validate.h"

#define REPLY_FIRST 2048 /* most are shorter */
#define REPLY_MOST  65536

struct attempt {
    struct validator *validator;
    struct attempt *next, *previous;
    struct trial *trial;
    size_t perspective;
    int64_t account;
    struct detour detour;
    bool proven, wildcard, may_issue; /* the last: CAA has been looked up */
    struct caa_check *caa;            /* under way, or NULL */
    enum challenge challenge;
    char identifier[256];
    char token[128];
    char key_authorization[KEY_AUTHORIZATION_TEXT];
    struct lookup *lookup; /* under way, or NULL */
    struct http_place at;  /* where to connect; the port is the real one */
    unsigned redirects;
    struct sockaddr_storage addresses[FOUND_MOST];
    size_t address_count, next_address;
    /* the connection */
    int fd; /* -1: none */
    SSL *ssl;
    bool connected;
    char request[2560];
    size_t put, length;
    char *reply; /* ours, with a NUL after what was got */
    size_t got, room;
    ev_io io;
    ev_timer turn, limit; /* of one address, and of all */
};

/* Ends the attempt.  `problem` as in validate.h. */
void attempt_end(struct attempt *attempt, int problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Looks the host up and connects to it. */
void attempt_connect(struct attempt *attempt);

/* Who is asked about names, from this perspective. */
const struct resolver *attempt_resolver(const struct attempt *attempt);

/* What several perspectives find about one name: a verdict from each, then the validator's `done`. */
struct trial *trial_new(struct validator *validator, int64_t authorization, size_t perspectives);
void trial_judged(struct trial *trial, size_t perspective, int problem, const char *detail);
/* One of them goes without a verdict. */
void trial_leave(struct trial *trial);

/* http-01: what to ask, and what the whole reply means. */
void http_01_ask(struct attempt *attempt);
void http_01_judge(struct attempt *attempt);

/* tls-alpn-01: before the handshake, and what it showed. */
int tls_alpn_01_prepare(struct attempt *attempt);
void tls_alpn_01_judge(struct attempt *attempt);

/* dns-01 */
void dns_01_begin(struct attempt *attempt);

#endif
