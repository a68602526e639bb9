/* http_server.h -- HTTP and HTTPS on libev: listeners, connections, time limits.
 *
 * Every request is answered by one call of `answer`, which never waits.  What waits is the
 * delivery (http_answer.h).  A connection has HTTP_REQUEST_SECONDS for its handshake and for
 * each request, however slowly it drips, and HTTP_IDLE_SECONDS between two; no more than
 * HTTP_CONNECTIONS_MOST are held at once, and of those beyond, the one that has been idle longest
 * goes.
 *
 * `greet`, where there is one, is asked about every connection before a byte of it is read.
 * A closed door refuses connections as a port does on which nobody listens; nobody else gets the port
 * meanwhile.
 *
 * Order of calls: http_server_open for each listener, the loop and http_server_door, http_server_close.
 */
#ifndef FAKECA_HTTP_SERVER_H
#define FAKECA_HTTP_SERVER_H

#include <ev.h>
#include <openssl/ssl.h>

#include "fakeca/http_answer.h"
#include "fakeca/http_request.h"
#include "fakeca/socket_listen.h"
#include "testbed/wire/error.h"

#define HTTP_REQUEST_SECONDS  30.
#define HTTP_IDLE_SECONDS     60.
#define HTTP_SILENCE_SECONDS  3600.
#define HTTP_CONNECTIONS_MOST 512

struct http_connection;

/* How a connection begins. */
struct greeting {
    SSL_CTX *tls;           /* borrowed; the server's own, unless greet changes it */
    enum delivery delivery; /* DELIVER_RESET and DELIVER_SILENCE: that is all that comes of it */
};

struct http_server {
    struct ev_loop *loop;
    SSL_CTX *tls;                                            /* borrowed; NULL: plain HTTP */
    void (*greet)(void *context, struct greeting *greeting); /* or NULL; with greet_context */
    void *greet_context;
    /* Fills *answer, which comes with status 200 and all else zero. */
    void (*answer)(void *context, const struct http_request *request, struct http_answer *answer);
    void *context;
    /* the rest is the server's own */
    int fd;
    bool closed; /* the door is */
    ev_io accepting;
    ev_timer pause;                       /* while the system has no descriptor left */
    struct http_connection *first, *last; /* least recently used first */
    size_t count;
    char address[SOCKET_ADDRESS_TEXT]; /* with the real port */
};

/* *server is all zero but for the borrowed fields. */
int http_server_open(struct http_server *server, const struct address *address, struct error *e);
void http_server_close(struct http_server *server);
/* Opens or closes the door; nothing happens where it is so already.  -1 with *e: all is as before. */
int http_server_door(struct http_server *server, bool open, struct error *e);

#endif
