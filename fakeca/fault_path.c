/* Faults of the way from leaf to root. */
#include <stdio.h>

#include "fakeca/fault_parts.h"
#include "fakeca/openssl_error.h"

#define LONG_CHAIN 10 /* CAs between the leaf and the chain's own lowest intermediate */

/* --- cross-signs and strangers ------------------------------------------------------------------ */

/* The root's name and key, signed by `old`, and over. */
static int send_expired_cross(struct breaking *b, const struct signer *old, struct error *e)
{
    X509 *cross = unsealed(b, b->chain->trust, 0, e);
    int last = sk_X509_num(b->chain->sent);

    if (cross == NULL || chain_push(b->chain->sent, X509_dup(cross), e) < 0) {
        X509_free(cross);
        return -1;
    }
    if (edit_expired(b, cross, e) < 0) {
        X509_free(cross);
        return -1;
    }
    return reseal_by(b->chain->sent, last, cross, old, NULL, e);
}

APPLY(apply_expired_cross_sign)
{
    struct signer old;
    int status;

    if (make_ca(b, "Rehearsal Old Root - NOT FOR PRODUCTION", NULL, &old, e) < 0)
        return -1;
    status = edit_expired(b, old.certificate, e);
    if (status == 0)
        status = certificate_sign(old.certificate, old.key, NULL, e);
    if (status == 0)
        status = send_expired_cross(b, &old, e);
    if (status == 0 && X509_up_ref(old.certificate) == 1)
        status = chain_push(b->chain->trust, old.certificate, e);
    signer_free(&old);
    return status;
}

/* Gives the intermediate another key, and leaves it all else. */
APPLY(apply_same_name)
{
    X509 *twin = unsealed(b, b->chain->sent, 1, e);
    EVP_PKEY *key = twin == NULL ? NULL : key_make(key_kind_named("p256", e), e);

    int status = -1;

    if (key != NULL && X509_set_pubkey(twin, key) != 1)
        openssl_failed(e, "give the intermediate another key");
    else if (key != NULL)
        status = extension_subject_key(twin, e);
    EVP_PKEY_free(key);
    if (status < 0) {
        X509_free(twin);
        return -1;
    }
    return reseal(b, b->chain->sent, 1, twin, NULL, e);
}

/* Lets a stranger sign the topmost certificate that is sent. */
static int move_under(struct breaking *b, const struct signer *stranger, struct error *e)
{
    int top = sk_X509_num(b->chain->sent) - 1;
    X509 *edited = unsealed(b, b->chain->sent, top, e);

    return edited == NULL ? -1 : reseal_by(b->chain->sent, top, edited, stranger, NULL, e);
}

static int untrusted(struct breaking *b, bool sent, struct error *e)
{
    struct signer stranger;
    int status;

    if (make_ca(b, "Rehearsal Untrusted Root - NOT FOR PRODUCTION", NULL, &stranger, e) < 0)
        return -1;
    status = move_under(b, &stranger, e);
    if (status == 0 && sent && X509_up_ref(stranger.certificate) == 1)
        status = chain_push(b->chain->sent, stranger.certificate, e);
    signer_free(&stranger);
    return status;
}

APPLY(apply_untrusted_root)
{
    return untrusted(b, false, e);
}

APPLY(apply_untrusted_root_sent)
{
    return untrusted(b, true, e);
}

/* --- length ------------------------------------------------------------------------------------- */

/* The key that belongs to what is sent at `i`; the certificate as sent. */
static int signer_at(struct breaking *b, int i, struct signer *out, struct error *e)
{
    X509 *certificate = sk_X509_value(b->chain->sent, i);
    X509 *below = sk_X509_value(b->chain->sent, i - 1);
    const struct signer *signer = authority_signer_of(b->authority, below, e);

    if (signer == NULL)
        return -1;
    *out = (struct signer){certificate, signer->key};
    return 0;
}

/* Puts `count` more CAs between the leaf and its issuer. */
static int lengthen(struct breaking *b, int count, struct error *e)
{
    struct signer above, ca;
    X509 *leaf = unsealed(b, b->chain->sent, 0, e);

    if (leaf == NULL || signer_at(b, 1, &above, e) < 0) {
        X509_free(leaf);
        return -1;
    }
    EVP_PKEY_up_ref(above.key);
    for (int i = 1; i <= count; i++) {
        char name[65];
        int made;

        snprintf(name, sizeof name, "Rehearsal Subordinate %d", i);
        made = make_ca(b, name, &above, &ca, e);
        EVP_PKEY_free(above.key);
        if (made < 0 || sk_X509_insert(b->chain->sent, ca.certificate, 1) <= 0) {
            signer_free(&ca);
            X509_free(leaf);
            return -1;
        }
        above = ca; /* its certificate is the chain's now, its key still ours */
    }
    count = reseal_by(b->chain->sent, 0, leaf, &above, NULL, e);
    EVP_PKEY_free(above.key);
    return count;
}

static int set_path_length(struct breaking *b, int i, int length, struct error *e)
{
    X509 *edited = unsealed(b, b->chain->sent, i, e);

    if (edited == NULL)
        return -1;
    if (extension_basic(edited, true, length, e) < 0) {
        X509_free(edited);
        return -1;
    }
    return reseal(b, b->chain->sent, i, edited, NULL, e);
}

/* Sets the path length of the leaf's issuer, and takes it from those above: -1 is no limit. */
static int set_path_lengths(struct breaking *b, int lowest, struct error *e)
{
    for (int i = 1; i < sk_X509_num(b->chain->sent); i++)
        if (set_path_length(b, i, i == 1 ? lowest : -1, e) < 0)
            return -1;
    return 0;
}

APPLY(apply_path_too_long)
{
    return set_path_lengths(b, 0, e) < 0 ? -1 : lengthen(b, 1, e);
}

APPLY(apply_long_chain)
{
    return set_path_lengths(b, -1, e) < 0 ? -1 : lengthen(b, LONG_CHAIN, e);
}
