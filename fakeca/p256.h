/* p256.h -- ECDSA on P-256 (FIPS 186-4 section 6.4) by keys that sign again and again, as an account's does.
 *
 * Most of what a verification takes is the multiplication of the signer's point.  libcrypto multiplies the
 * curve's own generator five times as fast, by a table of its multiples, and makes such a table of any other
 * point that is a group's generator.  A key's table halves the time of each verification; it takes as long to
 * make as P256_OFTEN verifications save, and 150 kB.  So a key gets it when it has been asked for that often: then
 * nobody has lost more than half, however few requests are to follow.
 */
#ifndef FAKECA_P256_H
#define FAKECA_P256_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

#define P256_OFTEN 600

struct p256_table;

/* Counts that `key` is about to verify something.  Its table, which goes when the key goes; NULL: it has none, for
 * it is not asked for often, or is on no P-256. */
const struct p256_table *p256_table_of(EVP_PKEY *key);
/* Whether `pair`, r and s of 32 octets each, is that key's signature of what has this SHA-256. */
bool p256_verified(const struct p256_table *table, const unsigned char digest[32],
                   const unsigned char pair[64]);

#endif
