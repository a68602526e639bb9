/* acme_parts.h -- one request while it is answered, between acme_answer.c, which knows the envelope, and the
 * files for accounts, orders, authorizations and certificates, which know what is inside.
 *
 * A handler fills the answer and returns 0; or it returns what refuse() returns, which is -1, and the
 * store then forgets what it did.
 */
#ifndef FAKECA_ACME_PARTS_H
#define FAKECA_ACME_PARTS_H

#include "fakeca/acme.h"
#include "fakeca/json_text.h"
#include "fakeca/jwk.h"
#include "fakeca/jws.h"
#include "fakeca/keyring.h"
#include "fakeca/mint.h"
#include "fakeca/nonce.h"

#define URL_TEXT 2400

struct acme {
    struct acme_plan plan;
    struct policy usual; /* what the plan points to where it came with none */
    struct nonces nonces;
    struct mint *mint;
    struct keyring keyring;
    struct recheck *rechecks;
    unsigned place;  /* where the directory's entries are; 0: at home */
    unsigned places; /* how many there were */
};

struct call {
    struct acme *acme;
    struct store *store; /* the plan's */
    const struct http_request *request;
    struct http_answer *answer;
    const struct endpoint *endpoint;
    const char *rest; /* of the path, after the endpoint's own */
    int64_t number;   /* what `rest` begins with, for those endpoints that have it */
    int64_t now;
    struct jws jws;
    json_t *payload;         /* the JWS's; borrowed, NULL for POST-as-GET */
    struct verifier *signer; /* whose key signed it; an account's, or `brought` */
    struct verifier brought;
    struct chosen chosen;   /* the fault that this request meets */
    int64_t account_number; /* 0: signed by a key without an account */
    json_t *account;
};

enum signer_kind {
    SIGNED_BY_NOBODY,
    SIGNED_AT_WILL, /* GET, or POST-as-GET by an account: RFC 8555 section 6.3 */
    SIGNED_BY_KEY,
    SIGNED_BY_ACCOUNT,
    SIGNED_BY_EITHER
};

struct endpoint {
    const char *name; /* as RFC 8555 section 9.7.5 and the fault table call it */
    const char *path;
    const char *methods; /* "GET, HEAD" */
    enum signer_kind signer;
    const char *thing; /* what the number in its path is of; NULL: it has none */
    bool listed;       /* in the directory */
    int (*answer)(struct call *call);
};

int refuse(struct call *call, enum problem problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A failure that is ours: said on stderr, and serverInternal to the client. */
int broken(struct call *call, const struct error *e);
/* "https://HOST/PATH" as this client calls us. */
void url_of(const struct call *call, char out[URL_TEXT], const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, and a moment, as values of what is told. */
void tell_url(const struct call *call, struct json_text *told, const char *name, const char *format,
              ...) __attribute__((format(printf, 4, 5)));
void tell_time(struct json_text *told, const char *name, int64_t seconds);
/* Makes it the answer, and takes it.  Faults about what is told do their work here. */
int answer_json(struct call *call, int status, struct json_text *told);

/* What was revoked; NULL with *e. */
struct ledger *ledger_of(const struct call *call, struct error *e);
/* A thing of the caller's own; NULL after a refusal. */
json_t *own(struct call *call, const char *kind, int64_t number);
const char *text_of(const json_t *object, const char *name);
bool has_status(const json_t *object, const char *status);
void set_status(json_t *object, const char *status);

int answer_new_account(struct call *call);
int answer_account(struct call *call);
int answer_orders(struct call *call);
int answer_key_change(struct call *call);

int answer_new_order(struct call *call);
int answer_order(struct call *call);
/* Brings an order's status up to date with its authorizations and the clock. */
int order_refresh(struct call *call, int64_t number, json_t *order);
int order_answer(struct call *call, int status, int64_t number, const json_t *order);
/* What exactly these identifiers go by, in whatever order. */
#define SET_TEXT BASE64URL_TEXT(32)
void identifiers_name(const json_t *identifiers, char out[SET_TEXT]);
/* NULL where it was withdrawn since. */
const struct profile *order_profile(const struct acme *acme, const json_t *order);

/* An authorization for an identifier of an order: a new one, or a valid one where the policy has those
 * used again.  Its number, or -1 with *e. */
int64_t authorization_for(struct call *call, const json_t *identifier,
                          const struct profile *profile, struct error *e);
/* Whether the account has shown that it holds the name; also "*.NAME". */
bool authorization_holds(struct call *call, const char *name);
int answer_authorization(struct call *call);
int answer_challenge(struct call *call);

/* CAA again, where the policy has it and it was looked at too long ago: 1 where that is under way, and the order
 * is to be processing until recheck_judged has it that all is well and calls issue_rechecked, or the order
 * becomes invalid; 0 where nothing is to be looked at; -1 with *e. */
int recheck_start(struct call *call, const json_t *order, struct error *e);
/* For those that a killed process left. */
void recheck_resume(struct acme *acme);
/* What a look came to: 1, or 0 where nobody waited for it; -1 with *e. */
int recheck_judged(struct acme *acme, int64_t authorization, int problem, const char *detail,
                   struct error *e);
void recheck_clear(struct acme *acme);
/* Why nothing is issued for an order now, as a problem: its profile was withdrawn, or the leaf would outlive its
 * issuer, which real authorities refuse, too.  NULL: nothing keeps us from it. */
json_t *issue_refusal(const struct acme *acme, const json_t *order);
/* Issues for the "csr" that an order in processing holds, as the fault has it that its request has "met". */
int issue_rechecked(struct acme *acme, int64_t number, json_t *order, struct error *e);

int answer_finalize(struct call *call);
int answer_certificate(struct call *call);
int answer_revoke(struct call *call);
int answer_renewal_info(struct call *call);

/* Rate limits, where the policy has them: the first two refuse, the others count. */
int limit_account(struct call *call);
int limit_order(struct call *call, const json_t *order);
int limit_issued(struct acme *acme, const json_t *order, int64_t now, struct error *e);
int limit_judged(struct acme *acme, int64_t account, const char *name, bool good, int64_t now,
                 struct error *e);

#endif
