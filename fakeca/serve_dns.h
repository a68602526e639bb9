/* serve_dns.h -- the scenario's names, over UDP: dns_answer.h on a socket.
 *
 * Order of calls: the borrowed fields set, all else zero; dns_server_open; dns_server_close.
 */
#ifndef FAKECA_SERVE_DNS_H
#define FAKECA_SERVE_DNS_H

#include <ev.h>

#include "fakeca/misbehaviour.h"
#include "fakeca/serve_dns_tcp.h"
#include "fakeca/socket_listen.h"

#define DNS_LATE_MOST 1024 /* answers that wait at once; further ones go out at once */

struct late;

struct dns_server {
    struct ev_loop *loop; /* borrowed, as are the next five */
    struct dns_zone *zone;
    struct dns_signer *signer;         /* NULL: nothing is signed */
    struct misbehaviour *misbehaviour; /* NULL: it always behaves */
    int64_t (*now)(void *context);     /* Unix seconds; needed with any of the two */
    void *context;
    /* the rest is its own */
    struct late *late; /* answers that wait for their time */
    size_t late_count;
    int fd; /* -1: it is not open */
    ev_io io;
    struct dns_tcp tcp;
    char address[SOCKET_ADDRESS_TEXT]; /* with the real port */
};

int dns_server_open(struct dns_server *server, const struct address *address, struct error *e);
void dns_server_close(struct dns_server *server);

#endif
