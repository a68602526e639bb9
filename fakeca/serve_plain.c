#include "fakeca/serve_plain.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fakeca/aia_answer.h"
#include "fakeca/crl_answer.h"

#define HOUR     INT64_C(3600)
#define DAY      INT64_C(86400)
#define LIFETIME (7 * DAY)

/* --- what is known ------------------------------------------------------------------------------ */

static off_t size_of(const struct authority *authority, const char *name)
{
    struct stat about;

    return fstatat(authority->directory, name, &about, 0) == 0 ? about.st_size : 0;
}

static int read_ledger(struct plain *plain, struct error *e)
{
    plain->revoked = size_of(plain->authority, "revoked.jsonl");
    plain->issued = size_of(plain->authority, "issued.jsonl");
    if (ledger_open(plain->authority, &plain->ledger, e) < 0)
        return -1;
    return ledger_read_issued(&plain->ledger, e);
}

static int refresh(struct plain *plain, struct error *e)
{
    int status;

    if (plain->revoked == size_of(plain->authority, "revoked.jsonl") &&
        plain->issued == size_of(plain->authority, "issued.jsonl"))
        return 0;
    if (authority_resume(plain->authority, e) < 0)
        return -1;
    ledger_close(&plain->ledger);
    status = read_ledger(plain, e);
    authority_pause(plain->authority);
    return status;
}

struct ledger *plain_ledger(struct plain *plain, struct error *e)
{
    return refresh(plain, e) < 0 ? NULL : &plain->ledger;
}

/* --- answers ------------------------------------------------------------------------------------ */

static int take(struct http_answer *answer, const char *type, struct blob *blob)
{
    http_answer_body(answer, type, (char *)blob->bytes, blob->length);
    return 0;
}

static int blob_copy(const void *bytes, size_t length, struct blob *out)
{
    out->bytes = malloc(length + 1);
    if (out->bytes == NULL)
        return -1;
    memcpy(out->bytes, bytes, length);
    out->length = length;
    return 0;
}

/* Whom an OCSP request is about, for faults that hit one certificate. */
static void note_serial(struct plain *plain, const unsigned char *bytes, size_t length,
                        struct ocsp_question *question)
{
    question->serial[0] = '\0';
    if (!ocsp_asked(plain->ocsp, bytes, length, question))
        question->serial[0] = '\0';
}

/* Chooses the fault that a request meets; true where that was the whole answer. */
static bool misbehaves(struct plain *plain, const char *endpoint, const char *serial,
                       struct chosen *chosen, struct http_answer *answer)
{
    struct subject subject = {
        .endpoint = endpoint, .serial = serial, .now = plain->now(plain->context)};

    *chosen = misbehaviour_choose(plain->misbehaviour, &subject);
    misbehaviour_keep(plain->misbehaviour);
    return misbehave_instead(chosen, answer);
}

/* Signers besides the issuer take serial numbers, so the authority must be ours for that time. */
static int respond(struct plain *plain, const struct blob *asked, const struct chosen *chosen,
                   struct blob *out, struct error *e)
{
    const struct ocsp_misbehaviour *misbehaviour =
        chosen->fault == NULL ? NULL : chosen->fault->ocsp;
    bool alone = misbehaviour == NULL && !plain->policy->ocsp_delegated;
    int status;

    if (!alone && authority_resume(plain->authority, e) < 0)
        return -1;
    ocsp_responder_delegates(plain->ocsp, plain->policy->ocsp_delegated);
    status = ocsp_answer(plain->ocsp, asked->bytes, asked->length, chosen->now + chosen->skew,
                         misbehaviour, out, e);
    if (!alone)
        authority_pause(plain->authority);
    return status;
}

static int answer_ocsp(struct plain *plain, const struct http_request *request, const char *rest,
                       struct http_answer *answer, struct error *e)
{
    struct blob asked = {0}, out = {0};
    struct ocsp_question question;
    struct chosen chosen;
    struct error why;
    int status = 0;

    if (strcmp(request->method, "POST") == 0)
        status = blob_copy(request->body, request->body_length, &asked);
    else if (ocsp_request_of_path(rest, &asked, &why) < 0)
        asked = (struct blob){0}; /* which is answered as what it is: malformed */
    note_serial(plain, asked.bytes, asked.length, &question);
    if (status == 0 && !misbehaves(plain, "ocsp", question.serial, &chosen, answer)) {
        status = respond(plain, &asked, &chosen, &out, e);
        if (status < 0 && out.bytes != NULL)
            fprintf(stderr, "fakeca: %s\n", e->text);
        if (out.bytes != NULL)
            status = take(answer, OCSP_ANSWER_TYPE, &out);
        misbehave_after(&chosen, answer);
    }
    free(asked.bytes);
    return status;
}

