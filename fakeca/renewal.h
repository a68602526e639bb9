/* renewal.h -- ACME Renewal Information (RFC 9773): when to renew, and what an order replaces. */
#ifndef FAKECA_RENEWAL_H
#define FAKECA_RENEWAL_H

#include <openssl/x509.h>

#include "fakeca/acme_parts.h"

#define CERT_ID_TEXT 160

/* Section 4.1: base64url of the authority key identifier, a dot, base64url of the serial number's
 * octets.  -1 where the certificate has no such identifier, and so no name for clients to ask by. */
int renewal_id(X509 *certificate, char out[CERT_ID_TEXT]);
/* Checks and notes that `order` replaces the certificate it names: section 5. */
int renewal_claim(struct call *call, const json_t *order, int64_t number);

#endif
