/* http_connection.h -- one connection to a server of HTTP: bytes in and out, and the ways in which it ends.
 *
 * Order of calls: connection_begin; any of the rest; connection_end, which most of the ways to end lead to when the
 * peer has gone or the time is over.
 */
#ifndef FAKECA_HTTP_CONNECTION_H
#define FAKECA_HTTP_CONNECTION_H

#include <sys/types.h>

#include "fakeca/http_parts.h"

struct http_connection {
    struct http_server *server;
    struct http_connection *next, *previous;
    int fd;
    char peer[46];
    SSL *ssl; /* NULL: plain */
    ev_io io;
    ev_timer limit; /* the connection ends with it */
    ev_timer drip;
    char *in; /* ours */
    size_t got, room;
    char *out; /* ours, while an answer is under way */
    size_t put, length;
    enum delivery delivery;
    bool continued; /* 100 Continue has been said */
    bool last;      /* hang up after what is in `out` */
    bool draining;
    bool held;                         /* what is in `out` waits for http_server_release ... */
    struct http_connection *next_held; /* ... as does this one's */
};

/* Where the server's list has it last; NULL where there is no memory, and then `fd` is closed. */
struct http_connection *connection_begin(struct http_server *server, int fd, SSL_CTX *tls);
void connection_end(struct http_connection *c);

/* It was used just now. */
void connection_touch(struct http_connection *c);
/* So long until its `limit` calls. */
void connection_give(struct http_connection *c, double seconds);
void connection_wait_for(struct http_connection *c, int events);

enum { GONE = 0, AGAIN = -1 }; /* AGAIN: what is to be waited for is waited for */
ssize_t connection_receive(struct http_connection *c, char *out, size_t room);
/* Whether bytes that the kernel has given out already are yet to be received. */
bool connection_holds_back(const struct http_connection *c);
ssize_t connection_send(struct http_connection *c, const char *bytes, size_t length);

/* With a last word that the peer gets to see: then it is drained until it is over. */
void connection_hang_up(struct http_connection *c);
void connection_drain(struct http_connection *c);
/* At once, by a TCP reset. */
void connection_reset(struct http_connection *c);
/* Until the peer goes. */
void connection_be_silent(struct http_connection *c);

#endif
