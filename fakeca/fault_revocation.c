/* Faults that only show to clients who ask about revocation. */
#include <openssl/ocsp.h>
#include <stdlib.h>

#include "fakeca/fault_parts.h"
#include "fakeca/revocation.h"

#define NOBODY (-1) /* no certificate's place in a chain */

static struct validity week(int64_t from)
{
    return (struct validity){from, from + 7 * DAY};
}

/* --- CRLs --------------------------------------------------------------------------------------- */

static struct revoked revoked_at(struct breaking *b, int i)
{
    struct revoked revoked = {.at = b->at - DAY / 24, .reason = CRL_REASON_KEY_COMPROMISE};

    certificate_serial(sk_X509_value(b->chain->sent, i), revoked.serial);
    return revoked;
}

/* Adds the CRL of the issuer of number `i`, which lists that certificate or nothing. */
static int add_crl(struct breaking *b, int i, bool listed, struct validity validity,
                   struct error *e)
{
    const struct signer *issuer =
        authority_signer_of(b->authority, sk_X509_value(b->chain->sent, i), e);
    struct revoked revoked = revoked_at(b, i);
    X509_CRL *crl =
        issuer == NULL ? NULL : crl_make(issuer, &revoked, listed ? 1 : 0, validity, 1, e);

    if (crl == NULL)
        return -1;
    if (sk_X509_CRL_push(b->chain->crls, crl) > 0)
        return 0;
    X509_CRL_free(crl);
    return failed(e, "out of memory");
}

/* A CRL of every issuer, from the root's down, of which one lists number `revoked`. */
static int add_crls(struct breaking *b, int revoked, struct validity validity, struct error *e)
{
    for (int i = sk_X509_num(b->chain->sent) - 1; i >= 0; i--)
        if (add_crl(b, i, i == revoked, validity, e) < 0)
            return -1;
    return 0;
}

APPLY(apply_revoked)
{
    return add_crls(b, 0, week(b->at - DAY / 24), e);
}

APPLY(apply_revoked_intermediate)
{
    /* the topmost: its CRL is the root's, which all libraries can check without more */
    return add_crls(b, sk_X509_num(b->chain->sent) - 1, week(b->at - DAY / 24), e);
}

APPLY(apply_expired_crl)
{
    return add_crls(b, NOBODY, week(b->at - 8 * DAY), e);
}

APPLY(apply_not_yet_valid_crl)
{
    return add_crls(b, NOBODY, week(b->at + DAY), e);
}

APPLY(apply_missing_crl)
{
    /* the root's only: nobody says anything about the leaf */
    return add_crl(b, sk_X509_num(b->chain->sent) - 1, false, week(b->at - DAY / 24), e);
}

/* --- staples ------------------------------------------------------------------------------------ */

static int staple(struct breaking *b, X509 *about, int status, int64_t from, struct error *e)
{
    X509 *leaf = sk_X509_value(b->chain->sent, 0);
    const struct signer *issuer = authority_signer_of(b->authority, leaf, e);
    const struct standing standing = {status, revoked_at(b, 0)};

    if (issuer == NULL)
        return -1;
    free(b->chain->staple.bytes);
    b->chain->staple = (struct blob){0};
    return ocsp_respond(about, issuer, &standing, week(from), &b->chain->staple, e);
}

static int staple_leaf(struct breaking *b, int status, int64_t from, struct error *e)
{
    return staple(b, sk_X509_value(b->chain->sent, 0), status, from, e);
}

APPLY(apply_staple_revoked)
{
    return staple_leaf(b, V_OCSP_CERTSTATUS_REVOKED, b->at - DAY / 24, e);
}

APPLY(apply_staple_unknown)
{
    return staple_leaf(b, V_OCSP_CERTSTATUS_UNKNOWN, b->at - DAY / 24, e);
}

APPLY(apply_staple_expired)
{
    return staple_leaf(b, V_OCSP_CERTSTATUS_GOOD, b->at - 8 * DAY, e);
}

APPLY(apply_staple_of_another)
{
    X509 *other = unsealed(b, b->chain->sent, 0, e); /* the same issuer, another serial */
    int status = other == NULL ? -1 : staple(b, other, V_OCSP_CERTSTATUS_GOOD, b->at - DAY / 24, e);

    X509_free(other);
    return status;
}

APPLY(apply_staple_forged)
{
    if (staple_leaf(b, V_OCSP_CERTSTATUS_GOOD, b->at - DAY / 24, e) < 0)
        return -1;
    /* the signature comes last in it */
    b->chain->staple.bytes[b->chain->staple.length - 1] ^= 1;
    return 0;
}
