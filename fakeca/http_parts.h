/* http_parts.h -- a server of HTTP, between http_server.h, which opens and closes it, http_exchange.c, which answers
 * what comes on its connections, and http_connection.h, which is one of them.
 */
#ifndef FAKECA_HTTP_PARTS_H
#define FAKECA_HTTP_PARTS_H

#include <ev.h>
#include <openssl/ssl.h>
#include <stdint.h>

#include "fakeca/http_answer.h"
#include "fakeca/http_request.h"
#include "fakeca/socket_listen.h"

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
    SSL_CTX *tls;                                          /* borrowed; NULL: plain HTTP */
    void (*greet)(void *owner, struct greeting *greeting); /* or NULL */
    int64_t (*now)(void *owner);                           /* or NULL: its answers have no date */
    void *owner;
    /* Fills *answer, which comes with status 200 and all else zero. */
    void (*answer)(void *context, const struct http_request *request, struct http_answer *answer);
    /* Says more to one whose request cannot be read, where *answer has the status; NULL: that is all. */
    void (*refuse)(void *context, struct http_answer *answer);
    /* Whether what was answered last is not to be heard before http_server_release; NULL: it never is so. */
    bool (*holds)(void *context);
    void *context;
    /* the rest is the server's own */
    int fd;
    bool closed; /* the door is */
    ev_io accepting;
    ev_timer pause;                       /* while the system has no descriptor left */
    struct http_connection *first, *last; /* least recently used first */
    size_t count, most;
    struct http_connection *held;      /* those whose answer waits */
    char address[SOCKET_ADDRESS_TEXT]; /* with the real port */
};

/* Answers what comes on a new connection, from now on until it ends; and ends it. */
void exchange_begin(struct http_server *server, int fd);
void exchange_end(struct http_connection *c);
/* Goes on with one whose answer was held, and which is in the list no more; or ends it.  The one that was next. */
struct http_connection *exchange_release(struct http_connection *c, bool good);

#endif
