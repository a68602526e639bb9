/* acme.h -- an ACME server (RFC 8555, 8737, 8738, 9773, draft-ietf-acme-profiles) as a function from
 * requests to answers.
 *
 * It touches no socket: http_server.h brings the requests, validate.h connects to those who ask.
 * What it knows stands in the store, and each request is one step there: while acme_holds says so, answers
 * wait for store_flush before they leave.  "Now" is asked of the plan, for every request.
 *
 * Order of calls: acme_new; acme_resume once, which takes up validations and rechecks that a killed process left;
 * then acme_answer and acme_validated as they come; acme_free.
 */
#ifndef FAKECA_ACME_H
#define FAKECA_ACME_H

#include <stdint.h>

#include "fakeca/authority.h"
#include "fakeca/http_answer.h"
#include "fakeca/http_request.h"
#include "fakeca/ledger.h"
#include "fakeca/misbehaviour.h"
#include "fakeca/policy.h"
#include "fakeca/profile.h"
#include "fakeca/store.h"
#include "fakeca/validate.h"

struct acme_plan {
    struct store *store;         /* all of these are borrowed */
    struct authority *authority; /* open, and paused */
    struct validator *validator; /* its `done` leads to acme_validated */
    struct misbehaviour *misbehaviour;
    const struct policy *policy; /* NULL: the usual one */
    /* What was revoked, by whoever did it; NULL with *e.  Without it nothing can be. */
    struct ledger *(*ledger)(void *context, struct error *e);
    int64_t (*now)(void *context);
    void *context;
    const struct profiles *profiles;
    /* URLs in what is issued; the last two lack "/N.cer", "/N.crl" */
    const char *ocsp, *ca_issuers, *crl;
};

struct acme;

struct acme *acme_new(const struct acme_plan *plan, struct error *e);
void acme_free(struct acme *acme);
void acme_resume(struct acme *acme);

/* For http_server.h: `acme` is a struct acme. */
void acme_answer(void *acme, const struct http_request *request, struct http_answer *answer);
void acme_refuse(void *acme, struct http_answer *answer);
bool acme_holds(void *acme);
/* For validate.h. */
void acme_validated(void *acme, int64_t authorization, int problem, const char *detail);

#endif
