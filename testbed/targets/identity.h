/* identity.h -- a host's chain, key and staple: from files into an SSL_CTX. */
#ifndef TARGETS_IDENTITY_H
#define TARGETS_IDENTITY_H

#include <openssl/ssl.h>

#include "testbed/targets/settings.h"

struct identity {
    char *serial;          /* the leaf's, lower-case hex; NULL where its bytes do not parse */
    unsigned char *staple; /* or NULL */
    size_t staple_length;
};

/* Reads what `host` names and puts chain and key into `context`, byte for byte if `exact`.  *out is
 * freed with identity_free, also after a failure. */
int identity_load(const struct host *host, bool exact, SSL_CTX *context, struct identity *out,
                  struct error *e);
void identity_free(struct identity *identity);

#endif
