/* der.h -- DER (X.690), written from its end to its beginning, so that lengths are known when they are
 * needed.
 *
 * The caller gives room for all that will be written and sets `at` to the end of it; nothing here
 * looks whether there is room.  What was written stands from `at` on.
 */
#ifndef FAKECA_DER_H
#define FAKECA_DER_H

#include <stddef.h>

enum {
    TAG_BOOLEAN = 0x01,
    TAG_INTEGER = 0x02,
    TAG_BIT_STRING = 0x03,
    TAG_OCTET_STRING = 0x04,
    TAG_UTF8_STRING = 0x0c,
    TAG_UTC_TIME = 0x17,
    TAG_GENERALIZED_TIME = 0x18,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31,
    TAG_DNS_NAME = 0x82,
    TAG_IP_ADDRESS = 0x87,
    TAG_EXTENSIONS = 0xa3
};

struct der {
    unsigned char *at;
};

/* Each puts something before what stands there. */
void der_put(struct der *der, const void *bytes, size_t length);
void der_octet(struct der *der, unsigned octet);
/* Tag and length of the `length` octets that stand there. */
void der_header(struct der *der, unsigned tag, size_t length);
/* The same of all that was written since `at` was `end`. */
void der_wrap(struct der *der, unsigned tag, const unsigned char *end);

#endif
