/* connection.h -- one client: a handshake, one request, one answer, good-bye.
 *
 * Whatever the client asks over TLS, it gets the same small HTTP/1.0 response, whose Date is what
 * time() says: everyone can see which calendar the target lives on.  ALPN is negotiated and
 * not spoken: a client that chose h2 gets this response too.
 *
 * A client has the settings' `timeout` for handshake and request together, however slowly it
 * drips; then it is closed.  So is everyone at connections_close.
 */
#ifndef TARGETS_CONNECTION_H
#define TARGETS_CONNECTION_H

#include <ev.h>
#include <stddef.h>

#include "testbed/targets/served.h"

struct connection;

struct connections {
    struct ev_loop *loop;
    struct connection *first; /* doubly linked */
    size_t count;
    void (*on_end)(struct connections *); /* one has gone; or NULL */
    void (*on_log_error)(int number);     /* a handshake could not be logged; or NULL */
};

/* Takes `fd` over (connected, non-blocking) in any case; holds `served` as long as it lives.  -1
 * where memory ran out: the client is hung up on. */
int connection_start(struct connections *all, int fd, struct served *served);
void connections_close(struct connections *all);

#endif
