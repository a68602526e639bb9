/* store_cache.h -- the bodies of things that were read or written last, so that a request need not parse again
 * what the one before it has parsed.
 *
 * They are shared with whoever gives or gets them, and may be changed in place until cache_settle; where a
 * step comes to nothing, all that it had to do with is let go.
 *
 * Order of calls: all zero, or cache_clear; any of the rest; cache_clear.
 */
#ifndef FAKECA_STORE_CACHE_H
#define FAKECA_STORE_CACHE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define CACHED_MOST      256 /* what is asked for is mostly young, and numbers are consecutive */
#define CACHED_KIND_MOST 16  /* longer ones are not kept */

struct store_cache {
    struct cached {
        int64_t number;
        char kind[CACHED_KIND_MOST];
        json_t *body; /* NULL: nothing here */
        bool touched; /* by this step */
    } slots[CACHED_MOST];
    struct cached *touched[CACHED_MOST]; /* each of those once */
    size_t touched_count;
};

/* A new reference; NULL where it is not here. */
json_t *cache_get(struct store_cache *cache, const char *kind, int64_t number);
void cache_keep(struct store_cache *cache, const char *kind, int64_t number, json_t *body);
/* They may have changed, and nobody says how. */
void cache_drop(struct store_cache *cache, const char *kind);
/* The step is over. */
void cache_settle(struct store_cache *cache, bool good);
void cache_clear(struct store_cache *cache);

#endif
