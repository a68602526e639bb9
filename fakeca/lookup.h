/* lookup.h -- what a name stands for, asked without waiting.
 *
 * With a resolver (RFC 1035 over UDP, and over TCP what a datagram does not hold) that one is asked, and nobody
 * else.  Without one, the addresses of names are what this machine says they are: getaddrinfo(3), in a
 * child process, because it waits; texts can then not be asked for.
 *
 * Where the resolver's answers have to be signed, what does not validate is no answer (dns_trust.h).
 *
 * A lookup ends by calling `done` once, never from within lookup_start; or by lookup_cancel.
 */
#ifndef FAKECA_LOOKUP_H
#define FAKECA_LOOKUP_H

#include <ev.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "fakeca/dns_trust.h"
#include "testbed/wire/address.h"
#include "testbed/wire/error.h"

#define FOUND_MOST     8
#define TEXTS_MOST     64
#define LOOKUP_SECONDS 6.

enum lookup_kind { LOOKUP_ADDRESSES, LOOKUP_TEXTS, LOOKUP_CAA };

struct resolver {
    struct address address;
    const struct dns_trust *trust; /* borrowed; NULL: its answers need not be signed */
};

struct found {
    size_t count; /* 0: nothing, and `why` says so */
    bool failed;  /* a question went without a proper answer: there may be more */
    char why[128];
    struct sockaddr_storage addresses[FOUND_MOST];
    /* TXT: the strings of a record joined; CAA: "FLAGS TAG VALUE"; longer ones are cut */
    char texts[TEXTS_MOST][256];
};

struct lookup;

/* `resolver` may be NULL.  NULL with *e where it could not be begun. */
struct lookup *lookup_start(struct ev_loop *loop, const struct resolver *resolver, const char *name,
                            enum lookup_kind kind,
                            void (*done)(void *context, const struct found *found), void *context,
                            struct error *e);
void lookup_cancel(struct lookup *lookup);

/* A literal address, without asking anyone. */
bool lookup_literal(const char *name, struct sockaddr_storage *out);

/* The two pure halves of asking a resolver; type is 1 (A), 28 (AAAA), 16 (TXT) or 257 (CAA).  `secured`: signatures are
 * asked for. */
ssize_t question_write(const char *name, unsigned type, unsigned id, bool secured,
                       unsigned char out[512]);
/* Adds what the packet answers to *found.  0, or -1 with found->why: it is no answer to question
 * `id`, or a refusal. */
int reply_read(const unsigned char *packet, size_t length, unsigned type, unsigned id,
               struct found *found);

#endif
