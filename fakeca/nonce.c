#include "fakeca/nonce.h"

#include <openssl/rand.h>
#include <string.h>

#define COUNT_OCTETS 8 /* of a block, and then zeros */

static EVP_CIPHER_CTX *cipher(const unsigned char *key, int encrypts)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    if (context != NULL &&
        EVP_CipherInit_ex2(context, EVP_aes_128_ecb(), key, NULL, encrypts, NULL) == 1 &&
        EVP_CIPHER_CTX_set_padding(context, 0) == 1)
        return context;
    EVP_CIPHER_CTX_free(context);
    return NULL;
}

int nonces_open(struct nonces *nonces, struct error *e)
{
    unsigned char key[16];

    memset(nonces, 0, sizeof *nonces);
    if (RAND_bytes(key, sizeof key) != 1)
        return failed(e, "no random numbers");
    nonces->seal = cipher(key, 1);
    nonces->open = cipher(key, 0);
    return nonces->seal != NULL && nonces->open != NULL ? 0 : failed(e, "no AES");
}

void nonces_close(struct nonces *nonces)
{
    EVP_CIPHER_CTX_free(nonces->seal);
    EVP_CIPHER_CTX_free(nonces->open);
    nonces->seal = nonces->open = NULL;
}

/* The bit of a nonce in its byte of `used`. */
static unsigned char *slot(struct nonces *nonces, uint64_t count, unsigned char *bit)
{
    *bit = (unsigned char)(1u << (count % 8));
    return &nonces->used[count % NONCES_KEPT / 8];
}

void nonce_new(struct nonces *nonces, char out[NONCE_TEXT])
{
    uint64_t count = nonces->count++;
    unsigned char plain[NONCE_OCTETS] = {0}, sealed[NONCE_OCTETS] = {0}, bit;
    unsigned char *byte = slot(nonces, count, &bit);
    int length;

    *byte &= (unsigned char)~bit;
    memcpy(plain, &count, COUNT_OCTETS);
    /* should libcrypto have run out of memory, it is one that will be refused */
    EVP_CipherUpdate(nonces->seal, sealed, &length, plain, sizeof plain);
    base64url(sealed, sizeof sealed, out);
}

bool nonce_spend(struct nonces *nonces, const char *text)
{
    static const unsigned char zeros[NONCE_OCTETS - COUNT_OCTETS];
    unsigned char sealed[NONCE_OCTETS], plain[NONCE_OCTETS], bit, *byte;
    uint64_t count;
    int length;

    if (base64url_decode(text, strlen(text), sealed, sizeof sealed) != (ssize_t)sizeof sealed ||
        EVP_CipherUpdate(nonces->open, plain, &length, sealed, sizeof sealed) != 1 ||
        memcmp(plain + COUNT_OCTETS, zeros, sizeof zeros) != 0)
        return false;
    memcpy(&count, plain, COUNT_OCTETS);
    if (count >= nonces->count || nonces->count - count > NONCES_KEPT)
        return false;
    byte = slot(nonces, count, &bit);
    if ((*byte & bit) != 0)
        return false;
    *byte |= bit;
    return true;
}
