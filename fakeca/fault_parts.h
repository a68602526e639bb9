/* fault_parts.h -- what the fault families (fault_*.c) offer the table, and share. */
#ifndef FAKECA_FAULT_PARTS_H
#define FAKECA_FAULT_PARTS_H

#include "fakeca/fault.h"

#define DAY INT64_C(86400)

/* --- for the families (fault.c) --- */

/* A copy of number `i` with a serial number of its own, to be edited and resealed. */
X509 *unsealed(struct breaking *b, STACK_OF(X509) * where, int i, struct error *e);
/* Signs an edited copy as the signer of the original would, and puts it at `i`.  Takes it over. */
int reseal(struct breaking *b, STACK_OF(X509) * where, int i, X509 *edited, const char *digest,
           struct error *e);
/* The same, by another signer, whose name and key identifier go in. */
int reseal_by(STACK_OF(X509) * where, int i, X509 *edited, const struct signer *signer,
              const char *digest, struct error *e);
/* A serial number that depends on `seed` and the fault alone. */
void derived_serial(const struct breaking *b, const char *seed, char out[SERIAL_TEXT]);
/* A CA of nobody's, signed by `issuer` (NULL: a root); signer_free when done. */
int make_ca(struct breaking *b, const char *common_name, const struct signer *issuer,
            struct signer *out, struct error *e);
void signer_free(struct signer *signer);
/* Keeps the leaf only. */
void keep_leaf(struct chain *chain);

/* --- edits: one certificate, about to be signed again --- */

#define EDIT(name) int name(struct breaking *b, X509 *certificate, struct error *e)
/* fault_dates.c */
EDIT(edit_expired);
EDIT(edit_not_yet_valid);
EDIT(edit_beyond_2050);
EDIT(edit_year_9999);
/* fault_names.c */
EDIT(edit_wrong_name);
EDIT(edit_no_san);
EDIT(edit_partial_wildcard);
EDIT(edit_deep_wildcard);
EDIT(edit_bare_wildcard);
EDIT(edit_huge_san);
EDIT(edit_permit_others);
EDIT(edit_exclude_it);
/* fault_keys.c */
EDIT(edit_rsa_1024);
/* fault_extensions.c */
EDIT(edit_no_aki);
EDIT(edit_wrong_aki);
EDIT(edit_not_ca);
EDIT(edit_no_keycertsign);
EDIT(edit_no_digital_signature);
EDIT(edit_client_only);
EDIT(edit_unknown_critical);
EDIT(edit_must_staple);
EDIT(edit_negative_serial);
EDIT(edit_zero_serial);
EDIT(edit_long_serial);

/* --- applied to the chain as a whole --- */

#define APPLY(name) int name(struct breaking *b, struct error *e)
/* fault_order.c */
APPLY(apply_without_intermediate);
APPLY(apply_reversed);
APPLY(apply_shuffled);
APPLY(apply_duplicated);
APPLY(apply_root_sent);
APPLY(apply_unrelated);
APPLY(apply_unrelated_expired);
APPLY(apply_old_leaf_sent);
/* fault_path.c */
APPLY(apply_expired_cross_sign);
APPLY(apply_same_name);
APPLY(apply_untrusted_root);
APPLY(apply_untrusted_root_sent);
APPLY(apply_path_too_long);
APPLY(apply_long_chain);
/* fault_keys.c */
APPLY(apply_md5_signature);
APPLY(apply_self_signed);
APPLY(apply_other_key);
APPLY(apply_bad_leaf_signature);
APPLY(apply_bad_intermediate_signature);
/* fault_bytes.c */
APPLY(apply_trailing_bytes);
APPLY(apply_truncated_pem);
APPLY(apply_truncated_leaf);
APPLY(apply_long_form_length);
APPLY(apply_indefinite_length);
/* fault_revocation.c */
APPLY(apply_revoked);
APPLY(apply_revoked_intermediate);
APPLY(apply_expired_crl);
APPLY(apply_not_yet_valid_crl);
APPLY(apply_missing_crl);
APPLY(apply_staple_revoked);
APPLY(apply_staple_unknown);
APPLY(apply_staple_expired);
APPLY(apply_staple_forged);
APPLY(apply_staple_of_another);

#endif
