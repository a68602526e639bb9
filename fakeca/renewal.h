/* renewal.h -- ACME Renewal Information (RFC 9773): when to renew, and what an order replaces. */
#ifndef FAKECA_RENEWAL_H
#define FAKECA_RENEWAL_H

#include "fakeca/acme_parts.h"

/* Checks and notes that `order` replaces the certificate it names: section 5. */
int renewal_claim(struct call *call, const json_t *order, int64_t number);

#endif
