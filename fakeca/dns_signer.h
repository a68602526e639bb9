/* dns_signer.h -- signs what the rehearsal's DNS answers, as it answers it: DNSSEC (RFC 4033, 4034, 4035).
 *
 * All names are in one zone, the root, and one key signs it: ECDSA on P-256 with SHA-256 (RFC 6605), made once.
 *
 *     DIR/dns-key.pem      the key, mode 0600
 *     DIR/dns-anchor.txt   its DNSKEY record as in a master file, for whoever is to trust it
 *
 * A signature holds from an hour before it was made, and for DNS_SIGNED_SECONDS.
 *
 * Order of calls: dns_signer_open or dns_signer_new; any of the rest; dns_signer_free.
 */
#ifndef FAKECA_DNS_SIGNER_H
#define FAKECA_DNS_SIGNER_H

#include <openssl/evp.h>
#include <stdint.h>

#include "fakeca/dns_zone.h"

#define DNS_ANCHOR_FILE    "dns-anchor.txt"
#define DNS_SIGNED_SECONDS (14 * 86400)

struct dns_signer;

/* With the key in the directory, made and written there if it is not yet. */
struct dns_signer *dns_signer_open(const char *directory, struct error *e);
/* With this key, on P-256, which is taken over. */
struct dns_signer *dns_signer_new(EVP_PKEY *key, struct error *e);
/* `signer` may be NULL. */
void dns_signer_free(struct dns_signer *signer);

/* Its DNSKEY record, borrowed. */
const ldns_rr *dns_signer_key(const struct dns_signer *signer);

/* Adds what stands at the top of a signed zone: the DNSKEY, and DNS_SOA. */
int dns_signer_enter(const struct dns_signer *signer, struct dns_zone *zone, struct error *e);

/* What can be wrong with signatures. */
enum dns_flaw { DNS_FLAWLESS, DNS_UNSIGNED, DNS_FORGED };

/* A signature for each set of records in the packet's answer and authority sections, made at `at`, in Unix seconds.
 * -1 for want of memory. */
int dns_signer_sign(struct dns_signer *signer, int64_t at, enum dns_flaw flaw, ldns_pkt *packet);

#endif
