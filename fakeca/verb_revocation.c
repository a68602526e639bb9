/* fakeca revoke, staple and crl: what says whether certificates still hold. */
#include <openssl/ocsp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fakeca/authority.h"
#include "fakeca/files.h"
#include "fakeca/ledger.h"
#include "fakeca/manage.h"
#include "fakeca/verbs.h"
#include "testbed/wire/moment.h"

#define WEEK (7 * 86400 * NANOSECONDS)

struct arguments {
    const char *state, *in, *out, *at, *from, *status, *reason, *explanation;
    int64_t lifetime, after; /* nanoseconds */
    const char *name;
    struct option_list serials;
    bool intermediate, all, json;
};

#define AT(field) offsetof(struct arguments, field)
/* clang-format off */
const struct option_row revoke_options[] = {
    {"state",        "DIR",    "the authority that issued it", OPTION_TEXT, AT(state)},
    {"in",           "BUNDLE", "the bundle whose leaf is revoked", OPTION_TEXT, AT(in)},
    {"intermediate", NULL,     "revoke the leaf's issuer instead", OPTION_FLAG, AT(intermediate)},
    {"serial",       "HEX",    "or, where it serves: this certificate (may repeat)", OPTION_LIST, AT(serials)},
    {"name",         "NAME",   "or: all for this name that were had by ACME", OPTION_TEXT, AT(name)},
    {"all",          NULL,     "or: all that were had by ACME", OPTION_FLAG, AT(all)},
    {"after",        "T",      "announced now, revoked after T; renewal information says so at once [0s]",
     OPTION_DURATION, AT(after)},
    {"reason",       "WORD",   "keyCompromise, superseded, ... [none given]",
     OPTION_TEXT, AT(reason)},
    {"explanation",  "URL",    "a page that tells people why; renewal information names it [none]",
     OPTION_TEXT, AT(explanation)},
    {"at",           "TIME",   "now, on your calendar [the real now]", OPTION_TEXT, AT(at)},
    {"json",         NULL,     "answer with one JSON object", OPTION_FLAG, AT(json)},
    {0},
};
const struct option_row staple_options[] = {
    {"state",    "DIR",    "the authority that issued it", OPTION_TEXT, AT(state)},
    {"in",       "BUNDLE", "the bundle whose leaf is asked about", OPTION_TEXT, AT(in)},
    {"out",      "FILE",   "where the DER goes [BUNDLE/staple.der]", OPTION_TEXT, AT(out)},
    {"status",   "WORD",   "good, revoked or unknown [what is known]", OPTION_TEXT, AT(status)},
    {"at",       "TIME",   "now, on your calendar [the real now]", OPTION_TEXT, AT(at)},
    {"from",     "TIME",   "thisUpdate [now]", OPTION_TEXT, AT(from)},
    {"lifetime", "T",      "nextUpdate is T after thisUpdate [7d]", OPTION_DURATION, AT(lifetime)},
    {"json",     NULL,     "answer with one JSON object", OPTION_FLAG, AT(json)},
    {0},
};
const struct option_row crl_options[] = {
    {"state",    "DIR",    "the authority that signs", OPTION_TEXT, AT(state)},
    {"in",       "BUNDLE", "write the CRLs of its chain to BUNDLE/crl.pem", OPTION_TEXT, AT(in)},
    {"out",      "FILE",   "or those of the whole authority to FILE", OPTION_TEXT, AT(out)},
    {"at",       "TIME",   "now, on your calendar [the real now]", OPTION_TEXT, AT(at)},
    {"from",     "TIME",   "thisUpdate [now]", OPTION_TEXT, AT(from)},
    {"lifetime", "T",      "nextUpdate is T after thisUpdate [7d]", OPTION_DURATION, AT(lifetime)},
    {"json",     NULL,     "answer with one JSON object", OPTION_FLAG, AT(json)},
    {0},
};
/* clang-format on */
#undef AT

/* What all three work on: all zero is nothing yet. */
struct work {
    struct arguments arguments;
    struct authority authority;
    struct ledger ledger;
    struct chain *chain; /* NULL where no --in was given */
    struct validity validity;
    int64_t at;
    bool open;
};

static int work_open(struct work *work, const struct option_row *options, int argc, char **argv,
                     struct error *e)
{
    struct arguments *arguments = &work->arguments;

