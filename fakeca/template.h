/* template.h -- leaves minted from DER that was made once.
 *
 * Certificates of one profile and issuer differ in the serial number, the dates, the names and the
 * subject's key.  A template keeps the octets of all the rest, as certificate_make made them, puts
 * those five in between, and signs.  But for the signature, what comes out is octet for octet what
 * certificate_make would give; it takes little more time than the signature.
 *
 * Where a template does not fit, template_new gives none and says why in *e; certificate_make is then
 * the way.  That is so for CAs, for leaves without names or with an organization, and for issuers with an Ed25519 key.
 *
 * Order of calls: template_new; template_mint as often as template_fits says that it may; template_free.
 */
#ifndef FAKECA_TEMPLATE_H
#define FAKECA_TEMPLATE_H

#include "fakeca/certificate.h"
#include "fakeca/key.h"

struct template;

/* For leaves like `spec`, whose serial number, dates and names do not count.  Keeps a reference to the
 * issuer's key, and nothing else of what it is given. */
struct template *template_new(const struct certificate_spec *spec, const struct signer *issuer,
                              struct error *e);
void template_free(struct template *template);

/* Whether certificate_make would take the same octets as the template has from `spec` and `issuer`. */
bool template_fits(const struct template *template, const struct certificate_spec *spec,
                   const struct signer *issuer);

/* A certificate for `key` in DER: its length, and `*der`, to be freed with free(); or -1 with *e. */
ssize_t template_mint(struct template *template, const struct certificate_spec *spec,
                      struct key_der key, unsigned char **der, struct error *e);

#endif
