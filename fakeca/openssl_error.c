#include "fakeca/openssl_error.h"

#include <openssl/err.h>
#include <stddef.h>

int openssl_failed(struct error *e, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return failed(e, "cannot %s: %s", what, reason == NULL ? "out of memory" : reason);
}
