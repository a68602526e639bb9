/* nonce.h -- Replay-Nonce (RFC 8555 section 6.5): each is good once.
 *
 * A nonce is a count in a block of AES-128, so that handing out millions to strangers costs no memory:
 * what is kept is a bit for each of the last NONCES_KEPT.  Whoever makes one up has to hit the 64 bits of
 * its block that are zero.  An older one is refused like a used one; so is one of an earlier run,
 * since the key lives as long as the process.  RFC 8555 lets a server do all that: the client asks
 * again with the nonce that comes with the refusal.
 *
 * Order of calls: nonces_open; the other two as they come; nonces_close, also where opening failed.
 */
#ifndef FAKECA_NONCE_H
#define FAKECA_NONCE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "fakeca/base64url.h"
#include "testbed/wire/error.h"

#define NONCES_KEPT  65536
#define NONCE_OCTETS 16
#define NONCE_TEXT   BASE64URL_TEXT(NONCE_OCTETS)

struct nonces {
    EVP_CIPHER_CTX *seal, *open; /* with the same key */
    uint64_t count;              /* handed out so far */
    unsigned char used[NONCES_KEPT / 8];
};

int nonces_open(struct nonces *nonces, struct error *e);
void nonces_close(struct nonces *nonces);
void nonce_new(struct nonces *nonces, char out[NONCE_TEXT]);
/* Whether it is one of ours that was never spent; it is spent now. */
bool nonce_spend(struct nonces *nonces, const char *text);

#endif
