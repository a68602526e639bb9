/* address.h -- HOST:PORT, as users write it: 127.0.0.1:443, shop.test:443, [::1]:443. */
#ifndef WIRE_ADDRESS_H
#define WIRE_ADDRESS_H

#include <stdbool.h>

#include "testbed/wire/error.h"

struct address {
    char host[256]; /* without brackets */
    char port[6];   /* decimal, 0 to 65535 */
};

int address_parse(const char *text, struct address *out, struct error *e);

/* True for 127.0.0.0/8, ::1 and "localhost" as written; no look-up is made. */
bool address_is_loopback(const struct address *address);

#endif
