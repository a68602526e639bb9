#include "fakeca/serve_hole.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakeca/dns_answer.h"
#include "fakeca/socket_listen.h"

/* A listener that the kernel gives no packet, so that it answers none; without a listener it would refuse. */
static int swallow(unsigned port, struct error *e)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = 1, .filter = &nothing};
    struct address address = {.host = DNS_HOLE};
    char text[SOCKET_ADDRESS_TEXT];
    int fd;

    snprintf(address.port, sizeof address.port, "%u", port % 65536);
    fd = socket_listen(&address, SOCK_STREAM, text, e);
    if (fd < 0)
        return failed_in(e, "packets cannot be swallowed");
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0)
        return fd;
    failed(e, "packets cannot be swallowed: %s", strerror(errno));
    close(fd);
    return -1;
}

int hole_open(struct hole *hole, const unsigned ports[HOLE_PORTS], struct error *e)
{
    if (hole->open)
        return 0;
    hole->fds[0] = swallow(ports[0], e);
    if (hole->fds[0] < 0)
        return -1;
    hole->fds[1] = ports[0] == ports[1] ? -1 : swallow(ports[1], e);
    if (hole->fds[1] < 0 && ports[0] != ports[1]) {
        close(hole->fds[0]);
        return -1;
    }
    hole->open = true;
    return 0;
}

void hole_close(struct hole *hole)
{
    for (int i = 0; hole->open && i < HOLE_PORTS; i++)
        if (hole->fds[i] >= 0)
            close(hole->fds[i]);
    hole->open = false;
}
