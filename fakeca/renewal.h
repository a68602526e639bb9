/* renewal.h -- ACME Renewal Information (RFC 9773): when to renew, and what an order replaces. */
#ifndef FAKECA_RENEWAL_H
#define FAKECA_RENEWAL_H

#include "fakeca/acme_parts.h"

/* The certificate that goes by an identifier as in section 4.1, to be decref'd, and its number; NULL and 0
 * where none does. */
json_t *renewal_certificate(struct call *call, const char *id, int64_t *number);
/* Checks and notes that `order` replaces the certificate it names: section 5. */
int renewal_claim(struct call *call, const json_t *order, int64_t number);

#endif
