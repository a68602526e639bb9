/* request.h -- a certificate request (PKCS#10, RFC 2986), as an order must have it: RFC 8555
 * section 7.4. */
#ifndef FAKECA_REQUEST_H
#define FAKECA_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

#include "fakeca/key.h"
#include "testbed/wire/error.h"

struct request {
    struct pkcs10 *parsed; /* ours, as is the key */
    EVP_PKEY *key;
    struct key_der encoded; /* the same key, borrowed from `parsed` */
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
