#include "fakeca/nonce.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#define MAC_OCTETS 16

int nonces_open(struct nonces *nonces, struct error *e)
{
    memset(nonces, 0, sizeof *nonces);
    return RAND_bytes(nonces->key, sizeof nonces->key) == 1 ? 0 : failed(e, "no random numbers");
}

static void fill(const struct nonces *nonces, uint64_t count, unsigned char out[8 + MAC_OCTETS])
{
    unsigned char mac[EVP_MAX_MD_SIZE];

    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(count >> (56 - 8 * i));
    HMAC(EVP_sha256(), nonces->key, sizeof nonces->key, out, 8, mac, NULL);
    memcpy(out + 8, mac, MAC_OCTETS);
}

/* The bit of a nonce in its byte of `used`. */
static unsigned char *slot(struct nonces *nonces, uint64_t count, unsigned char *bit)
{
    *bit = (unsigned char)(1u << (count % 8));
    return &nonces->used[count % NONCES_KEPT / 8];
}

void nonce_new(struct nonces *nonces, char out[NONCE_TEXT])
{
    unsigned char bytes[8 + MAC_OCTETS], bit;
    unsigned char *byte = slot(nonces, nonces->count, &bit);

    *byte &= (unsigned char)~bit;
    fill(nonces, nonces->count++, bytes);
    base64url(bytes, sizeof bytes, out);
}

bool nonce_spend(struct nonces *nonces, const char *text)
{
    unsigned char given[8 + MAC_OCTETS], right[8 + MAC_OCTETS], bit, *byte;
    uint64_t count = 0;

    if (base64url_decode(text, strlen(text), given, sizeof given) != (ssize_t)sizeof given)
        return false;
    for (int i = 0; i < 8; i++)
        count = (count << 8) | given[i];
    if (count >= nonces->count || nonces->count - count > NONCES_KEPT)
        return false;
    fill(nonces, count, right);
    byte = slot(nonces, count, &bit);
    if (CRYPTO_memcmp(given, right, sizeof given) != 0 || (*byte & bit) != 0)
        return false;
    *byte |= bit;
    return true;
}
