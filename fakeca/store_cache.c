#include "fakeca/store_cache.h"

#include <stdio.h>
#include <string.h>

static void let_go(struct cached *slot)
{
    json_decref(slot->body);
    *slot = (struct cached){0};
}

json_t *cache_get(const struct store_cache *cache, const char *kind, int64_t number)
{
    const struct cached *slot = &cache->slots[(uint64_t)number % CACHED_MOST];

    return slot->body != NULL && slot->number == number && strcmp(slot->kind, kind) == 0
               ? json_deep_copy(slot->body)
               : NULL;
}

void cache_keep(struct store_cache *cache, const char *kind, int64_t number, const json_t *body,
                bool changed)
{
    struct cached *slot = &cache->slots[(uint64_t)number % CACHED_MOST];

    let_go(slot);
    if (strlen(kind) >= CACHED_KIND_MOST)
        return;
    *slot = (struct cached){.number = number, .body = json_deep_copy(body), .changed = changed};
    strcpy(slot->kind, kind);
}

void cache_drop(struct store_cache *cache, const char *kind)
{
    for (size_t i = 0; i < CACHED_MOST; i++)
        if (strcmp(cache->slots[i].kind, kind) == 0)
            let_go(&cache->slots[i]);
}

void cache_settle(struct store_cache *cache, bool committed)
{
    for (size_t i = 0; i < CACHED_MOST; i++) {
        if (cache->slots[i].changed && !committed)
            let_go(&cache->slots[i]);
        cache->slots[i].changed = false;
    }
}

void cache_clear(struct store_cache *cache)
{
    for (size_t i = 0; i < CACHED_MOST; i++)
        let_go(&cache->slots[i]);
}
