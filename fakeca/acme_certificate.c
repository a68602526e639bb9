/* Certificates: RFC 8555 sections 7.4 (finalize), 7.4.2 (download) and 7.6 (revocation). */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/acme_parts.h"
#include "fakeca/fault.h"
#include "fakeca/ledger.h"
#include "fakeca/request.h"
#include "testbed/wire/moment.h"

#define CSR_MOST   32768
#define BACKDATE   3600
#define NAMES_ROOM 101
#define LOCATION   512

/* --- issuing ------------------------------------------------------------------------------------ */

struct locations {
    char ca_issuers[LOCATION], crl[LOCATION];
};

static void locate(const struct acme *acme, struct locations *out)
{
    size_t issuer = authority_issuer(acme->plan.authority);

    snprintf(out->ca_issuers, LOCATION, "%s/%zu.cer", acme->plan.ca_issuers, issuer);
    snprintf(out->crl, LOCATION, "%s/%zu.crl", acme->plan.crl, issuer);
}

static int64_t end_of(const struct profile *profile, int64_t now)
{
    return now - BACKDATE + profile->lifetime - 1;
}

/* One that cannot be read is found out when it is to sign. */
static int64_t end_of_issuer(const struct acme *acme)
{
    struct authority *authority = acme->plan.authority;
    const struct signer *issuer;
    int64_t end;
    struct error unused;

    if (authority_resume(authority, &unused) < 0)
        return INT64_MAX;
    issuer = authority_signer(authority, authority_issuer(authority), &unused);
    end = issuer == NULL ? INT64_MAX : certificate_not_after(issuer->certificate);
    authority_pause(authority);
    return end;
}

json_t *issue_refusal(const struct acme *acme, const json_t *order)
{
    const struct profile *profile = order_profile(acme, order);
    char detail[256], ends[MOMENT_TEXT], issuer_ends[MOMENT_TEXT];
    int64_t end, issuer_end = end_of_issuer(acme);

    if (profile == NULL) {
        snprintf(detail, sizeof detail, "the profile '%.100s' is no longer offered",
                 text_of(order, "profile"));
        return problem_describe(INVALID_PROFILE, detail);
    }
    end = end_of(profile, acme->plan.now(acme->plan.context));
    if (end <= issuer_end)
        return NULL;
    moment_format(end, ends);
    moment_format(issuer_end, issuer_ends);
    snprintf(detail, sizeof detail,
             "a certificate until %s would outlive its issuer, which ends at %s; `fakeca "
             "rotate-issuer` makes another",
             ends, issuer_ends);
    return problem_describe(SERVER_INTERNAL, detail);
}

/* Breaks a chain as the armed fault says; takes it over. */
static struct chain *spoil(const struct call *call, struct chain *chain, struct error *e)
{
    const struct fault *fault = fault_named(call->chosen.chain, e);
    struct chain *broken_chain =
        fault == NULL ? NULL : fault_apply(fault, chain, call->acme->plan.authority, call->now, e);

    chain_free(chain);
    return broken_chain;
}

/* A leaf that was made again has a serial number of its own, which OCSP must know.  One that another
 * authority has signed is not ours to know. */
static int note_remade(struct authority *authority, const struct leaf_plan *plan, X509 *leaf,
                       const char *first, struct error *e)
{
    const struct signer *issuer = authority_signer(authority, authority_issuer(authority), e);
    char serial[SERIAL_TEXT];

    if (issuer == NULL)
        return -1;
    if (leaf == NULL || X509_check_issued(issuer->certificate, leaf) != X509_V_OK)
        return 0;
    certificate_serial(leaf, serial);
    return strcmp(serial, first) == 0 ? 0 : authority_note(authority, plan, serial, e);
}

/* The chain broken, and written down; takes it over. */
static struct chain *spoil_and_note(const struct call *call, const struct leaf_plan *plan,
                                    struct chain *chain, struct error *e)
{
    char first[SERIAL_TEXT];

    certificate_serial(sk_X509_value(chain->sent, 0), first);
    chain = spoil(call, chain, e);
    if (chain == NULL ||
        note_remade(call->acme->plan.authority, plan, sk_X509_value(chain->sent, 0), first, e) == 0)
        return chain;
    chain_free(chain);
    return NULL;
}

/* For those that a fault is about: the long way. */
static int issue_wrongly(const struct call *call, struct leaf_plan plan, struct minted *out,
                         struct error *e)
{
    struct chain *chain;
    int status;

