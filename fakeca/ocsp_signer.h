/* ocsp_signer.h -- who signs OCSP responses: the issuer, its delegate, or one who must not.
 *
 * All but the issuer are made when first needed and kept in memory; each takes a serial number of
 * the authority, and is valid for as long as its issuer.
 */
#ifndef FAKECA_OCSP_SIGNER_H
#define FAKECA_OCSP_SIGNER_H

#include "fakeca/authority.h"

enum ocsp_signing {
    OCSP_BY_ISSUER,
    OCSP_BY_DELEGATE,   /* certified by the issuer, for OCSPSigning: RFC 6960 section 4.2.2.2 */
    OCSP_BY_UNENTITLED, /* certified by the issuer, for serverAuth only */
    OCSP_BY_STRANGER,   /* has the issuer's name and another key */
    OCSP_SIGNINGS
};

struct ocsp_signers {
    struct authority *authority; /* borrowed */
    struct signer made[OCSP_SIGNINGS][SIGNERS_MOST];
};

/* Borrowed until ocsp_signers_free; NULL with *e. */
const struct signer *ocsp_signer(struct ocsp_signers *signers, size_t issuer,
                                 enum ocsp_signing signing, struct error *e);
/* Frees what was made, not the struct. */
void ocsp_signers_free(struct ocsp_signers *signers);

#endif
