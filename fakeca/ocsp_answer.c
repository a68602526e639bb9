#include "fakeca/ocsp_answer.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/ocsp_cache.h"
#include "fakeca/openssl_error.h"

#define DIGEST_MOST   32
#define SERIAL_OCTETS 32 /* what SERIAL_TEXT has room for; nobody issues longer ones */

/* An issuer as a CertID names it. */
struct naming {
    unsigned char name[DIGEST_MOST], key[DIGEST_MOST];
};

static const EVP_MD *(*const digests[])(void) = {EVP_sha1, EVP_sha256};
#define DIGESTS (sizeof digests / sizeof digests[0])

struct ocsp_responder {
    struct ocsp_plan plan;
    struct naming namings[SIGNERS_MOST][DIGESTS];
    size_t named; /* issuers that have theirs */
    struct ocsp_signers signers;
    struct ocsp_cache cache;
};

/* One request, while it is being answered. */
struct answering {
    struct ocsp_responder *responder;
    struct ocsp_request request;
    const struct ocsp_misbehaviour *m;
    int64_t at;
    size_t signer;              /* whose answer it is: an issuer's number */
    struct ocsp_question asked; /* of the last CertID that is that issuer's */
    struct standing standing;   /* and what was said of it */
};

static const struct ocsp_misbehaviour good = {0};

void ocsp_ledger_standing(void *ledger, size_t issuer, const char *serial, struct standing *out)
{
    ledger_standing(ledger, issuer, serial, out);
}

struct ocsp_responder *ocsp_responder_new(const struct ocsp_plan *plan, struct error *e)
{
    struct ocsp_responder *responder = calloc(1, sizeof *responder);

    if (responder == NULL)
        return failed(e, "out of memory"), NULL;
    responder->plan = *plan;
    responder->signers.authority = plan->authority;
    return responder;
}

void ocsp_responder_free(struct ocsp_responder *responder)
{
    if (responder == NULL)
        return;
    ocsp_signers_free(&responder->signers);
    ocsp_cache_free(&responder->cache);
    free(responder);
}

void ocsp_responder_delegates(struct ocsp_responder *responder, bool delegated)
{
    if (responder->plan.delegated != delegated)
        ocsp_cache_free(&responder->cache);
    responder->plan.delegated = delegated;
}

/* --- whom a CertID means ------------------------------------------------------------------------ */

static int name_issuer(struct ocsp_responder *responder, size_t i, struct error *e)
{
    const struct signer *signer = authority_signer(responder->plan.authority, i, e);

    if (signer == NULL)
        return -1;
    for (size_t d = 0; d < DIGESTS; d++) {
        struct naming *naming = &responder->namings[i][d];
        const EVP_MD *digest = digests[d]();

        if (X509_NAME_digest(X509_get_subject_name(signer->certificate), digest, naming->name,
                             NULL) != 1 ||
            X509_pubkey_digest(signer->certificate, digest, naming->key, NULL) != 1)
            return openssl_failed(e, "name an issuer");
    }
    return 0;
}

static bool is_digest(const ASN1_OCTET_STRING *octets, const unsigned char *digest, int length)
{
    return ASN1_STRING_length(octets) == length &&
           memcmp(ASN1_STRING_get0_data(octets), digest, (size_t)length) == 0;
}

/* 1 where it asks about an issuer of ours, 0 where not, -1 with *e. */
static int identify(struct ocsp_responder *responder, OCSP_CERTID *id, struct ocsp_question *out,
                    struct error *e)
{
    ASN1_OCTET_STRING *name, *key;
    ASN1_INTEGER *serial;
    ASN1_OBJECT *algorithm;
    size_t d = 0;

    /* there are more of them after a rotation */
    for (; responder->named < responder->plan.authority->count; responder->named++)
        if (name_issuer(responder, responder->named, e) < 0)
            return -1;
    OCSP_id_get0_info(&name, &algorithm, &key, &serial, id);
    while (d < DIGESTS && EVP_MD_get_type(digests[d]()) != OBJ_obj2nid(algorithm))
        d++;
    if (d == DIGESTS)
        return 0;
    out->serial[0] = '\0';
    if (ASN1_STRING_length(serial) <= SERIAL_OCTETS)
        serial_text(serial, out->serial);
    for (out->issuer = 0; out->issuer < responder->named; out->issuer++) {
        const struct naming *naming = &responder->namings[out->issuer][d];
        int length = EVP_MD_get_size(digests[d]());

        if (is_digest(key, naming->key, length) && is_digest(name, naming->name, length))
            return 1;
    }
    return 0;
}

/* The first CertID of ours. */
static int first_of_ours(struct ocsp_responder *responder, const struct ocsp_request *request,
                         struct ocsp_question *out, struct error *e)
{
    int ours = 0;

    for (int i = 0; i < request->count && ours == 0; i++)
        ours = identify(responder, ocsp_request_id(request, i), out, e);
    return ours;
}

