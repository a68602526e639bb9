#include "fakeca/mint.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/template.h"

#define TEMPLATES 8 /* keys of RSA and others, stapled or not, and a profile of somebody's own */

struct mint {
    struct authority *authority;
    struct template *templates[TEMPLATES];
    size_t turn;  /* the one to be replaced next */
    char *path;   /* PEM of what stands between leaf and root ... */
    size_t below; /* ... for leaves of this signer */
};

struct mint *mint_new(struct authority *authority, struct error *e)
{
    struct mint *mint = calloc(1, sizeof *mint);

    if (mint == NULL)
        return failed(e, "out of memory"), NULL;
    mint->authority = authority;
    return mint;
}

void mint_free(struct mint *mint)
{
    if (mint == NULL)
        return;
    for (size_t i = 0; i < TEMPLATES; i++)
        template_free(mint->templates[i]);
    free(mint->path);
    free(mint);
}

void minted_free(struct minted *minted)
{
    free(minted->pem);
    minted->pem = NULL;
}

/* --- identifiers -------------------------------------------------------------------------------- */

int cert_id(const ASN1_OCTET_STRING *issuer, const char *serial, char out[CERT_ID_TEXT])
{
    unsigned char octets[1 + SERIAL_TEXT / 2] = {0}; /* DER's 0 before what would look negative */
    size_t length = 0, used;
    int lead;

    if (issuer == NULL || ASN1_STRING_length(issuer) > 64 ||
        OPENSSL_hexstr2buf_ex(octets + 1, sizeof octets - 1, &length, serial, '\0') != 1 ||
        length < 1)
        return -1;
    lead = (octets[1] & 0x80) != 0;
    base64url(ASN1_STRING_get0_data(issuer), (size_t)ASN1_STRING_length(issuer), out);
    used = strlen(out);
    out[used] = '.';
    base64url(octets + 1 - lead, length + (size_t)lead, out + used + 1);
    return 0;
}

int cert_id_serial(const char *id, char out[SERIAL_TEXT])
{
    const char *dot = strchr(id, '.');
    unsigned char octets[SERIAL_TEXT / 2];
    ssize_t length =
        dot == NULL ? -1 : base64url_decode(dot + 1, strlen(dot + 1), octets, sizeof octets - 1);

    if (length < 1)
        return -1;
    for (ssize_t i = octets[0] == 0 && length > 1; i < length; i++)
        out += snprintf(out, 3, "%02x", octets[i]);
    return 0;
}

int minted_from(const struct chain *chain, struct minted *out, struct error *e)
{
    X509 *leaf = sk_X509_value(chain->sent, 0);

    *out = (struct minted){
        .pem = chain->pem != NULL ? strdup(chain->pem) : certificates_pem(chain->sent, e),
        .not_before = certificate_not_before(leaf),
        .not_after = certificate_not_after(leaf),
    };
    certificate_serial(leaf, out->serial);
    X509_digest(leaf, EVP_sha256(), out->digest, NULL);
    if (cert_id(X509_get0_authority_key_id(leaf), out->serial, out->id) < 0)
        out->id[0] = '\0';
    return out->pem == NULL ? failed(e, "the chain is no text") : 0;
}

/* --- from a template ---------------------------------------------------------------------------- */

/* The one that fits, an old one or a new one; NULL: there is none. */
static struct template *template_for(struct mint *mint, const struct certificate_spec *spec,
                                     const struct signer *issuer)
{
    struct template **place = &mint->templates[mint->turn];
    struct error unused;

    for (size_t i = 0; i < TEMPLATES; i++)
        if (mint->templates[i] != NULL && template_fits(mint->templates[i], spec, issuer))
            return mint->templates[i];
    template_free(*place);
    *place = template_new(spec, issuer, &unused);
    mint->turn = (mint->turn + 1) % TEMPLATES;
    return *place;
}

