/* jwk.h -- public keys as JSON Web Keys (RFC 7517, 7518 section 6, 8037).
 *
 * On libcrypto itself and not on libjose: that knows no EdDSA, and would take the key apart
 * anew for every signature.
 *
 * Of the kinds of key there are P-256, P-384, P-521, RSA of 2048 to 8192 bits, and Ed25519.
 */
#ifndef FAKECA_JWK_H
#define FAKECA_JWK_H

#include <jansson.h>
#include <openssl/evp.h>

#include "fakeca/base64url.h"
#include "testbed/wire/error.h"

#define THUMBPRINT_TEXT BASE64URL_TEXT(32)

/* To be freed with EVP_PKEY_free. */
EVP_PKEY *jwk_key(const json_t *jwk, struct error *e);
/* RFC 7638, SHA-256, base64url. */
int jwk_thumbprint(const json_t *jwk, char out[THUMBPRINT_TEXT], struct error *e);

#endif