    if (options_for(options, argc, argv, arguments, NULL, 0, e) < 0 ||
        require(options, "state", arguments->state, e) < 0 ||
        at_of(arguments->at, &work->at, e) < 0 ||
        moment_of("--from", arguments->from, work->at, work->at, &work->validity.from, e) < 0)
        return -1;
    work->validity.until = work->validity.from + arguments->lifetime / NANOSECONDS;
    if (arguments->in != NULL && (work->chain = chain_read(arguments->in, e)) == NULL)
        return -1;
    if (authority_open(arguments->state, &work->authority, e) < 0)
        return -1;
    work->open = ledger_open(&work->authority, &work->ledger, e) == 0;
    if (!work->open)
        authority_close(&work->authority);
    return work->open ? 0 : -1;
}

static int work_close(struct work *work, int status, const struct error *e)
{
    int result = status < 0 ? complain(e) : STATUS_DONE;

    if (work->open) {
        ledger_close(&work->ledger);
        authority_close(&work->authority);
    }
    chain_free(work->chain);
    return result;
}

/* Writes to FILE, or into the bundle where no FILE was given. */
static int put(const struct work *work, const char *file, struct blob bytes, struct error *e)
{
    const char *out = work->arguments.out;

    if (out == NULL)
        return bundle_put(work->arguments.in, file, bytes, e);
    return file_put(out, bytes.bytes, bytes.length, e);
}

static void tell_done(const struct work *work, const char *what, const char *word)
{
    const char *where = work->arguments.in != NULL ? work->arguments.in : work->arguments.out;

    if (work->arguments.json)
        tell_json(json_pack("{s:s, s:s}", "in", where, what, word));
    else
        printf("%s: %s %s\n", where, what, word);
}

/* --- revoke ------------------------------------------------------------------------------------- */

static int revoke_after(struct work *work, X509 *certificate, int reason, struct error *e)
{
    const struct signer *signer = authority_signer_of(&work->authority, certificate, e);
    struct revoked how = {
        .at = work->at + work->arguments.after / NANOSECONDS, .told = work->at, .reason = reason};

    if (signer == NULL)
        return -1;
    certificate_serial(certificate, how.serial);
    return ledger_announce(&work->ledger, authority_number(&work->authority, signer), &how,
                           work->arguments.explanation, e);
}

/* One of them: who says two things is not to find that one of them was not heard. */
static int check_what(const struct arguments *arguments, struct error *e)
{
    int said = (arguments->in != NULL) + (arguments->serials.count > 0) +
               (arguments->name != NULL) + arguments->all;

    return said == 1
               ? 0
               : failed(e, "revoke: what? expected one of --in BUNDLE, or where it serves --serial "
                           "HEX, --name NAME or --all");
}

static int revoke_it(struct work *work, struct error *e)
{
    int reason = -1;
    X509 *certificate;

    if (work->arguments.reason != NULL && reason_named(work->arguments.reason, &reason, e) < 0)
        return failed_in(e, "--reason");
    certificate = sk_X509_value(work->chain->sent, work->arguments.intermediate ? 1 : 0);
    if (certificate == NULL)
        return failed(e, "%s: no intermediate in its chain", work->arguments.in);
    return revoke_after(work, certificate, reason, e);
}

/* Whoever serves there revokes, on its own calendar. */
static int revoke_there(const struct arguments *arguments, struct error *e)
{
    json_t *serials = json_array(), *answer;
    json_t *request =
        json_pack("{s:s, s:o, s:b, s:I}", "do", "revoke", "serials", serials, "all", arguments->all,
                  "after", (json_int_t)(arguments->after / NANOSECONDS));

    for (size_t i = 0; i < arguments->serials.count; i++)
        json_array_append_new(serials, json_string(arguments->serials.items[i]));
    if (arguments->name != NULL)
        json_object_set_new(request, "name", json_string(arguments->name));
    if (arguments->reason != NULL)
        json_object_set_new(request, "reason", json_string(arguments->reason));
    if (arguments->explanation != NULL)
        json_object_set_new(request, "explanation", json_string(arguments->explanation));
    answer = manage_ask(arguments->state, request, e);
    json_decref(request);
    if (answer == NULL)
        return -1;
    json_object_del(answer, "ok");
    tell_json(answer);
    return 0;
}

