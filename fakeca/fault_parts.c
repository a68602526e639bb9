#include "fakeca/fault_parts.h"

#include <openssl/evp.h>
#include <string.h>

#include "fakeca/openssl_error.h"

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
