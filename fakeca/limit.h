/* limit.h -- rate limits as Let's Encrypt has them in 2026 (letsencrypt.org/docs/rate-limits): token buckets.
 *
 * A bucket belongs to somebody (an account, an address, a set of names), holds `count` tokens, and fills
 * again at a steady pace: an empty one is full after `period`.  What is kept of it, in the store,
 * is the one moment at which it will be full (the generic cell rate algorithm), so a bucket that nobody
 * touches costs nothing, and a restart loses nothing.
 *
 * Which requests look at which bucket is for acme_limit.c; the store's transaction is the caller's.
 */
#ifndef FAKECA_LIMIT_H
#define FAKECA_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "fakeca/store.h"

enum limit {
    LIMIT_ACCOUNTS,    /* of an address */
    LIMIT_RANGE,       /* accounts of an IPv6 /48 */
    LIMIT_ORDERS,      /* of an account */
    LIMIT_DOMAIN,      /* certificates for a registered domain */
    LIMIT_SET,         /* certificates for exactly these identifiers */
    LIMIT_FAILURES,    /* validations of an identifier by an account, that failed */
    LIMIT_CONSECUTIVE, /* the same without a good one between: then the two are paused */
    LIMITS
};

struct limit_rate {
    int64_t count, period; /* seconds */
};

struct limit_row {
    const char *name; /* kebab-case */
    struct limit_rate rate;
    const char *what, *whose; /* "too many WHAT (N) WHOSE in the last ..." */
    bool named;               /* whose: "x" goes after it */
    const char *anchor;       /* in Let's Encrypt's page on limits */
};
extern const struct limit_row limit_rows[LIMITS];

/* Milliseconds until `who` has a token; 0: there is one now. */
int64_t limit_wait(struct store *store, enum limit limit, const struct limit_rate *rate,
                   const char *who, int64_t now);
/* Takes a token, also where there is none. */
int limit_spend(struct store *store, enum limit limit, const struct limit_rate *rate,
                const char *who, int64_t now, struct error *e);
/* Fills the bucket. */
int limit_reset(struct store *store, enum limit limit, const char *who, struct error *e);

/* Between an account and a name, `who`, where validation fails and fails: paused until unpaused.  The
 * last of these gives how many names there were, or -1 with *e, also where there is no such account. */
int limit_pause(struct store *store, int64_t account, const char *who, struct error *e);
bool limit_paused(struct store *store, const char *who);
int limit_unpause(struct store *store, int64_t account, struct error *e);

#define LIMIT_TEXT 640
/* Let's Encrypt's own words for a refusal; `name` is what the limit is about, where that is told. */
void limit_explain(enum limit limit, const struct limit_rate *rate, const char *name,
                   int64_t retry_at, char out[LIMIT_TEXT]);

/* "5/7d": five in a week. */
int limit_rate_parse(const char *text, struct limit_rate *out, struct error *e);

/* The registered domain of a name, by the public suffix list; the name itself where it has none.
 * Borrowed from `name`. */
const char *limit_domain(const char *name);

#endif