int verb_revoke(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct work work = {0};
    struct error e;
    int status;

    if (options_for(revoke_options, argc, argv, &arguments, NULL, 0, &e) < 0 ||
        require(revoke_options, "state", arguments.state, &e) < 0 || check_what(&arguments, &e) < 0)
        return complain(&e);
    if (arguments.serials.count > 0 || arguments.name != NULL || arguments.all)
        return revoke_there(&arguments, &e) < 0 ? complain(&e) : STATUS_DONE;
    status = work_open(&work, revoke_options, argc, argv, &e);
    if (status == 0)
        status = revoke_it(&work, &e);
    if (status == 0)
        tell_done(&work, "revoked", work.arguments.intermediate ? "intermediate" : "leaf");
    return work_close(&work, status, &e);
}

/* --- staple ------------------------------------------------------------------------------------- */

static int staple(struct work *work, int *status, struct error *e)
{
    X509 *leaf = work->chain == NULL ? NULL : sk_X509_value(work->chain->sent, 0);
    const struct signer *issuer;
    struct standing standing = {
        .revoked = {.at = work->at, .reason = -1}
    };
    struct blob der = {0};
    int result;

    if (require(staple_options, "in", work->arguments.in, e) < 0)
        return -1;
    *status = ledger_find(&work->ledger, leaf, &standing.revoked) && standing.revoked.at <= work->at
                  ? V_OCSP_CERTSTATUS_REVOKED
                  : V_OCSP_CERTSTATUS_GOOD;
    if (work->arguments.status != NULL && status_named(work->arguments.status, status, e) < 0)
        return failed_in(e, "--status");
    standing.status = *status;
    issuer = authority_signer_of(&work->authority, leaf, e);
    if (issuer == NULL || ocsp_respond(leaf, issuer, &standing, work->validity, &der, e) < 0)
        return -1;
    result = put(work, "staple.der", der, e);
    free(der.bytes);
    return result;
}

int verb_staple(int argc, char **argv)
{
    struct work work = {.arguments = {.lifetime = WEEK}};
    struct error e;
    int meaning = 0;
    int status = work_open(&work, staple_options, argc, argv, &e);

    if (status == 0)
        status = staple(&work, &meaning, &e);
    if (status == 0)
        tell_done(&work, "staple", OCSP_cert_status_str(meaning));
    return work_close(&work, status, &e);
}

/* --- crl ---------------------------------------------------------------------------------------- */

static int push_crl(struct work *work, STACK_OF(X509_CRL) * crls, size_t i, struct error *e)
{
    X509_CRL *crl = ledger_crl(&work->ledger, i, work->at, work->validity, 0, e);

    if (crl == NULL)
        return -1;
    if (sk_X509_CRL_push(crls, crl) > 0)
        return 0;
    X509_CRL_free(crl);
    return failed(e, "out of memory");
}

/* Of the issuers of what a bundle sends, from the root's down. */
static int push_chain(struct work *work, STACK_OF(X509_CRL) * crls, struct error *e)
{
    for (int i = sk_X509_num(work->chain->sent) - 1; i >= 0; i--) {
        const struct signer *issuer =
            authority_signer_of(&work->authority, sk_X509_value(work->chain->sent, i), e);

        if (issuer == NULL ||
            push_crl(work, crls, authority_number(&work->authority, issuer), e) < 0)
            return -1;
    }
    return 0;
}

static int push_all(struct work *work, STACK_OF(X509_CRL) * crls, struct error *e)
{
    for (size_t i = 0; i < work->authority.count; i++)
        if (push_crl(work, crls, i, e) < 0)
            return -1;
    return 0;
}

static int crl(struct work *work, struct error *e)
{
    STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
    char *pem = NULL;
    int status = -1;

    if (work->chain == NULL && work->arguments.out == NULL)
        failed(e, "--in BUNDLE or --out FILE is needed");
    else if ((work->chain != NULL ? push_chain : push_all)(work, crls, e) == 0)
        pem = crls_pem(crls, e);
    if (pem != NULL)
        status = put(work, "crl.pem", (struct blob){(unsigned char *)pem, strlen(pem)}, e);
    free(pem);
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    return status;
}

int verb_crl(int argc, char **argv)
{
    struct work work = {.arguments = {.lifetime = WEEK}};
    struct error e;
    int status = work_open(&work, crl_options, argc, argv, &e);

    if (status == 0)
        status = crl(&work, &e);
    if (status == 0)
        tell_done(&work, "crl", "written");
    return work_close(&work, status, &e);
}