bool ocsp_asked(struct ocsp_responder *responder, const unsigned char *request, size_t length,
                struct ocsp_question *out)
{
    struct ocsp_request parsed;
    struct error ignored;
    bool ours = ocsp_request_parse(request, length, &parsed) != NULL &&
                first_of_ours(responder, &parsed, out, &ignored) == 1;

    OCSP_REQUEST_free(parsed.parsed);
    return ours;
}

/* --- what is said ------------------------------------------------------------------------------- */

static struct validity dates_of(const struct answering *a)
{
    const struct ocsp_plan *plan = &a->responder->plan;
    struct validity dates = {.from = a->at - plan->backdate};

    if (a->m->ended != 0)
        dates.from = a->at - a->m->ended - plan->lifetime;
    if (a->m->begins != 0)
        dates.from = a->at + a->m->begins;
    dates.until = a->m->no_next_update ? NO_END : dates.from + plan->lifetime;
    return dates;
}

/* What was announced for later is not so yet. */
static void standing_at(const struct ocsp_plan *plan, size_t issuer, const char *serial, int64_t at,
                        struct standing *out)
{
    plan->standing(plan->context, issuer, serial, out);
    if (out->status == V_OCSP_CERTSTATUS_REVOKED && out->revoked.at > at)
        *out = (struct standing){.status = V_OCSP_CERTSTATUS_GOOD};
}

