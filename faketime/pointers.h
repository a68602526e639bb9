/* pointers.h -- functions that a program has looked up and keeps the addresses of.
 *
 * Loaders keep them in tables that they protect afterwards, languages in variables of their own.
 * All of these are words in pages of data or bss that the process has written to.
 */
#ifndef FAKETIME_POINTERS_H
#define FAKETIME_POINTERS_H

#include "faketime/swaps.h"
#include "faketime/tracee.h"

/* Replaces every word that is `from` of one of the swaps by its `to`.  A word after VDSO_KEEP (vdso.h) is left
 * alone.  -1 with one line; what was replaced is in the journal. */
int pointers_swap(struct tracee *tracee, const struct maps *maps, const struct swaps *swaps,
                  struct error *e);

#endif
