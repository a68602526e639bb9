/* http_server.h -- HTTP and HTTPS on libev: listeners, connections, time limits.
 *
 * Every request is answered by one call of `answer`, which never waits.  What waits is the
 * delivery (http_answer.h).  A connection has HTTP_REQUEST_SECONDS for its handshake and for
 * each request, however slowly it drips, and HTTP_IDLE_SECONDS between two; no more than
 * HTTP_CONNECTIONS_MOST are held at once, and of those beyond, the one that has been idle longest
 * goes.
 *
 * Order of calls: http_server_open for each listener, the loop, http_server_close.
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

struct http_server {
    struct ev_loop *loop;
    SSL_CTX *tls; /* borrowed; NULL: plain HTTP */
    /* Fills *answer, which comes with status 200 and all else zero. */
    void (*answer)(void *context, const struct http_request *request, struct http_answer *answer);
    void *context;
    /* the rest is the server's own */
    int fd;
    ev_io accepting;
    ev_timer pause;                       /* while the system has no descriptor left */
    struct http_connection *first, *last; /* least recently used first */
    size_t count;
    char address[SOCKET_ADDRESS_TEXT]; /* with the real port */
};

int http_server_open(struct http_server *server, const struct address *address, struct error *e);
void http_server_close(struct http_server *server);

#endif
