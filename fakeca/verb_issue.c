/* fakeca issue and break: what makes bundles. */
#include <string.h>

#include "fakeca/authority.h"
#include "fakeca/fault.h"
#include "fakeca/verbs.h"
#include "testbed/wire/moment.h"

#define DAY (86400 * NANOSECONDS)

struct issue_arguments {
    const char *state, *out, *at, *from, *key;
    const char *ca_issuers, *ocsp, *crl;
    struct option_list names, purposes, usages;
    int64_t lifetime, backdate; /* nanoseconds */
    bool must_staple, cross, json;
};

#define AT(field) offsetof(struct issue_arguments, field)
/* clang-format off */
const struct option_row issue_options[] = {
    {"state",       "DIR",     "the authority that issues", OPTION_TEXT, AT(state)},
    {"out",         "BUNDLE",  "directory to write; a bundle there is replaced",
     OPTION_TEXT, AT(out)},
    {"name",        "NAME",    "DNS name or IP address (may repeat; the first is the server's)",
     OPTION_LIST, AT(names)},
    {"at",          "TIME",    "now, on your calendar [the real now]", OPTION_TEXT, AT(at)},
    {"lifetime",    "T",       "the leaf ends T from now, or from --from [90d]",
     OPTION_DURATION, AT(lifetime)},
    {"from",        "TIME",    "the leaf begins at TIME [now, less --backdate]",
     OPTION_TEXT, AT(from)},
    {"backdate",    "T",       "the leaf begins T before now, as real CAs have it [1h]",
     OPTION_DURATION, AT(backdate)},
    {"key",         "KIND",    "p256, p384, rsa2048, rsa3072, rsa4096 or ed25519 [p256]",
     OPTION_TEXT, AT(key)},
    {"eku",         "PURPOSE", "serverAuth, clientAuth, ... (may repeat) [serverAuth]",
     OPTION_LIST, AT(purposes)},
    {"ku",          "USAGE",   "digitalSignature, ... (may repeat) [what TLS needs]",
     OPTION_LIST, AT(usages)},
    {"aia",         "URL",     "where the issuer's certificate can be had",
     OPTION_TEXT, AT(ca_issuers)},
    {"ocsp",        "URL",     "where the OCSP responder is", OPTION_TEXT, AT(ocsp)},
    {"crl",         "URL",     "where the CRL can be had", OPTION_TEXT, AT(crl)},
    {"must-staple", NULL,      "demand a staple (RFC 7633)", OPTION_FLAG, AT(must_staple)},
    {"cross",       NULL,      "send the cross-sign too; trust both roots", OPTION_FLAG, AT(cross)},
    {"json",        NULL,      "answer with the bundle's description", OPTION_FLAG, AT(json)},
    {0},
};
/* clang-format on */
#undef AT

static int check_words(const struct issue_arguments *arguments, struct leaf_plan *plan,
                       struct error *e)
{
    static const char *const server[] = {"serverAuth"};

    plan->names = words_of(&arguments->names);
    for (size_t i = 0; i < plan->names.count; i++)
        if (name_check(plan->names.items[i], e) < 0)
            return failed_in(e, "--name");
    plan->purposes = words_of(&arguments->purposes);
    if (plan->purposes.count == 0)
        plan->purposes = (struct words){server, 1};
    if (purposes_check(plan->purposes, e) < 0)
        return failed_in(e, "--eku");
    if (key_usage_parse(words_of(&arguments->usages), &plan->key_usage, e) < 0)
        return failed_in(e, "--ku");
    plan->kind = key_kind_named(arguments->key, e);
    return plan->kind == NULL ? failed_in(e, "--key") : 0;
}

