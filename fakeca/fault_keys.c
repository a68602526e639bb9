/* Faults of keys and signatures. */
#include "fakeca/fault_parts.h"
#include "fakeca/openssl_error.h"

EDIT(edit_rsa_1024)
{
    EVP_PKEY *key = key_make(key_kind_named("rsa1024", e), e);

    if (key == NULL)
        return -1;
    EVP_PKEY_free(b->chain->key);
    b->chain->key = key;
    if (X509_set_pubkey(certificate, key) != 1)
        return openssl_failed(e, "set a weak key");
    return extension_subject_key(certificate, e);
}

/* Gives the leaf's issuer an RSA key, and takes the issuer's name and key into *issuer. */
static int replace_issuer(struct breaking *b, struct signer *issuer, struct error *e)
{
    X509 *certificate = unsealed(b, b->chain->sent, 1, e);
    int status = -1;

    issuer->key = key_from_pool(b->authority->directory, key_kind_named("rsa2048", e), 0, e);
    if (certificate != NULL && issuer->key != NULL) {
        if (X509_set_pubkey(certificate, issuer->key) != 1)
            openssl_failed(e, "set the issuer's key");
        else
            status = extension_subject_key(certificate, e);
    }
    if (status < 0) {
        X509_free(certificate);
        return -1;
    }
    issuer->certificate = certificate;
    return reseal(b, b->chain->sent, 1, certificate, NULL, e);
}

/* ECDSA and Ed25519 have no signature with MD5, so the issuer becomes one with an RSA key. */
APPLY(apply_md5_signature)
{
    struct signer issuer = {0};
    int status = replace_issuer(b, &issuer, e);
    X509 *leaf = status < 0 ? NULL : unsealed(b, b->chain->sent, 0, e);

    if (leaf == NULL)
        status = -1;
    else
        status = reseal_by(b->chain->sent, 0, leaf, &issuer, "MD5", e);
    EVP_PKEY_free(issuer.key);
    return status;
}

APPLY(apply_self_signed)
{
    X509 *leaf = unsealed(b, b->chain->sent, 0, e);

    if (leaf == NULL)
        return -1;
    extension_remove(leaf, NID_authority_key_identifier);
    if (X509_set_issuer_name(leaf, X509_get_subject_name(leaf)) != 1 ||
        certificate_sign(leaf, b->chain->key, NULL, e) < 0) {
        X509_free(leaf);
        return -1;
    }
    keep_leaf(b->chain);
    chain_set(b->chain->sent, 0, leaf);
    return 0;
}

APPLY(apply_other_key)
{
    EVP_PKEY *other = key_unlike(b->chain->key, e);

    if (other == NULL)
        return -1;
    EVP_PKEY_free(b->chain->key);
    b->chain->key = other;
    return 0;
}

/* Changes the last bit of the signature, which is the last bit of the certificate.  The
 * encoding stays whole: only the number is another. */
static int spoil_signature(struct breaking *b, int i, struct error *e)
{
    unsigned char *der = NULL;
    const unsigned char *at;
    int length = i2d_X509(sk_X509_value(b->chain->sent, i), &der);
    X509 *spoiled;

    if (length <= 0)
        return openssl_failed(e, "encode a certificate");
    der[length - 1] ^= 1;
    at = der;
    spoiled = d2i_X509(NULL, &at, length);
    OPENSSL_free(der);
    if (spoiled == NULL)
        return openssl_failed(e, "spoil a signature");
    chain_set(b->chain->sent, i, spoiled);
    return 0;
}

APPLY(apply_bad_leaf_signature)
{
    return spoil_signature(b, 0, e);
}

APPLY(apply_bad_intermediate_signature)
{
    return spoil_signature(b, 1, e);
}
