/* eab.h -- external account binding (RFC 8555 section 7.3.4): keys that a CA gives its customers, outside of ACME.
 *
 * A key has an id and a secret of 32 octets, and stands in the store, kind "eab".  One may bind several
 * accounts, as with most CAs that ask for it. */
#ifndef FAKECA_EAB_H
#define FAKECA_EAB_H

#include "fakeca/store.h"

struct call;

/* Makes a key; `id` NULL: one is made up.  {"kid", "hmac"}, to be decref'd; NULL with *e. */
json_t *eab_make(struct store *store, const char *id, struct error *e);
/* All there are: an array of the same. */
json_t *eab_list(struct store *store);

/* Whether the payload of newAccount binds the account as the policy wants it; notes the key id in
 * `account`.  0, or what refuse() returns. */
int eab_check(struct call *call, json_t *account);

#endif
