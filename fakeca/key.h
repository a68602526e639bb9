/* key.h -- key pairs: the kinds there are, making, reading and writing them, and a pool.
 *
 * RSA keys take some 200 ms to find, so those for leaves come from a pool in the state
 * directory: it is filled as keys are asked for, up to POOL_KEYS of each kind, and then goes
 * round.  Keys of the other kinds are made afresh each time.
 */
#ifndef FAKECA_KEY_H
#define FAKECA_KEY_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

#include "testbed/wire/error.h"

#define POOL_KEYS 4

struct key_kind {
    const char *name;      /* p256 */
    const char *algorithm; /* as EVP_PKEY_CTX_new_from_name knows it */
    const char *curve;     /* NULL where there is none */
    unsigned bits;         /* of an RSA modulus */
    bool weak;             /* for broken chains only */
    const char *help;
};

/* A public key as certificates have it: SubjectPublicKeyInfo (RFC 5280 section 4.1) in DER. */
struct key_der {
    const unsigned char *octets;
    size_t length;
};

/* NULL with the nearest right word in *e. */
const struct key_kind *key_kind_named(const char *name, struct error *e);
/* The kind of a key, or NULL for one that we do not make. */
const struct key_kind *key_kind_of(const EVP_PKEY *key);
/* "p256, p384, rsa2048, ..." without the weak ones. */
const char *key_kinds(void);

/* What these return is to be freed with EVP_PKEY_free. */
EVP_PKEY *key_make(const struct key_kind *kind, struct error *e);
EVP_PKEY *key_read(int directory, const char *name, struct error *e);
/* The pool lives in `pool/` under `directory`.  Different turns give different keys, until
 * POOL_KEYS turns have passed. */
EVP_PKEY *key_from_pool(int directory, const struct key_kind *kind, unsigned long turn,
                        struct error *e);
/* From whoever sent it; the private half is not there. */
EVP_PKEY *key_decode(struct key_der der, struct error *e);
/* Frees one that key_decode gave, and that nobody else refers to: it may become the next one. */
void key_done(EVP_PKEY *key);
/* Another key of the same kind as `key`. */
EVP_PKEY *key_unlike(const EVP_PKEY *key, struct error *e);

/* PKCS#8 PEM, mode 0600. */
int key_write(int directory, const char *name, const EVP_PKEY *key, struct error *e);

#endif
