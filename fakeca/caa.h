/* caa.h -- may we issue for a name?  RFC 8659, with the parameters of RFC 8657.
 *
 * The records of the name itself are asked for, then those of the name above it, and so on up to the top-level
 * domain; the first that has any decides.  A name server that fails to answer forbids.
 */
#ifndef FAKECA_CAA_H
#define FAKECA_CAA_H

#include "fakeca/lookup.h"

#define CAA_IDENTITY "rehearsal.test"

struct caa_question {
    char name[256]; /* without "*." */
    bool wildcard;
    int64_t account;    /* as in .../acme/account/7, for accounturi */
    const char *method; /* "http-01", for validationmethods; borrowed */
};

enum caa_verdict { CAA_PERMITS, CAA_REFUSES, CAA_SILENT };

/* What a set of records says.  It is not empty; each is "FLAGS TAG VALUE" as reply_read gives it. */
enum caa_verdict caa_judge(const struct found *found, const struct caa_question *question);

struct caa_check;

/* Ends by calling `done` once, never from within caa_start, or by caa_cancel.  CAA_SILENT: a server gave
 * no answer.  NULL with *e where it could not be begun. */
struct caa_check *caa_start(struct ev_loop *loop, const struct resolver *resolver,
                            const struct caa_question *question,
                            void (*done)(void *context, enum caa_verdict verdict,
                                         const char *detail),
                            void *context, struct error *e);
/* `check` may be NULL. */
void caa_cancel(struct caa_check *check);

#endif
