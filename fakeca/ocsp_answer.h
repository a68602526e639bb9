/* ocsp_answer.h -- an OCSP responder's brain (RFC 6960): bytes of a request in, bytes of a
 * response out.
 *
 * Nothing here knows a socket or a clock: `at` is now on the caller's calendar, Unix seconds,
 * and every date in a response follows from it.  Requests are untrusted; whatever they hold, the
 * answer is a well-formed OCSPResponse: what does not parse gets malformedRequest, and what asks
 * about no issuer of ours gets unauthorized.
 *
 * Requests may name issuers by SHA-1 or SHA-256, ask about up to OCSP_IDS_MOST certificates at
 * once and carry a nonce of 1 to 128 octets (RFC 9654), which comes back.  One response has one
 * signer, that of the first CertID of ours; CertIDs of other issuers are `unknown` in it.  A
 * signature on a request is not looked at.
 *
 * An answer without a nonce may be one that was signed up to `reuse` seconds ago (RFC 6960
 * section 2.5), provided that what is known of the certificate is still the same.
 *
 * Order of calls: ocsp_responder_new on an open authority; any number of ocsp_answer;
 * ocsp_responder_free; then authority_close.  Not for several threads at once.
 */
#ifndef FAKECA_OCSP_ANSWER_H
#define FAKECA_OCSP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fakeca/authority.h"
#include "fakeca/ledger.h"
#include "fakeca/ocsp_request.h"
#include "fakeca/ocsp_signer.h"

#define OCSP_ANSWER_TYPE "application/ocsp-response"

/* What is known of `serial` (as certificate_serial writes it) under signer number `issuer`.
 * Asked for every CertID of every request, so it should not take long. */
typedef void standing_of(void *context, size_t issuer, const char *serial, struct standing *out);

/* A standing_of whose context is a struct ledger: what ledger_standing says. */
void ocsp_ledger_standing(void *ledger, size_t issuer, const char *serial, struct standing *out);

struct ocsp_plan {
    struct authority *authority; /* borrowed until ocsp_responder_free */
    standing_of *standing;
    void *context;
    int64_t backdate; /* seconds: thisUpdate lies so long before `at`, for slow clients */
    int64_t lifetime; /* seconds from thisUpdate to nextUpdate */
    int64_t reuse;    /* seconds; 0: sign every answer */
    bool delegated;   /* answers are signed by a delegate (RFC 6960 section 4.2.2.2), not the CA */
};

struct ocsp_responder;

/* To be freed with ocsp_responder_free; NULL with *e.  The plan is copied. */
struct ocsp_responder *ocsp_responder_new(const struct ocsp_plan *plan, struct error *e);
void ocsp_responder_free(struct ocsp_responder *responder);
/* From now on it is so in place of what the plan has; what was signed otherwise is not used again. */
void ocsp_responder_delegates(struct ocsp_responder *responder, bool delegated);

/* How to misbehave in one answer.  Zero everywhere is good behaviour.  A caller may copy a row of
 * the table and change its parameters. */
enum ocsp_nonce { OCSP_NONCE_ECHOED, OCSP_NONCE_LEFT_OUT, OCSP_NONCE_CHANGED };
enum ocsp_says { OCSP_SAYS_TRUTH, OCSP_SAYS_GOOD, OCSP_SAYS_REVOKED, OCSP_SAYS_UNKNOWN };

struct ocsp_misbehaviour {
    const char *name;    /* kebab-case */
    const char *what;    /* one line */
    const char *replays; /* the outage or issue it is known from */
    int64_t ended;       /* not 0: nextUpdate was so many seconds ago */
    int64_t begins;      /* not 0: thisUpdate is so many seconds ahead */
    int response_status; /* OCSP_RESPONSE_STATUS_...; SUCCESSFUL, which is 0: an answer */
    enum ocsp_says says;
    enum ocsp_signing signing; /* OCSP_BY_ISSUER: as planned */
    bool forged;               /* one bit of the signature is turned over */
    enum ocsp_nonce nonce;
    bool other_serial; /* the answer is about the next serial number */
    bool no_next_update;
    size_t padding; /* octets of an extension that nobody needs */
    size_t garbage; /* that many octets that are no DER, instead of an answer */
};

extern const struct ocsp_misbehaviour ocsp_misbehaviours[];
extern const size_t ocsp_misbehaviour_count;
/* NULL with the nearest right name in *e. */
const struct ocsp_misbehaviour *ocsp_misbehaviour_named(const char *name, struct error *e);

/* What a request asks about first, for callers who misbehave towards one certificate only. */
struct ocsp_question {
    size_t issuer; /* a signer's number */
    char serial[SERIAL_TEXT];
};
/* false where it does not parse or asks about no issuer of ours. */
bool ocsp_asked(struct ocsp_responder *responder, const unsigned char *request, size_t length,
                struct ocsp_question *out);

/* Answers `request` as DER in *out, to be freed with free().  `misbehaviour` NULL: good.
 * -1 with *e where the responder itself failed (no memory, a signer that cannot be read); *out is
 * then an internalError response, or empty when there was no memory even for that. */
int ocsp_answer(struct ocsp_responder *responder, const unsigned char *request, size_t length,
                int64_t at, const struct ocsp_misbehaviour *misbehaviour, struct blob *out,
                struct error *e);

#endif
