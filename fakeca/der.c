#include "fakeca/der.h"

#include <string.h>

void der_put(struct der *der, const void *bytes, size_t length)
{
    der->at -= length;
    memcpy(der->at, bytes, length);
}

void der_octet(struct der *der, unsigned octet)
{
    *--der->at = (unsigned char)octet;
}

void der_header(struct der *der, unsigned tag, size_t length)
{
    unsigned octets = 0;

    if (length >= 0x80) {
        for (size_t left = length; left > 0; left >>= 8, octets++)
            der_octet(der, left & 0xff);
        der_octet(der, 0x80 | octets);
    } else
        der_octet(der, (unsigned)length);
    der_octet(der, tag);
}

void der_wrap(struct der *der, unsigned tag, const unsigned char *end)
{
    der_header(der, tag, (size_t)(end - der->at));
}
