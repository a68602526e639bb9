#include "testbed/targets/crypto_error.h"

#include <openssl/err.h>
#include <stddef.h>
#include <string.h>

const char *crypto_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);

    ERR_clear_error();
    return reason == NULL ? "no reason given" : reason;
}
