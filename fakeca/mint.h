/* mint.h -- leaves for who only passes them on: as text, and from a template (template.h) where there
 * is one for them.
 *
 * What is minted is what authority_issue would have given, and is written down as that writes it down.
 *
 * Order of calls: mint_new; on an authority that is open and not paused, mint_leaf; mint_free before
 * authority_close.
 */
#ifndef FAKECA_MINT_H
#define FAKECA_MINT_H

#include "fakeca/authority.h"
#include "fakeca/base64url.h"

#define DIGEST_OCTETS 32
#define CERT_ID_TEXT  160

struct minted {
    char *pem; /* the leaf and what stands between it and the root; to be freed with minted_free */
    char serial[SERIAL_TEXT];
    unsigned char digest[DIGEST_OCTETS]; /* SHA-256 of the leaf */
    char id[CERT_ID_TEXT];               /* by which RFC 9773 knows it; "": by none */
    int64_t not_before, not_after;
};

struct mint;

struct mint *mint_new(struct authority *authority, struct error *e);
void mint_free(struct mint *mint);

/* A leaf for `key`, which takes the place of the plan's. */
int mint_leaf(struct mint *mint, const struct leaf_plan *plan, struct key_der key,
              struct minted *out, struct error *e);
/* The same about a chain that somebody else has made. */
int minted_from(const struct chain *chain, struct minted *out, struct error *e);
void minted_free(struct minted *minted);

/* RFC 9773 section 4.1: base64url of the authority key identifier, a dot, base64url of the serial number's
 * octets, given as hex.  -1 where there is none, and so no name for clients to ask by. */
int cert_id(const ASN1_OCTET_STRING *issuer, const char *serial, char out[CERT_ID_TEXT]);
/* The serial number that such a name has, as hex; -1 where it is none. */
int cert_id_serial(const char *id, char out[SERIAL_TEXT]);

#endif
