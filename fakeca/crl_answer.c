#include "fakeca/crl_answer.h"

#include <stdlib.h>

#include "fakeca/openssl_error.h"
#include "testbed/wire/nearest.h"

#define DAY INT64_C(86400)

/* clang-format off */
const struct crl_misbehaviour crl_misbehaviours[] = {
    {.name = "crl-expired", .what = "nextUpdate was a day ago",
     .replays = "OpenVPN 2.4, which came to refuse everybody then; puppetserver#2789: a complete outage",
     .ended = DAY},
    {.name = "crl-future", .what = "thisUpdate is in a day",
     .replays = "vyos#4245: a clock that is behind", .begins = DAY},
    {.name = "crl-of-another", .what = "the CRL of another issuer",
     .replays = "RFC 5280 section 6.3.3", .of_another = true},
    {.name = "crl-forged", .what = "one bit of the signature is wrong",
     .replays = "RFC 5280 section 6.3.3", .forged = true},
    {.name = "crl-forgetful", .what = "lists nothing, whatever was revoked",
     .replays = "a CA restored from an old backup", .empty = true},
    {.name = "crl-huge", .what = "lists 100,000 more certificates",
     .replays = "GlobalSign, 2014-04: from 22 KB to 4.7 MB after Heartbleed", .more = 100000},
    {.name = "crl-garbage", .what = "512 octets that are no DER",
     .replays = "an HTML error page in place of a CRL", .garbage = 512},
};
/* clang-format on */
const size_t crl_misbehaviour_count = sizeof crl_misbehaviours / sizeof crl_misbehaviours[0];

const struct crl_misbehaviour *crl_misbehaviour_named(const char *name, struct error *e)
{
    return table_find(name, crl_misbehaviours, crl_misbehaviour_count, sizeof crl_misbehaviours[0],
                      "CRL misbehaviour", "fakeca faults --serve", e);
}

static struct validity dates_of(const struct crl_plan *plan, const struct crl_misbehaviour *m,
                                int64_t at)
{
    int64_t from = at - plan->backdate;

    if (m->ended != 0)
        from = at - m->ended - plan->lifetime;
    if (m->begins != 0)
        from = at + m->begins;
    return (struct validity){from, from + plan->lifetime};
}

/* The neighbour below, or above the last. */
static size_t another(const struct ledger *ledger, size_t issuer, struct error *e)
{
    size_t count = ledger->authority->count;

    if (count < 2)
        failed(e, "%s: has no second issuer whose CRL could be given", ledger->authority->path);
    return issuer + 1 < count ? issuer + 1 : issuer == 0 ? count : issuer - 1;
}

static X509_CRL *make(struct ledger *ledger, size_t issuer, int64_t at, struct validity dates,
                      const struct crl_misbehaviour *m, struct error *e)
{
    const struct ledger nothing = {.authority = ledger->authority};

    if (m->of_another && (issuer = another(ledger, issuer, e)) >= ledger->authority->count)
        return NULL;
    return ledger_crl(m->empty ? &nothing : ledger, issuer, at, dates, m->more, e);
}

/* The signature comes last in a CRL. */
static int encode(X509_CRL *crl, bool forged, struct blob *out, struct error *e)
{
    unsigned char *der = NULL;
    int length = i2d_X509_CRL(crl, &der);

    if (blob_of(der, length, out) < 0)
        return openssl_failed(e, "encode a CRL");
    if (forged)
        out->bytes[out->length - 1] ^= 1;
    return 0;
}

int crl_answer(struct ledger *ledger, size_t issuer, const struct crl_plan *plan, int64_t at,
               const struct crl_misbehaviour *misbehaviour, struct blob *out, struct error *e)
{
    static const struct crl_misbehaviour good = {0};
    const struct crl_misbehaviour *m = misbehaviour == NULL ? &good : misbehaviour;
    X509_CRL *crl;
    int status;

    *out = (struct blob){0};
    if (m->garbage != 0)
        return blob_of_garbage(m->garbage, out, e);
    if (issuer >= ledger->authority->count)
        return failed(e, "%s: has no issuer number %zu", ledger->authority->path, issuer);
    crl = make(ledger, issuer, at, dates_of(plan, m, at), m, e);
    status = crl == NULL ? -1 : encode(crl, m->forged, out, e);
    X509_CRL_free(crl);
    return status;
}
