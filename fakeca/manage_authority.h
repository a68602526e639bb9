/* manage_authority.h -- what was issued, and who issues, while an authority serves: the verbs `revoke` and
 * `rotate-issuer` of manage.h.
 *
 * Requests and answers are those of manage.h; on failure -1 with *e, and nothing was done.
 */
#ifndef FAKECA_MANAGE_AUTHORITY_H
#define FAKECA_MANAGE_AUTHORITY_H

#include "fakeca/serve_plain.h"
#include "fakeca/store.h"

int authority_take_back(struct plain *plain, struct store *store, const json_t *request,
                        json_t *answer, struct error *e);
int authority_rotate_issuer(struct plain *plain, json_t *answer, struct error *e);
/* Adds "revoked" to those of an array of certificates that were, or will be: Unix seconds. */
int mark_revoked(struct plain *plain, json_t *certificates, struct error *e);

#endif
