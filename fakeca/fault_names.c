/* Faults of names, and of what an issuer allows names to be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/fault_parts.h"
#include "fakeca/openssl_error.h"

#define ELSEWHERE "elsewhere.test"
#define HUGE      1000

/* Makes the leaf one for `name`, in subject and subjectAltName. */
static int rename_leaf(X509 *certificate, const char *name, struct error *e)
{
    X509_NAME *subject = X509_NAME_new();
    int status = -1;

    if (subject == NULL || certificate_set_subject(subject, NULL, name, e) < 0 ||
        X509_set_subject_name(certificate, subject) != 1)
        openssl_failed(e, "rename the leaf");
    else
        status = extension_names(certificate, (struct words){&name, 1}, e);
    X509_NAME_free(subject);
    return status;
}

EDIT(edit_wrong_name)
{
    (void)b;
    return rename_leaf(certificate, ELSEWHERE, e);
}

EDIT(edit_no_san)
{
    (void)b;
    (void)e;
    extension_remove(certificate, NID_subject_alt_name);
    return 0;
}

static int wildcard(struct breaking *b, X509 *certificate, const char *star, struct error *e)
{
    char name[256];

    if (snprintf(name, sizeof name, "%s%s", star, b->chain->name) >= (int)sizeof name)
        return failed(e, "the leaf's name is too long to put '%s' before it", star);
    return rename_leaf(certificate, name, e);
}

EDIT(edit_partial_wildcard)
{
    return wildcard(b, certificate, "w*.", e); /* clients ask for www.NAME */
}

EDIT(edit_deep_wildcard)
{
    return wildcard(b, certificate, "*.", e); /* clients ask for a.b.NAME */
}

EDIT(edit_bare_wildcard)
{
    (void)b;
    return rename_leaf(certificate, "*", e);
}

EDIT(edit_huge_san)
{
    static char texts[HUGE][32];
    const char *names[HUGE + 1];

    for (int i = 0; i < HUGE; i++) {
        snprintf(texts[i], sizeof texts[i], "tenant-%04d.shop.test", i);
        names[i] = texts[i];
    }
    names[HUGE] = b->chain->name; /* last, so that all must be read */
    return extension_names(certificate, (struct words){names, HUGE + 1}, e);
}

EDIT(edit_permit_others)
{
    static const char *const permitted[] = {ELSEWHERE};

    (void)b;
    return extension_name_constraints(certificate, (struct words){permitted, 1}, (struct words){0},
                                      e);
}

EDIT(edit_exclude_it)
{
    const char *name = b->chain->name;

    return extension_name_constraints(certificate, (struct words){0}, (struct words){&name, 1}, e);
}
