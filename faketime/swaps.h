/* swaps.h -- addresses of functions, and those that are to take their place. */
#ifndef FAKETIME_SWAPS_H
#define FAKETIME_SWAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faketime/blob.h"

#define SWAPS_MAX  (BLOB_CALLS + BLOB_LIBC)
#define SWAPS_SEEN 4096

struct swap {
    uint64_t from, to;
};

/* All zeros is an empty one. */
struct swaps {
    struct swap each[SWAPS_MAX];
    size_t count;
    bool seen[SWAPS_SEEN]; /* by some bits of `from`: most words of a process are none of them */
};

static inline size_t swaps_bits(uint64_t word)
{
    return word / 16 % SWAPS_SEEN; /* functions are aligned to 16 */
}

static inline void swaps_add(struct swaps *swaps, uint64_t from, uint64_t to)
{
    swaps->each[swaps->count++] = (struct swap){from, to};
    swaps->seen[swaps_bits(from)] = true;
}

/* What takes the place of `word`; NULL where it is not among them. */
static inline const struct swap *swaps_find(const struct swaps *swaps, uint64_t word)
{
    for (size_t i = 0; swaps->seen[swaps_bits(word)] && i < swaps->count; i++)
        if (swaps->each[i].from == word)
            return &swaps->each[i];
    return NULL;
}

#endif
