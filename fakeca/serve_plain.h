/* serve_plain.h -- what is served over plain HTTP, as RFC 5280 and RFC 6960 want it:
 *
 *     /ocsp            OCSP, by POST or GET
 *     /issuers/N.cer   the certificate of signer number N, as DER; N.p7c as PKCS#7
 *     /crls/N.crl      its CRL
 *
 * What the answers say comes from the authority's own files (ledger.h), which are read again when they
 * have grown: `fakeca revoke` on the same state directory is seen at the next request.
 *
 * Order of calls: plain_open on an open, paused authority; plain_answer; plain_close.
 */
#ifndef FAKECA_SERVE_PLAIN_H
#define FAKECA_SERVE_PLAIN_H

#include <sys/types.h>

#include "fakeca/http_answer.h"
#include "fakeca/http_request.h"
#include "fakeca/misbehaviour.h"
#include "fakeca/ocsp_answer.h"
#include "fakeca/policy.h"

struct plain {
    struct authority *authority; /* borrowed, as are the next two */
    struct misbehaviour *misbehaviour;
    const struct policy *policy;
    int64_t (*now)(void *context);
    void *context;
    /* the rest is its own */
    struct ledger ledger;
    struct ocsp_responder *ocsp;
    off_t revoked, issued; /* sizes of the files that the ledger was read from */
};

int plain_open(struct plain *plain, struct error *e);
void plain_close(struct plain *plain);

/* The ledger as the files have it now; NULL with *e.  Borrowed until the next call here. */
struct ledger *plain_ledger(struct plain *plain, struct error *e);

/* For http_server.h: `plain` is a struct plain. */
void plain_answer(void *plain, const struct http_request *request, struct http_answer *answer);

#endif
