#include "fakeca/nonce.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#define MAC_OCTETS 16

int nonces_open(struct nonces *nonces, struct error *e)
{
    OSSL_PARAM how[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
                        OSSL_PARAM_END};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    unsigned char key[32];

    memset(nonces, 0, sizeof *nonces);
    nonces->mac = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    if (RAND_bytes(key, sizeof key) != 1)
        return failed(e, "no random numbers");
    return nonces->mac != NULL && EVP_MAC_init(nonces->mac, key, sizeof key, how) == 1
               ? 0
               : failed(e, "no HMAC with SHA-256");
}

void nonces_close(struct nonces *nonces)
{
    EVP_MAC_CTX_free(nonces->mac);
    nonces->mac = NULL;
}

/* 0, or -1: libcrypto has run out of memory. */
static int fill(struct nonces *nonces, uint64_t count, unsigned char out[8 + MAC_OCTETS])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t length;

    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(count >> (56 - 8 * i));
    if (EVP_MAC_init(nonces->mac, NULL, 0, NULL) != 1 || /* again, with the same key */
        EVP_MAC_update(nonces->mac, out, 8) != 1 ||
        EVP_MAC_final(nonces->mac, mac, &length, sizeof mac) != 1)
        return -1;
    memcpy(out + 8, mac, MAC_OCTETS);
    return 0;
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
    memset(bytes, 0, sizeof bytes);
    fill(nonces, nonces->count++, bytes); /* where that fails, it is one that will be refused */
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
    byte = slot(nonces, count, &bit);
    if (fill(nonces, count, right) < 0 || CRYPTO_memcmp(given, right, sizeof given) != 0 ||
        (*byte & bit) != 0)
        return false;
    *byte |= bit;
    return true;
}
