#include "fakeca/ocsp_cache.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a.  Who picks requests that fall together makes us sign each, as without a cache. */
static size_t place_of(const unsigned char *request, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ request[i]) * UINT64_C(1099511628211);
    return (size_t)((hash ^ hash >> 32) % OCSP_CACHED);
}

const struct ocsp_cached *ocsp_cache_find(const struct ocsp_cache *cache,
                                          const unsigned char *request, size_t length)
{
    const struct ocsp_cached *place;

    if (length > OCSP_CACHED_BYTES)
        return NULL;
    place = &cache->places[place_of(request, length)];
    return place->request.bytes != NULL && place->request.length == length &&
                   memcmp(place->request.bytes, request, length) == 0
               ? place
               : NULL;
}

static void empty(struct ocsp_cached *place)
{
    free(place->request.bytes);
    free(place->answer.bytes);
    *place = (struct ocsp_cached){0};
}

void ocsp_cache_put(struct ocsp_cache *cache, const struct ocsp_cached *what)
{
    struct ocsp_cached *place, copy = *what;

    if (what->request.length > OCSP_CACHED_BYTES || blob_copy(what->request, &copy.request) < 0)
        return;
    if (blob_copy(what->answer, &copy.answer) < 0) {
        free(copy.request.bytes);
        return;
    }
    place = &cache->places[place_of(copy.request.bytes, copy.request.length)];
    empty(place);
    *place = copy;
}

void ocsp_cache_free(struct ocsp_cache *cache)
{
    for (size_t i = 0; i < OCSP_CACHED; i++)
        empty(&cache->places[i]);
}

int blob_copy(struct blob blob, struct blob *out)
{
    *out = (struct blob){malloc(blob.length), blob.length};
    if (out->bytes == NULL)
        return -1;
    memcpy(out->bytes, blob.bytes, blob.length);
    return 0;
}

bool standing_equal(const struct standing *a, const struct standing *b)
{
    if (a->status != b->status)
        return false;
    return a->status != V_OCSP_CERTSTATUS_REVOKED ||
           (a->revoked.at == b->revoked.at && a->revoked.reason == b->revoked.reason);
}