/* The signer's number that a file is named by; -1 where there is none. */
static long number_of(const struct plain *plain, const char *name, const char **suffix)
{
    char *end;
    long number = strtol(name, &end, 10);

    *suffix = end;
    return *name >= '0' && *name <= '9' && number >= 0 && (size_t)number < plain->authority->count
               ? number
               : -1;
}

static int answer_issuer(struct plain *plain, const struct http_request *request, const char *rest,
                         struct http_answer *answer, struct error *e)
{
    const char *suffix;
    long number = number_of(plain, rest, &suffix);
    struct blob out = {0};
    struct chosen chosen;

    (void)request;
    if (misbehaves(plain, "issuers", NULL, &chosen, answer))
        return 0;
    if (number >= 0 && chosen.fault != NULL && chosen.fault->turns_issuers)
        number = (number + 1) % (long)plain->authority->count;
    answer->status = 404;
    for (int form = 0; number >= 0 && form < AIA_FORMS; form++)
        if (strcmp(suffix, aia_looks[form].suffix) == 0) {
            if (aia_answer(plain->authority, (size_t)number, (enum aia_form)form, &out, e) < 0)
                return -1;
            answer->status = 200;
            take(answer, aia_looks[form].type, &out);
        }
    misbehave_after(&chosen, answer);
    return 0;
}

static int answer_crl(struct plain *plain, const struct http_request *request, const char *rest,
                      struct http_answer *answer, struct error *e)
{
    static const struct crl_plan plan = {.backdate = HOUR, .lifetime = LIFETIME};
    const char *suffix;
    long number = number_of(plain, rest, &suffix);
    struct blob out = {0};
    struct chosen chosen;

    (void)request;
    if (number < 0 || strcmp(suffix, ".crl") != 0) {
        answer->status = 404;
        return 0;
    }
    if (misbehaves(plain, "crls", NULL, &chosen, answer))
        return 0;
    if (crl_answer(&plain->ledger, (size_t)number, &plan, chosen.now + chosen.skew,
                   chosen.fault == NULL ? NULL : chosen.fault->crl, &out, e) < 0)
        return -1;
    take(answer, CRL_ANSWER_TYPE, &out);
    misbehave_after(&chosen, answer);
    return 0;
}

static const struct route {
    const char *path;
    bool post;
    int (*answer)(struct plain *plain, const struct http_request *request, const char *rest,
                  struct http_answer *answer, struct error *e);
} routes[] = {
    {"/ocsp",     true,  answer_ocsp  },
    {"/issuers/", false, answer_issuer},
    {"/crls/",    false, answer_crl   },
};

void plain_answer(void *context, const struct http_request *request, struct http_answer *answer)
{
    struct plain *plain = context;
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    struct error e;

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        size_t length = strlen(routes[i].path);

        if (strncmp(request->target, routes[i].path, length) != 0)
            continue;
        if (!reads && !(routes[i].post && strcmp(request->method, "POST") == 0)) {
            answer->status = 405;
            http_answer_field(answer, "Allow", "%s",
                              routes[i].post ? "GET, HEAD, POST" : "GET, HEAD");
            return;
        }
        if (refresh(plain, &e) < 0 ||
            routes[i].answer(plain, request, request->target + length, answer, &e) < 0) {
            fprintf(stderr, "fakeca: %s\n", e.text);
            answer->status = 500;
        }
        return;
    }
    answer->status = 404;
}

/* --- opening ------------------------------------------------------------------------------------ */

int plain_open(struct plain *plain, struct error *e)
{
    struct ocsp_plan plan = {
        .authority = plain->authority,
        .standing = ocsp_ledger_standing,
        .context = &plain->ledger,
        .backdate = HOUR,
        .lifetime = LIFETIME,
        .reuse = 60,
    };
    int status;

    if (authority_resume(plain->authority, e) < 0)
        return -1;
    status = read_ledger(plain, e);
    authority_pause(plain->authority);
    if (status < 0)
        return -1;
    plain->ocsp = ocsp_responder_new(&plan, e);
    return plain->ocsp == NULL ? -1 : 0;
}

void plain_close(struct plain *plain)
{
    if (plain->ocsp != NULL)
        ocsp_responder_free(plain->ocsp);
    if (plain->ledger.lines != NULL)
        ledger_close(&plain->ledger);
}
