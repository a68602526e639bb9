/* keyring.h -- the keys of accounts, made of their JWKs once and kept for the next request.
 *
 * To make a key, and to look whether it is a point of its curve, takes as long as a signature.
 * The keyring holds no more than KEYRING_MOST keys, whoever comes.
 *
 * Order of calls: all zero, or keyring_clear; keyring_key; keyring_clear.
 */
#ifndef FAKECA_KEYRING_H
#define FAKECA_KEYRING_H

#include <jansson.h>
#include <stdint.h>

#include "fakeca/verifier.h"

#define KEYRING_MOST 256

struct keyring {
    struct kept_key {
        int64_t account;
        json_t *jwk; /* that the key was made of; NULL: nothing here */
        struct verifier verifier;
    } kept[KEYRING_MOST];
};

/* For the key of an account that has this JWK now; good until the next call.  NULL with *e. */
struct verifier *keyring_key(struct keyring *keyring, int64_t account, json_t *jwk,
                             struct error *e);
void keyring_clear(struct keyring *keyring);

#endif
