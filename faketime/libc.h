/* libc.h -- the functions of a process's libc, by name and in its table of symbols.
 *
 * That is a glibc of 2.34 or later, which has its threads within.  One that is statically linked has no table,
 * and others call none of these functions for their own waits (musl), or not at all (Go).
 */
#ifndef FAKETIME_LIBC_H
#define FAKETIME_LIBC_H

#include "faketime/swaps.h"
#include "faketime/symbols.h"

/* Where it is mapped; 0: it is not, or a shim (shim.h) that does the same as we lies before it. */
uint64_t libc_base(const struct maps *maps);

/* The addresses of BLOB_LIBC_CALLS.  False where it does not have them all. */
bool libc_find(const struct symbols *libc, uint64_t functions[BLOB_LIBC]);

/* Whatever name or version of a symbol leads to one of the swaps' `from` leads to its `to` then.  -1 with one line;
 * what was replaced is in the journal. */
int libc_swap(struct tracee *tracee, const struct symbols *libc, const struct swaps *swaps,
              struct error *e);

#endif
