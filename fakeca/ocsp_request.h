/* ocsp_request.h -- the request of an OCSP client (RFC 6960 section 4.1), out of untrusted bytes.
 */
#ifndef FAKECA_OCSP_REQUEST_H
#define FAKECA_OCSP_REQUEST_H

#include <openssl/ocsp.h>
#include <stddef.h>

#include "fakeca/chain.h"

#define OCSP_REQUEST_TYPE "application/ocsp-request"
#define OCSP_REQUEST_MOST (64u << 10) /* bytes; a longer request is malformed */
#define OCSP_IDS_MOST     256         /* CertIDs; a request with more is malformed */
#define OCSP_NONCE_MOST   128         /* octets, RFC 9654 */

struct ocsp_request {
    OCSP_REQUEST *parsed;
    int count;             /* of CertIDs, at least one */
    X509_EXTENSION *nonce; /* borrowed from `parsed`; NULL: none */
};

/* NULL where it is no DER, longer or larger than the limits, has bytes left over, a nonce that
 * is none, or an extension that is critical and unknown.  To be freed with OCSP_REQUEST_free. */
OCSP_REQUEST *ocsp_request_parse(const unsigned char *bytes, size_t length,
                                 struct ocsp_request *out);
/* Number `i` of `count`, borrowed. */
OCSP_CERTID *ocsp_request_id(const struct ocsp_request *request, int i);

/* The request in the path of a GET (RFC 6960 appendix A.1): what follows the responder's own
 * path, base64 and then percent-encoded.  One leading '/' is skipped.  *out is to be freed with
 * free(); -1 with *e where it is no base64 or too long. */
int ocsp_request_of_path(const char *path, struct blob *out, struct error *e);

#endif
