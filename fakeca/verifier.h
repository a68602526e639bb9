/* verifier.h -- the public key of somebody who signs one request after the other (RFC 7518 section 3, RFC 8037).
 *
 * Of the algorithms there are ES256, ES384, ES512, RS256, RS384, RS512 and EdDSA, each with its own kind of
 * key and no other.  "none" is not among them, nor is any with a shared secret.
 *
 * libcrypto takes as long to make ready for an RSA signature as a fifth of the work itself, so that what it made ready
 * is kept beside the key.
 *
 * Order of calls: one that has its key and nothing else; verifier_check as often as needed; verifier_close.
 */
#ifndef FAKECA_VERIFIER_H
#define FAKECA_VERIFIER_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

#include "testbed/wire/error.h"

struct verifier {
    EVP_PKEY *key;                     /* all of this is the verifier's */
    const struct algorithm *algorithm; /* that `ready` is for; NULL: none yet */
    EVP_PKEY_CTX *ready;               /* NULL where the algorithm knows of nothing to keep */
    EVP_MD_CTX *digest;                /* of what is signed, likewise */
};

/* Whether `signature` over `text` is by that key, with the algorithm called `name`; -1 with *e. */
int verifier_check(struct verifier *verifier, const char *name, const char *text, size_t length,
                   const unsigned char *signature, size_t signature_length, struct error *e);
void verifier_close(struct verifier *verifier);

/* Whether `name` is an algorithm of ours at all. */
bool algorithm_known(const char *name);
/* What the algorithm with that number, from 0 on, is called; NULL where there are no more. */
const char *algorithm_name(size_t number);

#endif
