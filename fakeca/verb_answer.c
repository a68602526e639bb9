/* fakeca answer: one request out of a file, and what a server would say to it into another. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/aia_answer.h"
#include "fakeca/crl_answer.h"
#include "fakeca/dns_answer.h"
#include "fakeca/files.h"
#include "fakeca/ocsp_answer.h"
#include "fakeca/verbs.h"
#include "testbed/wire/moment.h"

#define WEEK (7 * 86400 * NANOSECONDS)

struct arguments {
    const char *to, *state, *in, *out, *at, *misbehave, *fallback;
    struct option_list records;
    int64_t lifetime, backdate; /* nanoseconds */
    long issuer;
    bool delegated, pkcs7, tcp;
};

#define AT(field) offsetof(struct arguments, field)
/* clang-format off */
const struct option_row answer_options[] = {
    {"to",        "WORD", "ocsp, crl, aia or dns", OPTION_TEXT, AT(to)},
    {"state",     "DIR",  "the authority that answers; of dns: whose key signs, made if it is not there [none signs]", OPTION_TEXT, AT(state)},
    {"in",        "FILE", "the request, or the packet (not for crl and aia)", OPTION_TEXT, AT(in)},
    {"out",       "FILE", "where the answer goes", OPTION_TEXT, AT(out)},
    {"at",        "TIME", "now, on your calendar [the real now]", OPTION_TEXT, AT(at)},
    {"misbehave", "NAME", "answer wrongly, in this way", OPTION_TEXT, AT(misbehave)},
    {"issuer",    "N",    "of crl and aia: 0 the root, 1, 2, ... [0]", OPTION_NUMBER, AT(issuer)},
    {"lifetime",  "T",    "of ocsp and crl: nextUpdate is T after thisUpdate [7d]", OPTION_DURATION, AT(lifetime)},
    {"backdate",  "T",    "of ocsp and crl: thisUpdate is T before now [1h]", OPTION_DURATION, AT(backdate)},
    {"delegated", NULL,   "of ocsp: signed by a delegate", OPTION_FLAG, AT(delegated)},
    {"pkcs7",     NULL,   "of aia: a certs-only message [a certificate]", OPTION_FLAG, AT(pkcs7)},
    {"record",    "LINE", "of dns: as in a master file (may repeat)", OPTION_LIST, AT(records)},
    {"fallback",  "ADDR", "of dns: the address of all names that have none", OPTION_TEXT, AT(fallback)},
    {"tcp",       NULL,   "of dns: there is room for 65,535 octets [UDP]", OPTION_FLAG, AT(tcp)},
    {0},
};
/* clang-format on */
#undef AT

struct work {
    struct arguments arguments;
    int64_t at;
    struct authority authority;
    struct ledger ledger;
};

static int read_request(const struct work *work, struct blob *out, struct error *e)
{
    if (require(answer_options, "in", work->arguments.in, e) < 0)
        return -1;
    out->bytes = (unsigned char *)file_read(AT_FDCWD, work->arguments.in, &out->length, e);
    return out->bytes == NULL ? -1 : 0;
}

/* --- by the authority --------------------------------------------------------------------------- */

static int answer_ocsp(struct work *work, struct blob *out, struct error *e)
{
    const struct arguments *arguments = &work->arguments;
    const struct ocsp_plan plan = {
        .authority = &work->authority,
        .standing = ocsp_ledger_standing,
        .context = &work->ledger,
        .backdate = arguments->backdate / NANOSECONDS,
        .lifetime = arguments->lifetime / NANOSECONDS,
        .delegated = arguments->delegated,
    };
    const struct ocsp_misbehaviour *m = NULL;
    struct ocsp_responder *responder;
    struct blob request = {0};
    int status = -1;

    if (arguments->misbehave != NULL &&
        (m = ocsp_misbehaviour_named(arguments->misbehave, e)) == NULL)
        return failed_in(e, "--misbehave");
    if (read_request(work, &request, e) < 0)
        return -1;
    responder = ocsp_responder_new(&plan, e);
    if (responder != NULL)
        status = ocsp_answer(responder, request.bytes, request.length, work->at, m, out, e);
    ocsp_responder_free(responder);
    free(request.bytes);
    return status;
}

static int answer_crl(struct work *work, struct blob *out, struct error *e)
{
    const struct arguments *arguments = &work->arguments;
    const struct crl_plan plan = {
        .backdate = arguments->backdate / NANOSECONDS,
        .lifetime = arguments->lifetime / NANOSECONDS,
    };
    const struct crl_misbehaviour *m = NULL;

    if (arguments->misbehave != NULL &&
        (m = crl_misbehaviour_named(arguments->misbehave, e)) == NULL)
        return failed_in(e, "--misbehave");
    return crl_answer(&work->ledger, (size_t)arguments->issuer, &plan, work->at, m, out, e);
}

