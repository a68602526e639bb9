/* exact.h -- certificates that go out byte for byte, whatever the bytes are.
 *
 * libssl sends only what it could parse, and encodes it anew.  A broken chain needs other
 * ways: a *stand-in*, an honest self-signed X509 for the server's key, is given to libssl, and
 * carries the true bytes with it.  libssl asks for a certificate's encoding by calling
 * i2d_X509, through its PLT; this file defines that function, and the program's definition
 * wins over libcrypto's.  It answers with the carried bytes for a stand-in and with
 * the usual encoding for every other certificate, so that nothing else changes.
 */
#ifndef TARGETS_EXACT_H
#define TARGETS_EXACT_H

#include <openssl/x509.h>
#include <stddef.h>

#include "testbed/wire/error.h"

/* An X509 that libssl accepts with `key` and sends as `bytes` (copied; any number of them, also
 * none).  The caller frees it with X509_free. */
X509 *exact_stand_in(EVP_PKEY *key, const unsigned char *bytes, size_t length, struct error *e);

#endif