static int plan_of(const struct issue_arguments *arguments, struct leaf_plan *plan, struct error *e)
{
    int64_t begin;

    if (require(issue_options, "state", arguments->state, e) < 0 ||
        require(issue_options, "out", arguments->out, e) < 0 ||
        require(issue_options, "name", arguments->names.items[0], e) < 0 ||
        check_words(arguments, plan, e) < 0 || at_of(arguments->at, &plan->at, e) < 0)
        return -1;
    begin = plan->at - arguments->backdate / NANOSECONDS;
    if (moment_of("--from", arguments->from, plan->at, begin, &plan->not_before, e) < 0)
        return -1;
    plan->not_after =
        (arguments->from == NULL ? plan->at : plan->not_before) + arguments->lifetime / NANOSECONDS;
    plan->ca_issuers = arguments->ca_issuers;
    plan->ocsp = arguments->ocsp;
    plan->crl = arguments->crl;
    plan->must_staple = arguments->must_staple;
    plan->cross = arguments->cross;
    return 0;
}

static struct chain *issue(const char *state, const struct leaf_plan *plan, struct error *e)
{
    struct authority authority;
    struct chain *chain;

    if (authority_open(state, &authority, e) < 0)
        return NULL;
    chain = authority_issue(&authority, plan, e);
    authority_close(&authority);
    return chain;
}

/* Writes the bundle, tells what it holds, and frees the chain; the exit status. */
static int deliver(struct chain *chain, const char *out, bool json)
{
    struct error e;
    int status = STATUS_DONE;

    if (chain_write(chain, out, &e) < 0)
        status = complain(&e);
    else
        tell(chain, out, json);
    chain_free(chain);
    return status;
}

int verb_issue(int argc, char **argv)
{
    struct issue_arguments arguments = {
        .key = "p256", .lifetime = 90 * DAY, .backdate = 3600 * NANOSECONDS};
    struct leaf_plan plan = {0};
    struct chain *chain;
    struct error e;

    if (options_for(issue_options, argc, argv, &arguments, NULL, 0, &e) < 0 ||
        plan_of(&arguments, &plan, &e) < 0 || (chain = issue(arguments.state, &plan, &e)) == NULL)
        return complain(&e);
    return deliver(chain, arguments.out, arguments.json);
}

struct break_arguments {
    const char *state, *in, *out, *fault, *at;
    bool json;
};

#define AT(field) offsetof(struct break_arguments, field)
/* clang-format off */
const struct option_row break_options[] = {
    {"state", "DIR",    "the authority that issued the bundle", OPTION_TEXT, AT(state)},
    {"in",    "BUNDLE", "the bundle to break; it stays as it is", OPTION_TEXT, AT(in)},
    {"out",   "BUNDLE", "directory to write; a bundle there is replaced", OPTION_TEXT, AT(out)},
    {"fault", "NAME",   "one of `fakeca faults`", OPTION_TEXT, AT(fault)},
    {"at",    "TIME",   "now, on your calendar [the real now]", OPTION_TEXT, AT(at)},
    {"json",  NULL,     "answer with the bundle's description", OPTION_FLAG, AT(json)},
    {0},
};
/* clang-format on */
#undef AT

static struct chain *broken(const struct break_arguments *arguments, const struct fault *fault,
                            int64_t at, struct error *e)
{
    struct chain *whole = chain_read(arguments->in, e);
    struct chain *chain = NULL;
    struct authority authority;

    if (whole != NULL && authority_open(arguments->state, &authority, e) == 0) {
        chain = fault_apply(fault, whole, &authority, at, e);
        authority_close(&authority);
    }
    chain_free(whole);
    return chain;
}

int verb_break(int argc, char **argv)
{
    struct break_arguments arguments = {0};
    const struct fault *fault;
    struct chain *chain;
    struct error e;
    int64_t at;

    if (options_for(break_options, argc, argv, &arguments, NULL, 0, &e) < 0 ||
        require(break_options, "state", arguments.state, &e) < 0 ||
        require(break_options, "in", arguments.in, &e) < 0 ||
        require(break_options, "out", arguments.out, &e) < 0 ||
        require(break_options, "fault", arguments.fault, &e) < 0 ||
        at_of(arguments.at, &at, &e) < 0 || (fault = fault_named(arguments.fault, &e)) == NULL ||
        (chain = broken(&arguments, fault, at, &e)) == NULL)
        return complain(&e);
    return deliver(chain, arguments.out, arguments.json);
}
