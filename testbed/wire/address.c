#include "testbed/wire/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits <= 5 && text[digits] == '\0' && atoi(text) <= 65535;
}

int address_parse(const char *text, struct address *out, struct error *e)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    size_t length = colon == NULL ? 0 : (size_t)(colon - text);

    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        host++;
        length -= 2;
    } else if (memchr(text, ':', length) != NULL) {
        length = 0; /* an IPv6 address needs its brackets */
    }
    if (length == 0 || length >= sizeof out->host || !is_port(colon + 1))
        return failed(e,
                      "'%s' is not an address; expected HOST:PORT, such as 127.0.0.1:443 or "
                      "[::1]:443",
                      text);
    memcpy(out->host, host, length);
    out->host[length] = '\0';
    strcpy(out->port, colon + 1);
    return 0;
}

bool address_is_loopback(const struct address *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, address->host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address->host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcmp(address->host, "localhost") == 0;
}
