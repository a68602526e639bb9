/* openssl_error.h -- libcrypto's last words, as one line of ours. */
#ifndef FAKECA_OPENSSL_ERROR_H
#define FAKECA_OPENSSL_ERROR_H

#include "testbed/wire/error.h"

/* Fills *e with "cannot WHAT: libcrypto's reason", empties libcrypto's queue and
 * returns -1. */
int openssl_failed(struct error *e, const char *what);

#endif
