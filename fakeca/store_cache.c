#include "fakeca/store_cache.h"

#include <string.h>

static void let_go(struct cached *slot)
{
    json_decref(slot->body);
    *slot = (struct cached){0};
}

json_t *cache_get(struct store_cache *cache, const char *kind, int64_t number)
{
    struct cached *slot = &cache->slots[(uint64_t)number % CACHED_MOST];

    if (slot->body == NULL || slot->number != number || strcmp(slot->kind, kind) != 0)
        return NULL;
    slot->touched = true;
    return json_incref(slot->body);
}

void cache_keep(struct store_cache *cache, const char *kind, int64_t number, json_t *body)
{
    struct cached *slot = &cache->slots[(uint64_t)number % CACHED_MOST];

    json_incref(body); /* it may be the one that is there */
    let_go(slot);
    *slot = (struct cached){.number = number, .body = body, .touched = true};
    if (strlen(kind) < CACHED_KIND_MOST)
        strcpy(slot->kind, kind);
    else
        let_go(slot);
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
        if (cache->slots[i].touched && !committed)
            let_go(&cache->slots[i]);
        cache->slots[i].touched = false;
    }
}

void cache_clear(struct store_cache *cache)
{
    for (size_t i = 0; i < CACHED_MOST; i++)
        let_go(&cache->slots[i]);
}
