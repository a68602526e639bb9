/* pointers.h -- functions that a program has looked up and keeps the addresses of.
 *
 * Loaders keep them in tables that they protect afterwards, languages in variables of their own.
 * All of these are words in pages of data or bss that the process has written to.
 */
#ifndef FAKETIME_POINTERS_H
#define FAKETIME_POINTERS_H

#include "faketime/tracee.h"

struct swap {
    uint64_t from, to;
};

/* Replaces every word that is `from` of one of the swaps by its `to`; their number in *found.  A word after
 * VDSO_KEEP (vdso.h) is left alone.  -1 with one line; what was replaced is in the journal. */
int pointers_swap(struct tracee *tracee, const struct maps *maps, const struct swap *swaps,
                  size_t count, size_t *found, struct error *e);

#endif
