/* ledger.h -- what an authority has issued and revoked, and the CRLs that say so.
 *
 * revoked.jsonl in the state directory holds one line a certificate:
 * {"serial", "issuer" (the signer's number), "at", "reason", "told"}; issued.jsonl (authority.h) holds the
 * leaves.  The CAs' own certificates count as issued.
 *
 * A revocation may lie in the future: it was announced when "told" was, and until "at" nothing that is
 * signed (OCSP, CRLs) says so.  Of two about one certificate the earlier one counts.
 *
 * Order of calls: ledger_open on an open authority, any of the rest, ledger_close; then
 * authority_close.
 */
#ifndef FAKECA_LEDGER_H
#define FAKECA_LEDGER_H

#include "fakeca/authority.h"
#include "fakeca/revocation.h"

struct ledger {
    struct authority *authority; /* borrowed */
    json_t *lines;               /* an array of objects */
    json_t *revoked;             /* the same objects by serial number */
    json_t *issued;              /* signer numbers by serial number */
};

int ledger_open(struct authority *authority, struct ledger *ledger, struct error *e);
void ledger_close(struct ledger *ledger);

/* Revokes a certificate that this authority has signed.  Revoked as early before: stays as it was. */
int ledger_revoke(struct ledger *ledger, X509 *certificate, int64_t at, int reason,
                  struct error *e);
/* The same for a serial number of signer number `issuer`, as `how` says, and announced.  `explanation`: the URL of a
 * page that tells people why, or NULL. */
int ledger_announce(struct ledger *ledger, size_t issuer, const struct revoked *how,
                    const char *explanation, struct error *e);
/* That URL; NULL: none.  Borrowed until the ledger is changed or closed. */
const char *ledger_explanation(const struct ledger *ledger, const char *serial);
/* Whether it was revoked, or will be, and then how. */
bool ledger_find(const struct ledger *ledger, X509 *certificate, struct revoked *out);
bool ledger_find_serial(const struct ledger *ledger, const char *serial, struct revoked *out);
/* Which signer issued it, as far as this ledger was told; -1: none. */
int ledger_issuer(const struct ledger *ledger, const char *serial);

/* What signer number `issuer` has to say of a serial number: unknown where it has not issued that,
 * as far as this ledger was told. */
void ledger_standing(const struct ledger *ledger, size_t issuer, const char *serial,
                     struct standing *out);
/* Tells the ledger what was issued: all that issued.jsonl lists, or one more since.  Neither
 * writes anything down. */
int ledger_read_issued(struct ledger *ledger, struct error *e);
int ledger_note(struct ledger *ledger, size_t issuer, const char *serial, struct error *e);

/* The CRL of signer number `i` as it is at `now`, to be freed with X509_CRL_free.  It lists `more`
 * certificates that nobody has issued, besides. */
X509_CRL *ledger_crl(const struct ledger *ledger, size_t i, int64_t now, struct validity validity,
                     size_t more, struct error *e);

#endif
