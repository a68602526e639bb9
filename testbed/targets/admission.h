/* admission.h -- which clients come in: client certificates, the CAs they must lead to, CRLs.
 *
 * A client's own certificate is looked up in the CRLs; the CA certificates above it are not,
 * so one CRL of the CA that issues to clients is enough.  With "optional" a client may show no
 * certificate, but not a bad one.  Dates are judged by time(), so they move with the target's
 * calendar.
 */
#ifndef TARGETS_ADMISSION_H
#define TARGETS_ADMISSION_H

#include <openssl/ssl.h>

#include "testbed/targets/settings.h"

int admission_load(const struct settings *settings, SSL_CTX *context, struct error *e);

#endif
