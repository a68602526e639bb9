/* ocsp_cache.h -- OCSP responses that were signed a while ago, by the request they answered.
 *
 * RFC 6960 section 2.5 lets responders answer from store, which spares a signature and the
 * parsing.  Only whole requests are compared, octet by octet; what has changed since about the
 * certificate is for the caller to ask, with the issuer and serial number kept here.
 */
#ifndef FAKECA_OCSP_CACHE_H
#define FAKECA_OCSP_CACHE_H

#include <stdint.h>

#include "fakeca/chain.h"
#include "fakeca/revocation.h"

#define OCSP_CACHED       4096 /* responses, at most; a newer one takes the place of an older */
#define OCSP_CACHED_BYTES 256  /* the longest request that is kept */

struct ocsp_cached {
    struct blob request, answer; /* request.bytes NULL: an empty place */
    size_t issuer;
    char serial[SERIAL_TEXT];
    struct standing standing; /* that was answered with */
    int64_t at;               /* when it was signed, on the caller's calendar */
};

struct ocsp_cache {
    struct ocsp_cached places[OCSP_CACHED]; /* all zero at first */
};

/* Borrowed until the next ocsp_cache_put; NULL where there is none. */
const struct ocsp_cached *ocsp_cache_find(const struct ocsp_cache *cache,
                                          const unsigned char *request, size_t length);
/* Keeps a copy of all of it.  Without memory it keeps nothing. */
void ocsp_cache_put(struct ocsp_cache *cache, const struct ocsp_cached *what);
/* Frees what is in it, not the struct. */
void ocsp_cache_free(struct ocsp_cache *cache);

/* A copy in *out, to be freed with free(); -1 without memory. */
int blob_copy(struct blob blob, struct blob *out);
bool standing_equal(const struct standing *a, const struct standing *b);

#endif