static void stand(struct answering *a, struct standing *standing)
{
    static const int pretended[] = {
        [OCSP_SAYS_GOOD] = V_OCSP_CERTSTATUS_GOOD,
        [OCSP_SAYS_REVOKED] = V_OCSP_CERTSTATUS_REVOKED,
        [OCSP_SAYS_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN,
    };

    standing_at(&a->responder->plan, a->asked.issuer, a->asked.serial, a->at, standing);
    a->standing = *standing;
    if (a->m->says == OCSP_SAYS_TRUTH || pretended[a->m->says] == standing->status)
        return;
    *standing = (struct standing){
        .status = pretended[a->m->says],
        .revoked = {.at = dates_of(a).from, .reason = CRL_REASON_UNSPECIFIED},
    };
}

/* Adds one to the serial number. */
static int pass_over(OCSP_CERTID *id)
{
    ASN1_INTEGER *serial;
    BIGNUM *number;
    int status = -1;

    OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
    number = ASN1_INTEGER_to_BN(serial, NULL);
    if (number != NULL && BN_add_word(number, 1) == 1 && BN_to_ASN1_INTEGER(number, serial) != NULL)
        status = 0;
    BN_free(number);
    return status;
}

static int state_one(struct answering *a, OCSP_BASICRESP *basic, int i, struct error *e)
{
    struct standing standing = {.status = V_OCSP_CERTSTATUS_UNKNOWN};
    struct ocsp_question asked;
    OCSP_CERTID *id = ocsp_request_id(&a->request, i);
    int ours = identify(a->responder, id, &asked, e);
    int status = ours < 0 ? -1 : 0;

    /* one signer cannot speak for other issuers */
    if (ours == 1 && asked.issuer == a->signer) {
        a->asked = asked;
        stand(a, &standing);
    }
    if (status == 0 && a->m->other_serial && pass_over(id) < 0)
        status = openssl_failed(e, "change a serial number");
    if (status == 0)
        status = ocsp_state(basic, id, &standing, dates_of(a), e);
    return status;
}

static int add_nonce(const struct answering *a, OCSP_BASICRESP *basic, struct error *e)
{
    X509_EXTENSION *nonce;
    ASN1_OCTET_STRING *value;

    if (a->request.nonce == NULL || a->m->nonce == OCSP_NONCE_LEFT_OUT)
        return 0;
    if (OCSP_BASICRESP_add_ext(basic, a->request.nonce, -1) != 1)
        return openssl_failed(e, "add a nonce");
    nonce = OCSP_BASICRESP_get_ext(basic, OCSP_BASICRESP_get_ext_count(basic) - 1);
    value = X509_EXTENSION_get_data(nonce);
    if (a->m->nonce ==
        OCSP_NONCE_CHANGED) /* never empty: it holds an OCTET STRING of one at least */
        ((unsigned char *)ASN1_STRING_get0_data(value))[ASN1_STRING_length(value) - 1] ^= 1;
    return 0;
}

/* An extension of our own, which nobody knows and nobody must. */
static int add_padding(const struct answering *a, OCSP_BASICRESP *basic, struct error *e)
{
    ASN1_OBJECT *object = OBJ_txt2obj(OID_UNKNOWN, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    unsigned char *zeros = calloc(1, a->m->padding + 1);
    X509_EXTENSION *extension = NULL;
    int status = 0;

    if (object == NULL || value == NULL || zeros == NULL ||
        ASN1_OCTET_STRING_set(value, zeros, (int)a->m->padding) != 1 ||
        X509_EXTENSION_create_by_OBJ(&extension, object, 0, value) == NULL ||
        OCSP_BASICRESP_add_ext(basic, extension, -1) != 1)
        status = openssl_failed(e, "pad an OCSP response");
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
    free(zeros);
    return status;
}

static int fill(struct answering *a, OCSP_BASICRESP *basic, struct error *e)
{
    for (int i = 0; i < a->request.count; i++)
        if (state_one(a, basic, i, e) < 0)
            return -1;
    if (add_nonce(a, basic, e) < 0)
        return -1;
    return a->m->padding == 0 ? 0 : add_padding(a, basic, e);
}

static int sign(struct answering *a, OCSP_BASICRESP *basic, struct error *e)
{
    const struct ocsp_plan *plan = &a->responder->plan;
    enum ocsp_signing signing = a->m->signing;
    const struct signer *signer;

    if (signing == OCSP_BY_ISSUER && plan->delegated)
        signing = OCSP_BY_DELEGATE;
    signer = ocsp_signer(&a->responder->signers, a->signer, signing, e);
    if (signer == NULL || ocsp_sign(basic, signer, signing != OCSP_BY_ISSUER,
                                    dates_of(a).from + plan->backdate, e) < 0)
        return -1;
    if (a->m->forged)
        *(unsigned char *)ASN1_STRING_get0_data(OCSP_resp_get0_signature(basic)) ^= 1;
    return 0;
}

static int compose(struct answering *a, struct blob *out, struct error *e)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    int status = basic == NULL ? openssl_failed(e, "make an OCSP response") : fill(a, basic, e);

    if (status == 0)
        status = sign(a, basic, e);
    if (status == 0)
        status = ocsp_encode(basic, out, e);
    OCSP_BASICRESP_free(basic);
    return status;
}

/* --- answers ------------------------------------------------------------------------------------ */

/* An OCSPResponse that is only a status: SEQUENCE { ENUMERATED }. */
static int only_status(int response_status, struct blob *out, struct error *e)
{
    unsigned char der[] = {0x30, 0x03, 0x0a, 0x01, (unsigned char)response_status};

    return blob_copy((struct blob){der, sizeof der}, out) < 0 ? failed(e, "out of memory") : 0;
}

/* Answers from store where that says what would be said now. */
static bool answer_again(struct ocsp_responder *responder, struct blob request, int64_t at,
                         struct blob *out)
{
    const struct ocsp_plan *plan = &responder->plan;
    const struct ocsp_cached *cached =
        ocsp_cache_find(&responder->cache, request.bytes, request.length);
    struct standing now;

    if (cached == NULL || at < cached->at || at - cached->at >= plan->reuse ||
        at >= cached->at - plan->backdate + plan->lifetime)
        return false;
    standing_at(plan, cached->issuer, cached->serial, at, &now);
    return standing_equal(&now, &cached->standing) && blob_copy(cached->answer, out) == 0;
}

static int answer_parsed(struct answering *a, struct blob request, struct blob *out,
                         struct error *e)
{
    struct ocsp_question first;
    int ours = first_of_ours(a->responder, &a->request, &first, e);

    if (ours <= 0)
        return ours < 0 ? -1 : only_status(OCSP_RESPONSE_STATUS_UNAUTHORIZED, out, e);
    a->signer = first.issuer;
    if (compose(a, out, e) < 0)
        return -1;
    if (a->m == &good && a->request.count == 1 && a->request.nonce == NULL &&
        a->responder->plan.reuse > 0) {
        struct ocsp_cached kept = {request, *out, a->signer, "", a->standing, a->at};

        memcpy(kept.serial, a->asked.serial, sizeof kept.serial);
        ocsp_cache_put(&a->responder->cache, &kept);
    }
    return 0;
}

static int answer(struct answering *a, struct blob request, struct blob *out, struct error *e)
{
    int status;

    if (a->m->garbage != 0)
        return blob_of_garbage(a->m->garbage, out, e);
    if (a->m->response_status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return only_status(a->m->response_status, out, e);
    if (a->m == &good && answer_again(a->responder, request, a->at, out))
        return 0;
    if (ocsp_request_parse(request.bytes, request.length, &a->request) == NULL)
        return only_status(OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, out, e);
    status = answer_parsed(a, request, out, e);
    OCSP_REQUEST_free(a->request.parsed);
    return status;
}

int ocsp_answer(struct ocsp_responder *responder, const unsigned char *request, size_t length,
                int64_t at, const struct ocsp_misbehaviour *misbehaviour, struct blob *out,
                struct error *e)
{
    struct answering a = {
        .responder = responder, .m = misbehaviour == NULL ? &good : misbehaviour, .at = at};
    struct error ignored;

    *out = (struct blob){0};
    /* what is only looked at is borrowed without const, as a struct blob has it */
    if (answer(&a, (struct blob){(unsigned char *)request, length}, out, e) == 0)
        return 0;
    only_status(OCSP_RESPONSE_STATUS_INTERNALERROR, out, &ignored);
    return -1;
}