static int answer_aia(struct work *work, struct blob *out, struct error *e)
{
    const struct arguments *arguments = &work->arguments;

    if (arguments->misbehave != NULL)
        return failed(e, "--misbehave: aia knows no misbehaviour");
    return aia_answer(&work->authority, (size_t)arguments->issuer,
                      arguments->pkcs7 ? AIA_PKCS7 : AIA_DER, out, e);
}

static int by_authority(struct work *work,
                        int (*answer)(struct work *work, struct blob *out, struct error *e),
                        struct blob *out, struct error *e)
{
    int status = -1;

    if (require(answer_options, "state", work->arguments.state, e) < 0 ||
        authority_open(work->arguments.state, &work->authority, e) < 0)
        return -1;
    if (ledger_open(&work->authority, &work->ledger, e) == 0) {
        if (ledger_read_issued(&work->ledger, e) == 0)
            status = answer(work, out, e);
        ledger_close(&work->ledger);
    }
    authority_close(&work->authority);
    return status;
}

/* --- DNS ---------------------------------------------------------------------------------------- */

static int fill_zone(const struct arguments *arguments, struct dns_zone *zone, struct error *e)
{
    if (arguments->fallback != NULL && dns_zone_fallback(zone, arguments->fallback, e) < 0)
        return failed_in(e, "--fallback");
    for (size_t i = 0; i < arguments->records.count; i++)
        if (dns_zone_add(zone, arguments->records.items[i], e) < 0)
            return failed_in(e, "--record");
    return 0;
}

static int answer_from(struct work *work, const struct dns_zone *zone, struct dns_signer *signer,
                       struct blob *out, struct error *e)
{
    const struct arguments *arguments = &work->arguments;
    const struct dns_misbehaviour *m = NULL;
    struct blob packet = {0};
    struct dns_reply reply = {0};
    int status;

    if (arguments->misbehave != NULL &&
        (m = dns_misbehaviour_named(arguments->misbehave, e)) == NULL)
        return failed_in(e, "--misbehave");
    if (read_request(work, &packet, e) < 0)
        return -1;
    status = dns_answer(zone, packet.bytes, packet.length, arguments->tcp ? DNS_TCP : DNS_UDP,
                        (struct dns_signing){signer, work->at}, m, &reply, e);
    *out = (struct blob){reply.bytes, reply.length};
    free(packet.bytes);
    return status;
}

static int answer_dns(struct work *work, struct blob *out, struct error *e)
{
    const char *state = work->arguments.state;
    struct dns_zone *zone = dns_zone_new(e);
    struct dns_signer *signer = zone == NULL || state == NULL ? NULL : dns_signer_open(state, e);
    int status = -1;

    if (zone != NULL && (state == NULL || signer != NULL) &&
        (signer == NULL || dns_signer_enter(signer, zone, e) == 0) &&
        fill_zone(&work->arguments, zone, e) == 0)
        status = answer_from(work, zone, signer, out, e);
    dns_signer_free(signer);
    dns_zone_free(zone);
    return status;
}

/* --- the verb ----------------------------------------------------------------------------------- */

static const struct service {
    const char *name;
    int (*answer)(struct work *work, struct blob *out, struct error *e);
    bool of_authority;
} services[] = {
    {"ocsp", answer_ocsp, true },
    {"crl",  answer_crl,  true },
    {"aia",  answer_aia,  true },
    {"dns",  answer_dns,  false},
};

static int answer(struct work *work, struct error *e)
{
    const struct arguments *arguments = &work->arguments;
    struct blob out = {0};
    int status;

    if (require(answer_options, "to", arguments->to, e) < 0 ||
        require(answer_options, "out", arguments->out, e) < 0 ||
        at_of(arguments->at, &work->at, e) < 0)
        return -1;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        if (strcmp(services[i].name, arguments->to) != 0)
            continue;
        status = services[i].of_authority ? by_authority(work, services[i].answer, &out, e)
                                          : services[i].answer(work, &out, e);
        if (status == 0) /* nothing is an answer too, of a server that keeps silent */
            status = file_put(arguments->out, out.bytes == NULL ? (unsigned char *)"" : out.bytes,
                              out.length, e);
        free(out.bytes);
        return status;
    }
    return failed(e, "--to: '%s'; expected ocsp, crl, aia or dns", arguments->to);
}

int verb_answer(int argc, char **argv)
{
    struct work work = {
        .arguments = {.lifetime = WEEK, .backdate = 3600 * NANOSECONDS}
    };
    struct error e;

    if (options_for(answer_options, argc, argv, &work.arguments, NULL, 0, &e) < 0 ||
        answer(&work, &e) < 0)
        return complain(&e);
    return STATUS_DONE;
}
