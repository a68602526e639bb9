/* serve_dns_tcp.h -- DNS over TCP (RFC 7766), for answers that do not fit into a datagram: two octets of length, then
 * the message; as many in a row as the client likes, each answered before the next is read.
 *
 * Order of calls: the first three fields set, all else zero; dns_tcp_open; the loop; dns_tcp_close.
 */
#ifndef FAKECA_SERVE_DNS_TCP_H
#define FAKECA_SERVE_DNS_TCP_H

#include <ev.h>

#include "fakeca/dns_answer.h"

#define DNS_TCP_MOST    64  /* connections; for one more, the oldest goes */
#define DNS_TCP_SECONDS 10. /* for each message */

struct dns_connection;

struct dns_tcp {
    struct ev_loop *loop; /* borrowed */
    /* Fills *reply, whose bytes may stay NULL. */
    void (*answer)(void *context, const unsigned char *packet, size_t length,
                   struct dns_reply *reply);
    void *context;
    /* the rest is its own */
    struct dns_connection *first;
    size_t count;
    int fd;
    ev_io accepting;
};

/* Takes over `fd`, which listens. */
void dns_tcp_open(struct dns_tcp *tcp, int fd);
void dns_tcp_close(struct dns_tcp *tcp);

#endif