    misbehave_replan(&call->chosen, &plan);
    chain = authority_issue(call->acme->plan.authority, &plan, e);
    if (chain != NULL && call->chosen.fault->breaks_chain)
        chain = spoil_and_note(call, &plan, chain, e);
    status = chain == NULL ? -1 : minted_from(chain, out, e);
    chain_free(chain);
    return status;
}

static int issue_as_planned(const struct call *call, const struct leaf_plan *plan,
                            const struct request *request, struct minted *out, struct error *e)
{
    const struct serve_fault *fault = call->chosen.fault;

    if (fault != NULL && (fault->replan != NULL || fault->breaks_chain))
        return issue_wrongly(call, *plan, out, e);
    return mint_leaf(call->acme->mint, plan, request->encoded, out, e);
}

static int mint(const struct call *call, const json_t *order, const struct request *request,
                struct minted *out, struct error *e)
{
    static const char *const purposes[] = {"serverAuth"};
    const struct profile *profile = order_profile(call->acme, order);
    json_t *identifiers = json_object_get(order, "identifiers"), *identifier;
    const char *names[NAMES_ROOM];
    struct locations locations;
    struct leaf_plan plan = {
        .kind = request->kind,
        .public_key = request->key,
        .no_common_name = profile->no_common_name,
        .at = call->now,
        .not_before = call->now - BACKDATE,
        .not_after = end_of(profile, call->now),
        .purposes = {purposes, 1},
        .ocsp = call->acme->plan.ocsp,
        .ca_issuers = locations.ca_issuers,
        .crl = locations.crl,
        .must_staple = request->must_staple,
    };
    int status;
    size_t i;

    json_array_foreach (identifiers, i, identifier)
        names[i] = text_of(identifier, "value");
    plan.names = (struct words){names, json_array_size(identifiers)};
    if (authority_resume(call->acme->plan.authority, e) < 0)
        return -1;
    locate(call->acme, &locations);
    status = issue_as_planned(call, &plan, request, out, e);
    authority_pause(call->acme->plan.authority);
    return status;
}

static json_t *names_of(const json_t *order)
{
    json_t *names = json_array(), *identifier;
    size_t i;

    json_array_foreach (json_object_get(order, "identifiers"), i, identifier)
        json_array_append(names, json_object_get(identifier, "value"));
    return names;
}

/* Keeps what was minted; its number, or -1. */
static int64_t keep(struct call *call, const json_t *order, const struct minted *minted,
                    struct error *e)
{
    char digest[BASE64URL_TEXT(DIGEST_OCTETS)];
    const char *id = *minted->id == '\0' ? NULL : minted->id;
    json_t *body = json_pack("{s:I, s:s, s:s, s:s*, s:s, s:I, s:I, s:o}", "account",
                             (json_int_t)call->account_number, "serial", minted->serial, "digest",
                             base64url(minted->digest, DIGEST_OCTETS, digest), "id", id, "pem",
                             minted->pem, "not_before", (json_int_t)minted->not_before, "not_after",
                             (json_int_t)minted->not_after, "names", names_of(order));
    int64_t number = body == NULL ? failed(e, "the chain is no text")
                                  : store_add(call->store, "certificate", minted->serial, body, e);

    json_decref(body);
    return number;
}

static int issue(struct call *call, json_t *order, const struct request *request)
{
    struct error e;
    struct minted minted = {0};
    int64_t number =
        mint(call, order, request, &minted, &e) < 0 ? -1 : keep(call, order, &minted, &e);

    minted_free(&minted);
    if (number < 0)
        return broken(call, &e);
    set_status(order, "valid");
    json_object_set_new(order, "certificate", json_integer(number));
    if (limit_issued(call->acme, order, call->now, &e) < 0 ||
        store_put(call->store, "order", call->number, order, &e) < 0)
        return broken(call, &e);
    return 0;
}

/* --- finalize ----------------------------------------------------------------------------------- */

static int check_request(struct call *call, const json_t *order, const char *text,
                         struct request *request)
{
    unsigned char der[CSR_MOST];
    ssize_t length = text == NULL ? -1 : base64url_decode(text, strlen(text), der, sizeof der);
    struct error e;

    if (length < 0)
        return refuse(call, BAD_CSR, "expected \"csr\", base64url of at most %d octets", CSR_MOST);
    if (request_read(der, (size_t)length, request, &e) < 0 ||
        request_matches(request, json_object_get(order, "identifiers"), &e) < 0)
        return refuse(call, BAD_CSR, "%s", e.text);
    return 0;
}

