/* certificate.h -- certificates and CRLs out of PEM blocks, and what they are called in logs. */
#ifndef TARGETS_CERTIFICATE_H
#define TARGETS_CERTIFICATE_H

#include <openssl/x509.h>

#include "testbed/targets/pem.h"

/* A whole block that parses to its last byte; NULL with "the PEM block has no END line" or the like,
 * to which the caller puts the file.  Freed with X509_free, X509_CRL_free. */
X509 *certificate_parse(const struct pem_block *block, struct error *e);
X509_CRL *crl_parse(const struct pem_block *block, struct error *e);

/* Lower-case hex in whole bytes, as "0a1b2c"; malloc'ed, NULL where memory ran out. */
char *serial_text(const X509 *certificate);

#endif
