/* jws.h -- a signed request of ACME: a flattened JSON Web Signature (RFC 7515 section 7.2.2), held to
 * what RFC 8555 section 6.2 allows.
 *
 * jws_parse reads untrusted bytes; what it gives is not trusted either, until jws_verify has said
 * that whoever holds the key signed it.  Which key that is, is for the caller to find: `jwk` where the
 * request brings one, else the one of the account that `kid` names.
 */
#ifndef FAKECA_JWS_H
#define FAKECA_JWS_H

#include <jansson.h>

#include "fakeca/verifier.h"
#include "testbed/wire/error.h"

#define JWS_MOST_BYTES  131072 /* a request with a CSR for a hundred names is a tenth of that */
#define JSON_MOST_DEPTH 16

enum jws_fault { JWS_MALFORMED, JWS_ALGORITHM };

struct jws {
    json_t *protected_header; /* all of this is ours */
    json_t *payload;          /* NULL: empty, which is POST-as-GET */
    const char *algorithm;    /* of the protected header, as are the next four */
    const char *nonce, *url;  /* or NULL */
    const char *kid;          /* exactly one of these two */
    const json_t *jwk;
    char *payload_text; /* decoded, NUL after it */
    size_t payload_length;
    char *signing_input;
    size_t signing_length;
    unsigned char *signature;
    size_t signature_length;
};

/* Fills *jws, to be released with jws_free in any case.  On failure *fault says what kind it was. */
int jws_parse(const char *bytes, size_t length, struct jws *jws, enum jws_fault *fault,
              struct error *e);
/* The same for a JWS that stands inside another request, as an object. */
int jws_of_object(const json_t *object, struct jws *jws, enum jws_fault *fault, struct error *e);
int jws_verify(const struct jws *jws, struct verifier *signer, struct error *e);
/* The same for one that is signed with a shared secret, by HS256, HS384 or HS512, and names it by "kid": RFC
 * 8555 section 7.3.4. */
int jws_of_secret(const json_t *object, struct jws *jws, enum jws_fault *fault, struct error *e);
int jws_verify_secret(const struct jws *jws, const unsigned char *secret, size_t length,
                      struct error *e);
void jws_free(struct jws *jws);

/* JSON from strangers: bounded in depth, no key twice.  NULL with *e. */
json_t *json_of(const char *bytes, size_t length, struct error *e);

#endif