/* At once; or later, where something is to be looked at before. */
static int issue_in_time(struct call *call, json_t *order, const struct request *request)
{
    struct error e;
    int waits;

    if (EVP_PKEY_eq(request->key, call->signer->key) == 1)
        return refuse(call, BAD_CSR, "the request's key is the account's own");
    waits = recheck_start(call, order, &e);
    if (waits == 0)
        return issue(call, order, request);
    set_status(order, "processing");
    json_object_set(order, "csr", json_object_get(call->payload, "csr"));
    if (call->chosen.fault != NULL)
        json_object_set_new(order, "met", chosen_keep(&call->chosen));
    if (waits < 0 || store_put(call->store, "order", call->number, order, &e) < 0)
        return broken(call, &e);
    http_answer_field(call->answer, "Retry-After", "1");
    return 0;
}

int issue_rechecked(struct acme *acme, int64_t number, json_t *order, struct error *e)
{
    json_t *met = json_incref(json_object_get(order, "met"));
    struct http_answer told = {0};
    struct request request = {0};
    struct call call = {
        .acme = acme,
        .store = acme->plan.store,
        .answer = &told,
        .number = number,
        .now = acme->plan.now(acme->plan.context),
        .chosen = chosen_kept(met),
        .account_number = json_integer_value(json_object_get(order, "account")),
    };
    int status = check_request(&call, order, text_of(order, "csr"), &request);

    json_object_del(order, "csr");
    json_object_del(order, "met");
    if (status == 0)
        status = issue(&call, order, &request);
    if (status < 0)
        failed(e, "order %lld: %.*s", (long long)number, (int)told.length, told.body);
    request_free(&request);
    http_answer_free(&told);
    json_decref(met);
    return status;
}

static int finalize(struct call *call, json_t *order)
{
    struct request request = {0};
    json_t *refusal;
    int status;

    if (order_refresh(call, call->number, order) < 0)
        return -1;
    if (!has_status(order, "ready"))
        return refuse(call, ORDER_NOT_READY, "the order is %s, expected ready",
                      text_of(order, "status"));
    refusal = issue_refusal(call->acme, order);
    if (refusal != NULL)
        return problem_answer_with(call->answer, refusal), -1;
    status = check_request(call, order, text_of(call->payload, "csr"), &request);
    if (status == 0)
        status = issue_in_time(call, order, &request);
    request_free(&request);
    if (status < 0)
        return -1;
    return order_answer(call, 200, call->number, order);
}

int answer_finalize(struct call *call)
{
    json_t *order = own(call, "order", call->number);
    int status = order == NULL ? -1 : finalize(call, order);

    json_decref(order);
    return status;
}

/* --- download ----------------------------------------------------------------------------------- */

/* The chains there are: number 0 up to our root, and one more for each of our root's cross-signs.  Which of them a
 * path means; -1: none. */
static long chain_asked(const char *rest, size_t crosses)
{
    char *end = NULL;
    long i = *rest == '/' && rest[1] >= '1' && rest[1] <= '9' ? strtol(rest + 1, &end, 10) : -1;

    if (*rest == '\0')
        return 0;
    return i > 0 && *end == '\0' && (size_t)i <= crosses ? i : -1;
}

/* Each of the others is offered beside it. */
static void link_others(struct call *call, size_t asked, size_t crosses)
{
    char url[URL_TEXT], tail[32] = "";

    for (size_t i = 0; i <= crosses; i++) {
        if (i > 0)
            snprintf(tail, sizeof tail, "/%zu", i);
        url_of(call, url, "/acme/certificate/%lld%s", (long long)call->number, tail);
        if (i != asked)
            http_answer_field(call->answer, "Link", "<%s>;rel=\"alternate\"", url);
    }
}

static int answer_chain(struct call *call, const char *pem)
{
    const struct authority *authority = call->acme->plan.authority;
    size_t crosses = authority_crosses(authority), chain;
    long asked = chain_asked(call->rest, crosses);
    size_t length = strlen(pem), more = 0;
    char *cross = NULL, *whole;
    struct error e;

    if (asked < 0)
        return refuse(call, NO_SUCH_THING, "there is no such chain");
    chain = (size_t)asked;
    if (call->chosen.fault != NULL && call->chosen.fault->turns_chains)
        chain = (chain + 1) % (crosses + 1);
    if (chain > 0 && (cross = authority_cross_pem(authority, chain, &e)) == NULL)
        return broken(call, &e);
    more = cross == NULL ? 0 : strlen(cross);
    whole = malloc(length + more + 1);
    if (whole != NULL)
        memcpy(mempcpy(whole, pem, length), cross == NULL ? "" : cross, more);
    free(cross);
    link_others(call, (size_t)asked, crosses);
    http_answer_body(call->answer, "application/pem-certificate-chain", whole, length + more);
    return whole == NULL ? -1 : 0;
}

