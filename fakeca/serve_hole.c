#include "fakeca/serve_hole.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakeca/dns_answer.h"
#include "fakeca/socket_listen.h"

/* Takes the one place in a listener's queue.  Over loopback that is done when connect(2) returns, or somebody else was
 * quicker, which is as good. */
static int fill(int listener)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int guest = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (guest >= 0 && listen(listener, 0) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
        (connect(guest, (struct sockaddr *)&address, length) == 0 || errno == EINPROGRESS))
        return guest;
    if (guest >= 0)
        close(guest);
    return -1;
}

static void close_both(int listener, int guest)
{
    if (listener >= 0)
        close(listener);
    if (guest >= 0)
        close(guest);
}

/* A listener whose queue is full: Linux drops what comes then (listen(2)); without a listener it would refuse.  A
 * socket filter would do as well, but some kernels want CAP_NET_ADMIN for one. */
static int swallow(struct hole *hole, int i, unsigned port, struct error *e)
{
    struct address address = {.host = DNS_HOLE};
    char text[SOCKET_ADDRESS_TEXT];

    snprintf(address.port, sizeof address.port, "%u", port % 65536);
    hole->listeners[i] = socket_listen(&address, SOCK_STREAM, text, e);
    if (hole->listeners[i] < 0)
        return failed_in(e, "packets cannot be swallowed");
    hole->guests[i] = fill(hole->listeners[i]);
    if (hole->guests[i] < 0)
        return failed(e, "packets cannot be swallowed: %s", strerror(errno));
    return 0;
}

int hole_open(struct hole *hole, const unsigned ports[HOLE_PORTS], struct error *e)
{
    if (hole->open)
        return 0;
    *hole = (struct hole){
        .open = true, .listeners = {-1, -1},
             .guests = {-1, -1}
    };
    if (swallow(hole, 0, ports[0], e) == 0 &&
        (ports[0] == ports[1] || swallow(hole, 1, ports[1], e) == 0))
        return 0;
    hole_close(hole);
    return -1;
}

void hole_close(struct hole *hole)
{
    for (int i = 0; hole->open && i < HOLE_PORTS; i++)
        close_both(hole->listeners[i], hole->guests[i]);
    hole->open = false;
}
