#include "testbed/targets/certificate.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "testbed/targets/crypto_error.h"

static void *parse(const struct pem_block *block, const ASN1_ITEM *type, struct error *e)
{
    const unsigned char *at = block->bytes;
    ASN1_VALUE *value;

    if (block->flaw != NULL)
        return failed(e, "the PEM block %s", block->flaw), NULL;
    value = ASN1_item_d2i(NULL, &at, (long)block->length, type);
    if (value == NULL)
        return failed(e, "does not parse: %s", crypto_reason()), NULL;
    if (at == block->bytes + block->length)
        return value;
    ASN1_item_free(value, type);
    return failed(e, "is followed by bytes that are not part of it"), NULL;
}

X509 *certificate_parse(const struct pem_block *block, struct error *e)
{
    return parse(block, ASN1_ITEM_rptr(X509), e);
}

X509_CRL *crl_parse(const struct pem_block *block, struct error *e)
{
    return parse(block, ASN1_ITEM_rptr(X509_CRL), e);
}

char *serial_text(const X509 *certificate)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = number == NULL ? NULL : BN_bn2hex(number);
    char *text = NULL;

    if (hex != NULL)
        text = strdup(strcmp(hex, "0") == 0 ? "00" : hex);
    for (char *at = text; at != NULL && *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    OPENSSL_free(hex);
    BN_free(number);
    return text;
}