/* Makes sure of the path's text. */
static int need_path(struct mint *mint, struct error *e)
{
    size_t issuer = authority_issuer(mint->authority);
    STACK_OF(X509) *path = sk_X509_new_null();

    if (mint->path != NULL && mint->below == issuer) {
        sk_X509_free(path);
        return 0;
    }
    free(mint->path);
    mint->path = path == NULL || authority_push_path(mint->authority, path, e) < 0
                     ? NULL
                     : certificates_pem(path, e);
    mint->below = issuer;
    sk_X509_pop_free(path, X509_free);
    return mint->path == NULL ? -1 : 0;
}

/* The leaf's PEM with the path's after it. */
static char *chain_text(const struct mint *mint, const unsigned char *der, size_t length)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n",
                      end[] = "-----END CERTIFICATE-----\n";
    enum { LINE = 48 }; /* octets */
    char *text =
        malloc(sizeof begin + sizeof end + length / 3 * 4 + length / LINE + 8 + strlen(mint->path));
    char *at = text;

    if (text == NULL)
        return NULL;
    at = stpcpy(at, begin);
    for (size_t done = 0; done < length; done += LINE) {
        at += EVP_EncodeBlock((unsigned char *)at, der + done,
                              (int)(length - done < LINE ? length - done : LINE));
        *at++ = '\n';
    }
    strcpy(stpcpy(at, end), mint->path);
    return text;
}

static int fill(struct mint *mint, const struct leaf_plan *plan, const struct signer *issuer,
                const unsigned char *der, size_t length, struct minted *out, struct error *e)
{
    out->not_before = plan->not_before;
    out->not_after = plan->not_after;
    if (cert_id(X509_get0_subject_key_id(issuer->certificate), out->serial, out->id) < 0)
        out->id[0] = '\0';
    EVP_Digest(der, length, out->digest, NULL, EVP_sha256(), NULL);
    out->pem = chain_text(mint, der, length);
    return out->pem == NULL ? failed(e, "out of memory") : 0;
}

static int mint_from(struct mint *mint, struct template *template, const struct leaf_plan *plan,
                     const struct signer *issuer, struct key_der key, struct minted *out,
                     struct error *e)
{
    struct certificate_spec spec;
    unsigned char *der = NULL;
    ssize_t length;
    int status;

    if (need_path(mint, e) < 0 || authority_serial(mint->authority, out->serial, e) < 0)
        return -1;
    spec = authority_leaf(plan, out->serial);
    length = template_mint(template, &spec, key, &der, e);
    if (length < 0)
        return -1;
    status = fill(mint, plan, issuer, der, (size_t)length, out, e);
    free(der);
    return status < 0 ? -1 : authority_note(mint->authority, plan, out->serial, e);
}

/* --- as ever ------------------------------------------------------------------------------------ */

static int mint_slowly(struct mint *mint, struct leaf_plan plan, struct key_der key,
                       struct minted *out, struct error *e)
{
    struct chain *chain;
    int status;

    plan.public_key = key_decode(key, e);
    chain = plan.public_key == NULL ? NULL : authority_issue(mint->authority, &plan, e);
    status = chain == NULL ? -1 : minted_from(chain, out, e);
    chain_free(chain);
    key_done(plan.public_key);
    return status;
}

int mint_leaf(struct mint *mint, const struct leaf_plan *plan, struct key_der key,
              struct minted *out, struct error *e)
{
    const struct signer *issuer =
        authority_signer(mint->authority, authority_issuer(mint->authority), e);
    struct certificate_spec sample = authority_leaf(plan, "01");
    struct template *template;
    int status;

    *out = (struct minted){0};
    if (issuer == NULL)
        return -1;
    template = plan->cross ? NULL : template_for(mint, &sample, issuer);
    status = template == NULL ? mint_slowly(mint, *plan, key, out, e)
                              : mint_from(mint, template, plan, issuer, key, out, e);
    if (status < 0)
        minted_free(out);
    return status;
}
