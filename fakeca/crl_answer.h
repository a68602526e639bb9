/* crl_answer.h -- the CRL of one issuer, as DER for HTTP (RFC 5280 section 5, RFC 2585).
 *
 * Full CRLs only, with every certificate of that issuer that the ledger says is revoked.  Dates
 * follow from `at`, now on the caller's calendar; neither socket nor clock is touched.
 */
#ifndef FAKECA_CRL_ANSWER_H
#define FAKECA_CRL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fakeca/ledger.h"

#define CRL_ANSWER_TYPE "application/pkix-crl"

struct crl_plan {
    int64_t backdate; /* seconds: thisUpdate lies that long before `at` */
    int64_t lifetime; /* seconds from thisUpdate to nextUpdate */
};

/* How to misbehave in one answer; zero everywhere is good behaviour.  A caller may copy a row of
 * the table and change its parameters. */
struct crl_misbehaviour {
    const char *name;    /* kebab-case */
    const char *what;    /* one line */
    const char *replays; /* the outage or issue it is known from */
    int64_t ended;       /* not 0: nextUpdate was so many seconds ago */
    int64_t begins;      /* not 0: thisUpdate is so many seconds ahead */
    bool of_another;     /* the CRL of another signer of the authority */
    bool forged;         /* one bit of the signature is turned over */
    bool empty;          /* lists nothing, whatever was revoked */
    size_t more;         /* entries of made-up serial numbers besides the true ones */
    size_t garbage;      /* that many octets that are no DER, instead of a CRL */
};

extern const struct crl_misbehaviour crl_misbehaviours[];
extern const size_t crl_misbehaviour_count;
/* NULL with the nearest right name in *e. */
const struct crl_misbehaviour *crl_misbehaviour_named(const char *name, struct error *e);

/* The CRL of signer number `issuer`, to be freed with free().  `misbehaviour` NULL: good. */
int crl_answer(struct ledger *ledger, size_t issuer, const struct crl_plan *plan, int64_t at,
               const struct crl_misbehaviour *misbehaviour, struct blob *out, struct error *e);

#endif
