#include "fakeca/store_cache.h"

#include <string.h>

/* Whoever it was about, the slot stays among those that were touched. */
static void let_go(struct cached *slot)
{
    json_decref(slot->body);
    *slot = (struct cached){.touched = slot->touched};
}

static void touch(struct store_cache *cache, struct cached *slot)
{
    if (!slot->touched)
        cache->touched[cache->touched_count++] = slot;
    slot->touched = true;
}

json_t *cache_get(struct store_cache *cache, const char *kind, int64_t number)
{
    struct cached *slot = &cache->slots[(uint64_t)number % CACHED_MOST];

    if (slot->body == NULL || slot->number != number || strcmp(slot->kind, kind) != 0)
        return NULL;
    touch(cache, slot);
    return json_incref(slot->body);
}

void cache_keep(struct store_cache *cache, const char *kind, int64_t number, json_t *body)
{
    struct cached *slot = &cache->slots[(uint64_t)number % CACHED_MOST];

    json_incref(body); /* it may be the one that is there */
    let_go(slot);
    if (strlen(kind) >= CACHED_KIND_MOST) {
        json_decref(body);
        return;
    }
    touch(cache, slot);
    slot->number = number;
    slot->body = body;
    strcpy(slot->kind, kind);
}

void cache_drop(struct store_cache *cache, const char *kind)
{
    for (size_t i = 0; i < CACHED_MOST; i++) {
        struct cached *slot = &cache->slots[i];

        if (slot->body != NULL && strcmp(slot->kind, kind) == 0)
            let_go(slot);
    }
}

void cache_settle(struct store_cache *cache, bool good)
{
    while (cache->touched_count > 0) {
        struct cached *slot = cache->touched[--cache->touched_count];

        if (!good)
            let_go(slot);
        slot->touched = false;
    }
}

void cache_clear(struct store_cache *cache)
{
    for (size_t i = 0; i < CACHED_MOST; i++)
        let_go(&cache->slots[i]);
}
