/* dns_trust.h -- whether an answer of a name server is signed as it must be (RFC 4035 section 5).
 *
 * For one zone whose keys are known beforehand, the root, with no delegations and no wildcards: what dns_signer.h
 * signs.  What does not validate is as good as SERVFAIL; there is no forgiveness about dates.
 */
#ifndef FAKECA_DNS_TRUST_H
#define FAKECA_DNS_TRUST_H

#include <stddef.h>
#include <stdint.h>

#include "fakeca/dns_zone.h"

#define DNS_TRUST_TEXT 128 /* room for a word on what is wrong */

struct dns_trust {
    const ldns_rr *key;            /* a DNSKEY record, borrowed */
    int64_t (*now)(void *context); /* Unix seconds */
    void *context;
};

/* Whether the answer to a question for `type` of `name` (without the last dot) may be believed: each record in it is
 * signed and belongs to that name, or to one that CNAMEs lead to; and where none is of that type, it is proven that
 * there is none.  Answers other than NOERROR and NXDOMAIN say nothing that could be believed, and pass.
 * -1 with `why`: "DNSSEC: Signature Expired: validation failure <shop.test. A IN>", as Let's Encrypt has it: the words
 * of RFC 8914, then unbound's.  Or "an answer cut short", which does not parse. */
int dns_trust_check(const struct dns_trust *trust, const unsigned char *packet, size_t length,
                    const char *name, unsigned type, char why[DNS_TRUST_TEXT]);

#endif
