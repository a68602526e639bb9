#include "fakeca/fault.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/fault_parts.h"
#include "fakeca/openssl_error.h"
#include "testbed/wire/nearest.h"

const struct fault *fault_named(const char *name, struct error *e)
{
    return table_find(name, fault_table, fault_count, sizeof fault_table[0], "fault",
                      "fakeca faults", e);
}

/* Where a part stands in a chain. */
static const struct place {
    bool trusted;
    int index;
} places[] = {
    [LEAF] = {.index = 0},
    [INTERMEDIATE] = {               .index = 1         },
    [ROOT] = { .trusted = true,          .index = 0},
};

static int remake(struct breaking *b, struct error *e)
{
    const struct place *place = &places[b->fault->part];
    STACK_OF(X509) *where = place->trusted ? b->chain->trust : b->chain->sent;
    X509 *edited = unsealed(b, where, place->index, e);

    if (edited == NULL)
        return -1;
    if (b->fault->edit != NULL && b->fault->edit(b, edited, e) < 0) {
        X509_free(edited);
        return -1;
    }
    return reseal(b, where, place->index, edited, b->fault->digest, e);
}

/* --- breaking a chain --------------------------------------------------------------------------- */

static int set_names(struct breaking *b)
{
    struct chain *chain = b->chain;

    free(chain->fault);
    chain->fault = strdup(b->fault->name);
    chain->exact = chain->exact || b->fault->exact;
    chain->at = b->at;
    if (b->fault->prefix == NULL)
        return chain->fault == NULL ? -1 : 0;
    free(chain->client_name);
    if (asprintf(&chain->client_name, "%s%s", b->fault->prefix, chain->name) < 0)
        chain->client_name = NULL;
    return chain->fault == NULL || chain->client_name == NULL ? -1 : 0;
}

static int run(struct breaking *b, struct error *e)
{
    if (b->fault->part != WHOLE_CHAIN && remake(b, e) < 0)
        return -1;
    if (b->fault->apply != NULL && b->fault->apply(b, e) < 0)
        return -1;
    return set_names(b) < 0 ? failed(e, "out of memory") : 0;
}

static int check(const struct fault *fault, const struct chain *chain, struct error *e)
{
    int needed =
        fault->part == INTERMEDIATE && fault->intermediates == 0 ? 1 : fault->intermediates;

    if (chain->pem != NULL || sk_X509_num(chain->sent) < 1)
        return failed(e, "its chain.pem is broken already");
    if (sk_X509_num(chain->sent) - 1 < needed)
        return failed(e, "expected at least %d intermediates in the chain, found %d", needed,
                      sk_X509_num(chain->sent) - 1);
    if (fault->prefix != NULL && name_is_address(chain->name))
        return failed(e, "the leaf is for an address, expected one for a DNS name");
    return 0;
}

struct chain *fault_apply(const struct fault *fault, const struct chain *chain,
                          struct authority *authority, int64_t at, struct error *e)
{
    struct breaking b = {.fault = fault, .authority = authority, .at = at};

    if (check(fault, chain, e) == 0 && (b.chain = chain_copy(chain, e)) != NULL) {
        if (run(&b, e) == 0)
            return b.chain;
        chain_free(b.chain);
    }
    return failed_in(e, fault->name), NULL;
}
