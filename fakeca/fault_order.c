/* Faults of which certificates are sent, and in which order. */
#include "fakeca/fault_parts.h"

APPLY(apply_without_intermediate)
{
    (void)e;
    X509_free(sk_X509_delete(b->chain->sent, 1));
    return 0;
}

/* Turns what stands from `first` on the other way round. */
static void turn_round(STACK_OF(X509) * certificates, int first)
{
    for (int last = sk_X509_num(certificates) - 1; first < last; first++, last--) {
        X509 *one = sk_X509_value(certificates, first);

        sk_X509_set(certificates, first, sk_X509_value(certificates, last));
        sk_X509_set(certificates, last, one);
    }
}

APPLY(apply_reversed)
{
    (void)e;
    turn_round(b->chain->sent, 0);
    return 0;
}

APPLY(apply_shuffled)
{
    (void)e;
    turn_round(b->chain->sent, 1);
    return 0;
}

/* Sends `certificate` (borrowed) last. */
static int send_too(struct breaking *b, X509 *certificate, struct error *e)
{
    if (X509_up_ref(certificate) != 1)
        return failed(e, "cannot add a certificate");
    return chain_push(b->chain->sent, certificate, e);
}

APPLY(apply_duplicated)
{
    return send_too(b, sk_X509_value(b->chain->sent, 1), e);
}

APPLY(apply_root_sent)
{
    return send_too(b, sk_X509_value(b->chain->trust, 0), e);
}

APPLY(apply_unrelated)
{
    struct signer stranger;
    int status;

    if (make_ca(b, "Rehearsal Stranger - NOT FOR PRODUCTION", NULL, &stranger, e) < 0)
        return -1;
    status = send_too(b, stranger.certificate, e);
    signer_free(&stranger);
    return status;
}

APPLY(apply_unrelated_expired)
{
    struct signer stranger;
    int status;

    if (make_ca(b, "Rehearsal Stranger - NOT FOR PRODUCTION", NULL, &stranger, e) < 0)
        return -1;
    status = edit_expired(b, stranger.certificate, e);
    if (status == 0)
        status = certificate_sign(stranger.certificate, stranger.key, NULL, e);
    if (status == 0)
        status = send_too(b, stranger.certificate, e);
    signer_free(&stranger);
    return status;
}

/* As a chain.pem looks to which renewal has added and from which it has taken nothing away. */
APPLY(apply_old_leaf_sent)
{
    X509 *old = unsealed(b, b->chain->sent, 0, e);
    int last = sk_X509_num(b->chain->sent);

    /* a stand-in from the same issuer, for reseal to find who that is */
    if (old == NULL || send_too(b, sk_X509_value(b->chain->sent, 0), e) < 0 ||
        edit_expired(b, old, e) < 0) {
        X509_free(old);
        return -1;
    }
    return reseal(b, b->chain->sent, last, old, NULL, e);
}
