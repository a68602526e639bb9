#include "fakeca/socket_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_to(const struct addrinfo *at, int type)
{
    int fd = socket(at->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0)
        return -1;
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 &&
        (type != SOCK_STREAM || listen(fd, SOCKET_BACKLOG) == 0))
        return fd;
    on = errno;
    close(fd);
    errno = on;
    return -1;
}

/* Where it listens on all addresses, one that can be connected to. */
static void name_one(struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

    if (address->ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (address->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        v6->sin6_addr = in6addr_loopback;
}

static int tell(int fd, char text[SOCKET_ADDRESS_TEXT])
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    char host[256], port[8];

    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return -1;
    name_one(&address);
    if (getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return -1;
    snprintf(text, SOCKET_ADDRESS_TEXT, strchr(host, ':') == NULL ? "%s:%s" : "[%s]:%s", host,
             port);
    return 0;
}

int socket_listen(const struct address *address, int type, char text[SOCKET_ADDRESS_TEXT],
                  struct error *e)
{
    struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int why = getaddrinfo(address->host, address->port, &hints, &found);
    int fd;

    if (why != 0)
        return failed(e, "%s: %s", address->host, gai_strerror(why));
    fd = bind_to(found, type);
    freeaddrinfo(found);
    if (fd < 0)
        return failed(e, "%s:%s: cannot listen: %s", address->host, address->port, strerror(errno));
    if (tell(fd, text) == 0)
        return fd;
    close(fd);
    return failed(e, "%s:%s: cannot tell the port: %s", address->host, address->port,
                  strerror(errno));
}
