#include "fakeca/fault.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/fault_parts.h"
#include "fakeca/openssl_error.h"
#include "testbed/wire/nearest.h"

const struct fault *fault_named(const char *name, struct error *e)
{
    const char *names[fault_count];
    const char *near;

    for (size_t i = 0; i < fault_count; i++) {
        names[i] = fault_table[i].name;
        if (strcmp(names[i], name) == 0)
            return &fault_table[i];
    }
    near = nearest(name, names, fault_count);
    if (near != NULL)
        return failed(e, "unknown fault '%s'; did you mean %s?", name, near), NULL;
    return failed(e, "unknown fault '%s'; `fakeca faults` lists them", name), NULL;
}

/* --- remaking a certificate --------------------------------------------------------------------- */

void derived_serial(const struct breaking *b, const char *seed, char out[SERIAL_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char both[512];
    int length = snprintf(both, sizeof both, "%s %s", seed, b->fault->name);

    EVP_Digest(both, (size_t)length, digest, NULL, EVP_sha256(), NULL);
    digest[0] = (digest[0] & 0x3f) | 0x40; /* positive, and of full length */
    for (int i = 0; i < 8; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

X509 *unsealed(struct breaking *b, STACK_OF(X509) * where, int i, struct error *e)
{
    X509 *copy = X509_dup(sk_X509_value(where, i));
    char old[SERIAL_TEXT], serial[SERIAL_TEXT];

    if (copy == NULL)
        return openssl_failed(e, "copy a certificate"), NULL;
    certificate_serial(copy, old);
    derived_serial(b, old, serial);
    if (certificate_set_serial(copy, serial, e) == 0)
        return copy;
    X509_free(copy);
    return NULL;
}

int reseal(struct breaking *b, STACK_OF(X509) * where, int i, X509 *edited, const char *digest,
           struct error *e)
{
    const struct signer *signer = authority_signer_of(b->authority, sk_X509_value(where, i), e);

    if (signer == NULL || certificate_sign(edited, signer->key, digest, e) < 0) {
        X509_free(edited);
        return -1;
    }
    chain_set(where, i, edited);
    return 0;
}

int reseal_by(STACK_OF(X509) * where, int i, X509 *edited, const struct signer *signer,
              const char *digest, struct error *e)
{
    const ASN1_OCTET_STRING *octets = X509_get0_subject_key_id(signer->certificate);

    if (X509_set_issuer_name(edited, X509_get_subject_name(signer->certificate)) != 1 ||
        octets == NULL || extension_authority_key(edited, octets, e) < 0 ||
        certificate_sign(edited, signer->key, digest, e) < 0) {
        X509_free(edited);
        return -1;
    }
    chain_set(where, i, edited);
    return 0;
}

int make_ca(struct breaking *b, const char *common_name, const struct signer *issuer,
            struct signer *out, struct error *e)
{
    char leaf[SERIAL_TEXT], seed[SERIAL_TEXT + 80], serial[SERIAL_TEXT];
    struct certificate_spec spec = {
        .common_name = common_name,
        .organization = "Rehearsal",
        .serial = serial,
        .not_before = b->at - 365 * DAY,
        .not_after = b->at + 365 * DAY,
        .ca = true,
        .path_length = -1,
        .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN,
        .rehearsal = issuer == NULL,
    };

    certificate_serial(sk_X509_value(b->chain->sent, 0), leaf);
    snprintf(seed, sizeof seed, "%s %.64s", leaf, common_name);
    derived_serial(b, seed, serial);
    out->key = key_make(key_kind_named("p256", e), e);
    out->certificate = out->key == NULL ? NULL : certificate_make(&spec, out->key, issuer, e);
    if (out->certificate != NULL)
        return 0;
    signer_free(out);
    return -1;
}

void signer_free(struct signer *signer)
{
    X509_free(signer->certificate);
    EVP_PKEY_free(signer->key);
    *signer = (struct signer){0};
}

void keep_leaf(struct chain *chain)
{
    while (sk_X509_num(chain->sent) > 1)
        X509_free(sk_X509_pop(chain->sent));
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
