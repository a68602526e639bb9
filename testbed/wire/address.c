#include "testbed/wire/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits <= 5 && text[digits] == '\0' && strtol(text, NULL, 10) <= 65535;
}

static bool is_host(const char *host)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strlen(host);

    for (size_t i = 0; i < length; i++)
        if (strchr("0123456789-._", host[i]) == NULL && strchr(letters, host[i]) == NULL)
            return false;
    return length > 0 && host[0] != '-'; /* which a command line would take for an option */
}

static bool is_ipv6(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET6, host, &address) == 1;
}

int address_parse(const char *text, struct address *out, struct error *e)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - text);
    bool brackets = length > 2 && text[0] == '[' && text[length - 1] == ']';
    struct address found;

    if (brackets)
        length -= 2;
    if (length > 0 && length < sizeof found.host && is_port(colon + 1)) {
        memcpy(found.host, text + brackets, length);
        found.host[length] = '\0';
        strcpy(found.port, colon + 1);
        /* an IPv6 address needs its brackets, and nothing else has them */
        if (brackets ? is_ipv6(found.host) : is_host(found.host)) {
            *out = found;
            return 0;
        }
    }
    return failed(e,
                  "'%s' is not an address; expected HOST:PORT, such as 127.0.0.1:443 or "
                  "[::1]:443",
                  text);
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
