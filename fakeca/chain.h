/* chain.h -- what a server is given: certificates in the order it sends them, the leaf's
 * key, and what clients need to judge it; and the bundle, a directory holding all that.
 *
 *     chain.pem    leaf first, then intermediates, as sent; may be deliberately broken
 *     key.pem      mode 0600
 *     trust.pem    roots a client should trust
 *     staple.der   the OCSP response to staple, where there is one
 *     crl.pem      CRLs for the client, where there are any
 *     bundle.json  what chain_describe says
 *
 * A bundle appears, and is replaced, in one step: nobody reads half of one.
 */
#ifndef FAKECA_CHAIN_H
#define FAKECA_CHAIN_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "testbed/wire/error.h"

struct blob {
    unsigned char *bytes; /* NULL: nothing */
    size_t length;
};

struct chain {
    STACK_OF(X509) * sent; /* leaf first, unless broken */
    STACK_OF(X509) * trust;
    STACK_OF(X509_CRL) * crls;
    EVP_PKEY *key;
    char *pem;          /* chain.pem, where it is not simply `sent`; or NULL */
    struct blob staple; /* DER */
    char *name;         /* the server's */
    char *client_name;  /* what clients should ask for; NULL: name */
    char *fault;        /* what broke it; NULL: nothing */
    bool exact;         /* only a server that serves byte for byte can serve it */
    int64_t at;         /* when it was made, on the caller's calendar */
};

/* An empty chain for a server called `name`.  NULL when out of memory. */
struct chain *chain_new(const char *name, int64_t at, struct error *e);
/* A copy to change, certificates too. */
struct chain *chain_copy(const struct chain *chain, struct error *e);
void chain_free(struct chain *chain);

/* The stacks take over what is pushed, and free it on failure; NULL fails with *e as it is. */
int chain_push(STACK_OF(X509) * certificates, X509 *certificate, struct error *e);
/* Puts `certificate` in place of number `i` and frees that. */
void chain_set(STACK_OF(X509) * certificates, int i, X509 *certificate);

struct chain *chain_read(const char *bundle, struct error *e);
/* What stands there and is neither a bundle nor an empty directory is refused. */
int chain_write(const struct chain *chain, const char *bundle, struct error *e);
/* Puts staple.der or crl.pem into a bundle that exists. */
int bundle_put(const char *bundle, const char *file, struct blob bytes, struct error *e);

/* bundle.json:
 *     name          the server's
 *     client_name   what clients should ask for; differs where the fault is in that
 *     serial, not_before, not_after    of the first certificate sent; hex, Unix seconds
 *     chain, trust  serials, in the order of chain.pem and trust.pem
 *     key           the kind of key, as `fakeca issue --key` has it
 *     fault         the name of what was done to it, or null
 *     exact         whether only a server that serves byte for byte can serve it
 *     staple, crl   whether those files are there
 *     at            when this was made, on the caller's calendar
 * `chain` has at least one certificate sent. */
json_t *chain_describe(const struct chain *chain);

/* PEM to objects.  Both accept an empty text; NULL with *e for one that is broken. */
STACK_OF(X509) * certificates_parse(const char *text, struct error *e);
STACK_OF(X509_CRL) * crls_parse(const char *text, struct error *e);
/* Objects to PEM, to be freed with free(). */
char *certificates_pem(STACK_OF(X509) * certificates, struct error *e);
char *crls_pem(STACK_OF(X509_CRL) * crls, struct error *e);

/* The first certificate in a file of PEM, to be freed; and such a file of one. */
X509 *certificate_read(int directory, const char *name, struct error *e);
int certificate_write(int directory, const char *name, X509 *certificate, struct error *e);

#endif
