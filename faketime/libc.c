#include "faketime/libc.h"

#include <string.h>

#include "faketime/shim_calls.h"

#define NAME(name, version) #name,
static const char *const names[BLOB_LIBC] = {BLOB_LIBC_CALLS(NAME)};

/* The start of the file, of which a part is code: somebody might have mapped the file to look at it. */
uint64_t libc_base(const struct maps *maps)
{
    uint64_t start = 0, base = 0, inode = 0;

    for (size_t i = 0; i < maps->count; i++) {
        const struct region *region = &maps->regions[i];

        if (strstr(region->name, "/libfakeclock.so") != NULL)
            return 0;
        if (base != 0 || strstr(region->name, "/libc.so.6") == NULL)
            continue;
        if (region->offset == 0) {
            start = region->start;
            inode = region->inode;
        }
        if (region->executable && region->inode == inode)
            base = start;
    }
    return base;
}

bool libc_find(const struct symbols *libc, uint64_t functions[BLOB_LIBC])
{
    struct symbol symbol;
    size_t found = 0;

    memset(functions, 0, BLOB_LIBC * sizeof functions[0]);
    for (size_t i = 0; i < libc->count; i++) {
        if (!symbols_at(libc, i, &symbol) || !symbol.is_default || !symbol.is_function)
            continue;
        for (size_t k = 0; k < BLOB_LIBC; k++)
            if (functions[k] == 0 && symbol.name[0] == names[k][0] &&
                strcmp(symbol.name, names[k]) == 0) {
                functions[k] = symbol.leads_to;
                found++;
            }
    }
    return found == BLOB_LIBC;
}

int libc_swap(struct tracee *tracee, const struct symbols *libc, const struct swaps *swaps,
              struct error *e)
{
    struct symbol symbol;

    for (size_t i = 0; i < libc->count; i++) {
        const struct swap *swap =
            symbols_at(libc, i, &symbol) ? swaps_find(swaps, symbol.leads_to) : NULL;

        if (swap != NULL && tracee_poke(tracee, symbol.where, swap->to - libc->base, e) < 0)
            return -1;
    }
    return 0;
}
