/* fault.h -- ways to break a chain, each with a name.
 *
 * A fault is a pure function of a chain: it gives back another chain and leaves the
 * first, and the authority, as they were.  Installing the result somewhere is somebody
 * else's act.  The authority is there for its keys: what a fault remakes is signed by whoever
 * had signed it, so that exactly one thing is wrong with it.  A certificate that was remade
 * has a serial number of its own, computed from the old one and the fault's name.
 *
 * There is one table of faults, fault_table; `fakeca faults`, docs/faults.md and the tests
 * are made from it.
 */
#ifndef FAKECA_FAULT_H
#define FAKECA_FAULT_H

#include <jansson.h>
#include <stdio.h>

#include "fakeca/authority.h"
#include "fakeca/chain.h"

enum part { WHOLE_CHAIN, LEAF, INTERMEDIATE, ROOT }; /* what a fault remakes */
enum library { OPENSSL, GNUTLS, WOLFSSL, LIBRARIES };
enum client_needs {
    NEEDS_TRUST = 1,  /* the client must trust this bundle's trust.pem, which differs */
    NEEDS_CRL = 2,    /* the client must be given this bundle's crl.pem */
    NEEDS_STAPLE = 4, /* the client must check a staple where one is */
};

struct breaking { /* a chain, while a fault is at it */
    const struct fault *fault;
    struct chain *chain; /* to be changed */
    struct authority *authority;
    int64_t at; /* now, on the caller's calendar */
};

struct fault {
    const char *name;            /* the state it puts a chain in, in kebab-case */
    const char *what;            /* what it does, one line */
    const char *breaks;          /* the clause it breaks; "nothing" where clients must bear it */
    const char *says[LIBRARIES]; /* what each library is known to say: an outcome word */
    enum part part;              /* remade with `edit` and `digest`, in this order: */
    int (*edit)(struct breaking *b, X509 *certificate, struct error *e); /* or NULL */
    const char *digest;                                                  /* to sign with, or NULL */
    int (*apply)(struct breaking *b, struct error *e); /* on the chain as a whole, or NULL */
    unsigned needs;                                    /* of the client: NEEDS_... */
    const char *prefix; /* clients must ask for this and the server's name; NULL: for its name */
    int intermediates;  /* how many the chain must have at least */
    bool exact;         /* only a server that serves byte for byte can serve it */
    bool beside;        /* what is broken is not in the chain that is sent */
    bool keyed;         /* it takes the leaf's private key */
};

extern const struct fault fault_table[];
extern const size_t fault_count;

/* NULL with the nearest right name in *e. */
const struct fault *fault_named(const char *name, struct error *e);
/* To be freed with chain_free; NULL with *e where the chain cannot be broken so. */
struct chain *fault_apply(const struct fault *fault, const struct chain *chain,
                          struct authority *authority, int64_t at, struct error *e);

/* The table as JSON, to be decref'd: an array of {"name", "what", "breaks", "says": {"openssl",
 * "gnutls", "wolfssl"}, "exact": bool, "trust": bool, "crl": bool, "staple": "ignore" or "check",
 * "prefix": text, "intermediates": number}, with the meaning of the fields above. */
json_t *faults_describe(void);
void faults_print(FILE *out);    /* for people */
void faults_markdown(FILE *out); /* docs/faults.md */

#endif
