/* extension.h -- certificate extensions, each put in place of what was there before.
 *
 * They may be put on any certificate that is about to be signed; faults use them to unmake
 * what certificate_make has made.  All return 0, or -1 with one line in *e.
 * Criticality is as RFC 5280 section 4.2 says it for each.
 */
#ifndef FAKECA_EXTENSION_H
#define FAKECA_EXTENSION_H

#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>

#include "testbed/wire/error.h"

/* Arcs under 2.999, which X.660 sets aside for examples. */
#define OID_REHEARSAL "2.999.7469.1" /* "this CA is for rehearsals" */
#define OID_UNKNOWN   "2.999.7469.2" /* an extension that nobody knows */

struct words {
    const char *const *items;
    size_t count;
};

/* DNS names and IP addresses; a literal address becomes an iPAddress.  Critical where the subject, which is to be there
 * before, is empty: RFC 5280 section 4.2.1.6. */
int extension_names(X509 *certificate, struct words names, struct error *e);
int extension_basic(X509 *certificate, bool ca, int path_length, struct error *e); /* <0 none */
int extension_key_usage(X509 *certificate, unsigned bits, struct error *e);        /* KU_... */
int extension_purposes(X509 *certificate, struct words purposes,
                       struct error *e); /* "serverAuth" */
int extension_subject_key(X509 *certificate, struct error *e);
/* `octets` of the issuer's subject key identifier. */
int extension_authority_key(X509 *certificate, const ASN1_OCTET_STRING *octets, struct error *e);
int extension_locations(X509 *certificate, const char *ca_issuers, const char *ocsp,
                        struct error *e); /* AIA; either may be NULL */
int extension_crl(X509 *certificate, const char *url, struct error *e);
int extension_no_ocsp_check(X509 *certificate, struct error *e); /* RFC 6960 section 4.2.2.2.1 */
int extension_must_staple(X509 *certificate, struct error *e);   /* RFC 7633 */
int extension_name_constraints(X509 *certificate, struct words permitted, struct words excluded,
                               struct error *e);
/* A UTF8String under an OID of our own. */
int extension_private(X509 *certificate, const char *oid, bool critical, const char *text,
                      struct error *e);
void extension_remove(X509 *certificate, int nid);

/* What a certificate may be asked to hold: words as on the command line. */
int key_usage_parse(struct words usages, unsigned *bits, struct error *e);
int purposes_check(struct words purposes, struct error *e);
/* A DNS name (a wildcard too) or an IP address. */
int name_check(const char *name, struct error *e);
bool name_is_address(const char *name);

#endif
