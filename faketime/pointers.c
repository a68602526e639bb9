#include "faketime/pointers.h"

#include <string.h>
#include <unistd.h>

#include "faketime/page.h"
#include "faketime/symbols.h"
#include "faketime/vdso.h"

#define CHUNK_PAGES 64
#define PAGE_WORDS  (PAGE_BYTES / sizeof(uint64_t))

struct scan {
    struct tracee *tracee;
    const struct swaps *swaps;
};

static int scan_page(struct scan *scan, uint64_t address, const uint64_t *words, struct error *e)
{
    for (size_t i = 0; i < PAGE_WORDS; i++) {
        const struct swap *swap = swaps_find(scan->swaps, words[i]);

        /* what is kept is aligned, so that its mark is in the same page */
        if (swap == NULL || (i > 0 && words[i - 1] == VDSO_KEEP))
            continue;
        if (tracee_poke(scan->tracee, address + 8 * i, swap->to, e) < 0)
            return -1;
    }
    return 0;
}

static int scan_chunk(struct scan *scan, uint64_t address, const enum page_state *states,
                      size_t pages, struct error *e)
{
    static uint64_t words[CHUNK_PAGES * PAGE_WORDS];

    for (size_t from = 0, to; from < pages; from = to) {
        uint64_t start = address + from * PAGE_BYTES;

        for (to = from; to < pages && states[to] == states[from];)
            to++;
        if (states[from] != PAGE_PRIVATE)
            continue;
        if (tracee_read(scan->tracee, start, words, (to - from) * PAGE_BYTES, e) < 0)
            return -1;
        for (size_t i = 0; i < to - from; i++)
            if (scan_page(scan, start + i * PAGE_BYTES, &words[i * PAGE_WORDS], e) < 0)
                return -1;
    }
    return 0;
}

static int scan_pages(struct scan *scan, uint64_t from, uint64_t to, int pages_fd, struct error *e)
{
    for (uint64_t at = from; at < to; at += CHUNK_PAGES * PAGE_BYTES) {
        enum page_state states[CHUNK_PAGES];
        size_t pages = (to - at) / PAGE_BYTES;

        if (pages > CHUNK_PAGES)
            pages = CHUNK_PAGES;
        if (maps_pages(pages_fd, at, pages, states) < 0)
            return failed(e, "process %d: the kernel does not tell its pages",
                          (int)scan->tracee->pid);
        if (scan_chunk(scan, at, states, pages, e) < 0)
            return -1;
    }
    return 0;
}

/* How far we have come among the objects that are mapped. */
struct walk {
    uint64_t end;        /* of what was the last one's */
    uint64_t object_end; /* by its own account */
};

/* Where the region ceases to be an object's; its start, where it is none's.  Behind a bss, and joined to it, may
 * lie what is nobody's data: a sanitizer's shadow, of terabytes. */
static uint64_t end_of_data(const struct scan *scan, const struct region *region, struct walk *walk)
{
    uint64_t object_end = region->inode != 0 && region->offset == 0
                              ? symbols_object_end(scan->tracee, region->start)
                              : 0;

    if (object_end != 0)
        walk->object_end = object_end;
    if (region->inode == 0 && (region->name[0] != '\0' || region->start != walk->end ||
                               region->start >= walk->object_end))
        return region->start;
    walk->end = region->end;
    return region->inode == 0 && region->end > walk->object_end ? walk->object_end : region->end;
}

int pointers_swap(struct tracee *tracee, const struct maps *maps, const struct swaps *swaps,
                  struct error *e)
{
    struct scan scan = {.tracee = tracee, .swaps = swaps};
    int pages_fd = maps_open_pages(tracee->pid, e), result = pages_fd < 0 ? -1 : 0;
    struct walk walk = {0};

    for (size_t i = 0; i < maps->count && result == 0; i++) {
        const struct region *region = &maps->regions[i];
        uint64_t end = end_of_data(&scan, region, &walk);

        if (region->readable && !region->executable && !region->shared)
            result = scan_pages(&scan, region->start, end, pages_fd, e);
    }
    if (pages_fd >= 0)
        close(pages_fd);
    return result;
}
