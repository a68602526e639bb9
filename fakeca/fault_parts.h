/* fault_parts.h -- what the fault families (fault_*.c) offer the table, and share. */
#ifndef FAKECA_FAULT_PARTS_H
#define FAKECA_FAULT_PARTS_H

#include "fakeca/fault.h"
#include "fakeca/files.h"

#define DAY INT64_C(86400)

/* --- for the families (fault.c) --- */

/* Signs an edited copy as the signer of the original would, and puts it at `i`. */
int reseal(struct breaking *b, STACK_OF(X509) * where, int i, X509 *edited, const char *digest,
           struct error *e);
/* A copy of number `i` with a serial number of its own, to be edited and resealed. */
X509 *unsealed(struct breaking *b, STACK_OF(X509) * where, int i, struct error *e);
/* A serial number that depends on `seed` and the fault alone. */
void derived_serial(const struct breaking *b, const char *seed, char out[SERIAL_TEXT]);
/* Keeps the leaf only. */
void keep_leaf(struct chain *chain);

/* --- edits: one certificate, about to be signed again --- */

#define EDIT(name) int name(struct breaking *b, X509 *certificate, struct error *e)
/* fault_dates.c */
EDIT(edit_expired);
EDIT(edit_not_yet_valid);
EDIT(edit_beyond_2050);
EDIT(edit_year_9999);

/* --- applied to the chain as a whole --- */

#define APPLY(name) int name(struct breaking *b, struct error *e)
/* fault_order.c */
APPLY(apply_without_intermediate);

#endif
