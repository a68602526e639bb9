/* request.h -- a certificate request (PKCS#10, RFC 2986), as an order must have it: RFC 8555
 * section 7.4. */
#ifndef FAKECA_REQUEST_H
#define FAKECA_REQUEST_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "fakeca/key.h"
#include "testbed/wire/error.h"

struct request {
    X509_REQ *parsed; /* ours */
    EVP_PKEY *key;    /* of `parsed`, borrowed */
    const struct key_kind *kind;
    json_t *names; /* ours: its names as strings, lower-case, each once */
    bool must_staple;
};

/* Reads untrusted DER and checks its signature; to be released with request_free in any case. */
int request_read(const unsigned char *der, size_t length, struct request *request, struct error *e);
/* Whether its names are just those of the identifiers, an array of {"type", "value"}. */
int request_matches(const struct request *request, const json_t *identifiers, struct error *e);
void request_free(struct request *request);

#endif