int answer_certificate(struct call *call)
{
    json_t *body = own(call, "certificate", call->number);
    const char *pem = text_of(body, "pem");
    int status = pem == NULL ? -1 : answer_chain(call, pem);

    json_decref(body);
    return status;
}

/* --- revocation --------------------------------------------------------------------------------- */

static bool holds_all_names(struct call *call, const json_t *body)
{
    json_t *name;
    size_t i;

    json_array_foreach (json_object_get(body, "names"), i, name) {
        if (!authorization_holds(call, json_string_value(name)))
            return false;
    }
    return true;
}

/* Who may: the account that ordered it, whoever holds its key, and an account that has shown that it
 * holds all its names. */
static int may_revoke(struct call *call, const json_t *body, X509 *certificate)
{
    if (call->account == NULL)
        return EVP_PKEY_eq(X509_get0_pubkey(certificate), call->signer->key) == 1
                   ? 0
                   : refuse(call, UNAUTHORIZED,
                            "the request is not signed with that certificate's key");
    return json_integer_value(json_object_get(body, "account")) == call->account_number ||
                   holds_all_names(call, body)
               ? 0
               : refuse(call, UNAUTHORIZED, "that certificate belongs to another account");
}

static int write_down(struct call *call, struct ledger *ledger, X509 *certificate, int reason,
                      struct error *e)
{
    struct authority *authority = call->acme->plan.authority;
    int status;

    if (authority_resume(authority, e) < 0)
        return -1;
    status = ledger_revoke(ledger, certificate, call->now, reason, e);
    authority_pause(authority);
    return status;
}

static int take_back(struct call *call, const json_t *body, X509 *certificate)
{
    json_t *given = json_object_get(call->payload, "reason");
    json_int_t reason = json_integer_value(given);
    struct ledger *ledger;
    struct revoked before;
    struct error e;

    if (may_revoke(call, body, certificate) < 0)
        return -1;
    if (given != NULL && (!json_is_integer(given) || reason < 0 || reason > 10 || reason == 7 ||
                          reason == 2 || reason == 6 || reason == 8))
        return refuse(call, BAD_REVOCATION_REASON,
                      "expected a reason of RFC 5280 section 5.3.1 that fits a leaf");
    ledger = ledger_of(call, &e);
    if (ledger == NULL)
        return broken(call, &e);
    if (ledger_find(ledger, certificate, &before) && before.at <= call->now)
        return refuse(call, ALREADY_REVOKED, "the certificate is revoked already");
    return write_down(call, ledger, certificate, given == NULL ? -1 : (int)reason, &e) < 0
               ? broken(call, &e)
               : 0;
}

/* Whether it is that one, and not another that only claims its serial number. */
static bool is_kept(const json_t *body, X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[BASE64URL_TEXT(EVP_MAX_MD_SIZE)];
    unsigned length = 0;

    X509_digest(certificate, EVP_sha256(), digest, &length);
    return strcmp(text_of(body, "digest"), base64url(digest, length, text)) == 0;
}

int answer_revoke(struct call *call)
{
    const char *text = text_of(call->payload, "certificate");
    unsigned char der[CSR_MOST];
    const unsigned char *at = der;
    ssize_t length = text == NULL ? -1 : base64url_decode(text, strlen(text), der, sizeof der);
    X509 *certificate = length <= 0 ? NULL : d2i_X509(NULL, &at, length);
    char serial[SERIAL_TEXT];
    json_t *body;
    int64_t number;
    int status;

    if (certificate == NULL)
        return refuse(call, MALFORMED, "expected \"certificate\", base64url of DER");
    certificate_serial(certificate, serial);
    body = store_find(call->store, "certificate", serial, &number);
    if (body == NULL || !is_kept(body, certificate))
        status = refuse(call, NO_SUCH_THING, "that certificate is none of ours");
    else
        status = take_back(call, body, certificate);
    json_decref(body);
    X509_free(certificate);
    return status;
}
