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
#include <openssl/evp.h>
#include <stdint.h>

#include "testbed/wire/error.h"

#define KEYRING_MOST 256

struct keyring {
    struct kept_key {
        int64_t account;
        json_t *jwk; /* that the key was made of; NULL: nothing here */
        EVP_PKEY *key;
    } kept[KEYRING_MOST];
};

/* The key of an account that has this JWK now; to be freed with EVP_PKEY_free.  NULL with *e. */
EVP_PKEY *keyring_key(struct keyring *keyring, int64_t account, json_t *jwk, struct error *e);
void keyring_clear(struct keyring *keyring);

#endif
