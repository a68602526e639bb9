/* A root that another authority's root has signed, too. */
#include <stdio.h>
#include <stdlib.h>

#include "fakeca/authority.h"
#include "fakeca/files.h"

static const char *cross_name(size_t i, const char *what, char out[64])
{
    if (i == 1)
        snprintf(out, 64, "%s.pem", what);
    else
        snprintf(out, 64, "%s-%zu.pem", what, i);
    return out;
}

const char *authority_cross_root(size_t i, char out[64])
{
    return cross_name(i, "cross-root", out);
}

size_t authority_crosses(const struct authority *authority)
{
    size_t count = 0;
    char name[64];

    while (file_exists(authority->directory, cross_name(count + 1, "cross", name)))
        count++;
    return count;
}

char *authority_cross_pem(const struct authority *authority, size_t i, struct error *e)
{
    char name[64];

    return file_read(authority->directory, cross_name(i, "cross", name), NULL, e);
}

/* The number of the one that this root has signed; or else the next. */
static size_t cross_of(const struct authority *authority, const X509 *root)
{
    size_t i = 1, count = authority_crosses(authority);

    for (; i <= count; i++) {
        char name[64];
        struct error none;
        X509 *one = certificate_read(authority->directory, authority_cross_root(i, name), &none);
        bool same = one != NULL && X509_cmp(one, root) == 0;

        X509_free(one);
        if (same)
            break;
    }
    return i;
}

static int write_cross(struct authority *authority, X509 *cross, X509 *root, struct error *e)
{
    size_t i = cross_of(authority, root);
    char name[64];

    /* the root first: as long as the other is not there, there is no such cross-sign */
    if (certificate_write(authority->directory, authority_cross_root(i, name), root, e) < 0)
        return -1;
    return certificate_write(authority->directory, cross_name(i, "cross", name), cross, e);
}

int authority_cross_sign(struct authority *authority, struct authority *old, int64_t at,
                         int64_t until, struct error *e)
{
    const struct signer *root = authority_signer(authority, 0, e);
    const struct signer *above = root == NULL ? NULL : authority_signer(old, 0, e);
    X509 *cross = above == NULL ? NULL : X509_dup(root->certificate);
    char serial[SERIAL_TEXT];
    int status = -1;

    if (cross == NULL)
        return -1;
    if (authority_serial(old, serial, e) == 0 && certificate_set_serial(cross, serial, e) == 0 &&
        certificate_set_dates(cross, at - AUTHORITY_BACKDATE, until, e) == 0 &&
        extension_authority_key(cross, X509_get0_subject_key_id(above->certificate), e) == 0 &&
        X509_set_issuer_name(cross, X509_get_subject_name(above->certificate)) == 1 &&
        certificate_sign(cross, above->key, NULL, e) == 0)
        status = write_cross(authority, cross, above->certificate, e);
    X509_free(cross);
    return status;
}

/* The newest. */
int authority_push_cross(struct authority *authority, struct chain *chain, struct error *e)
{
    size_t i = authority_crosses(authority);
    char name[64];

    if (i == 0)
        return failed(e, "no cross-sign here yet; `fakeca cross-sign` makes one");
    if (chain_push(chain->sent,
                   certificate_read(authority->directory, cross_name(i, "cross", name), e), e) < 0)
        return -1;
    return chain_push(chain->trust,
                      certificate_read(authority->directory, authority_cross_root(i, name), e), e);
}
