/* aia_answer.h -- an issuer's certificate as authority information access has it fetched
 * (RFC 5280 section 4.2.2.1): alone as DER, or in a certs-only PKCS#7 message (RFC 2797).
 */
#ifndef FAKECA_AIA_ANSWER_H
#define FAKECA_AIA_ANSWER_H

#include <stddef.h>

#include "fakeca/authority.h"

enum aia_form { AIA_DER, AIA_PKCS7, AIA_FORMS };

struct aia_look {
    const char *suffix; /* of the file in a URL: ".cer", ".p7c" */
    const char *type;   /* the Content-Type */
};
extern const struct aia_look aia_looks[AIA_FORMS];

/* The certificate of signer number `issuer`; to be freed with free().  -1 with *e. */
int aia_answer(struct authority *authority, size_t issuer, enum aia_form form, struct blob *out,
               struct error *e);

#endif
