#include "fakeca/http_connection.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_SECONDS 2.

/* --- the list of connections -------------------------------------------------------------------- */

static void unlink_connection(struct http_connection *c)
{
    struct http_server *server = c->server;

    *(c->previous == NULL ? &server->first : &c->previous->next) = c->next;
    *(c->next == NULL ? &server->last : &c->next->previous) = c->previous;
}

static void unlink_held(struct http_connection *c)
{
    struct http_connection **at = &c->server->held;

    while (*at != c)
        at = &(*at)->next_held;
    *at = c->next_held;
}

static void link_connection(struct http_connection *c)
{
    struct http_server *server = c->server;

    c->next = NULL;
    c->previous = server->last;
    *(server->last == NULL ? &server->first : &server->last->next) = c;
    server->last = c;
}

void connection_touch(struct http_connection *c)
{
    unlink_connection(c);
    link_connection(c);
}

void connection_end(struct http_connection *c)
{
    struct http_server *server = c->server;

    ev_io_stop(server->loop, &c->io);
    ev_timer_stop(server->loop, &c->limit);
    ev_timer_stop(server->loop, &c->drip);
    unlink_connection(c);
    if (c->held)
        unlink_held(c);
    server->count--;
    SSL_free(c->ssl);
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

void connection_give(struct http_connection *c, double seconds)
{
    ev_timer_stop(c->server->loop, &c->limit);
    ev_timer_set(&c->limit, seconds, 0.);
    ev_timer_start(c->server->loop, &c->limit);
}

void connection_wait_for(struct http_connection *c, int events)
{
    if (ev_is_active(&c->io) && c->io.events == events)
        return;
    ev_io_stop(c->server->loop, &c->io);
    ev_io_set(&c->io, c->fd, events);
    ev_io_start(c->server->loop, &c->io);
}

/* --- bytes in and out --------------------------------------------------------------------------- */

/* Before a call of libssl, which looks for its own errors in a queue of them all.  There is hardly ever one, and
 * emptying what is empty takes as long as a lock. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* libssl's refusal: what it waits for is waited for, and AGAIN; or GONE. */
static ssize_t tls_waits(struct http_connection *c, int result)
{
    int why = SSL_get_error(c->ssl, result);

    ERR_clear_error();
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return GONE;
    connection_wait_for(c, why == SSL_ERROR_WANT_READ ? EV_READ : EV_WRITE);
    return AGAIN;
}

static ssize_t plain_waits(struct http_connection *c, int events)
{
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        return GONE;
    connection_wait_for(c, events);
    return AGAIN;
}

ssize_t connection_receive(struct http_connection *c, char *out, size_t room)
{
    ssize_t got;

    if (c->ssl != NULL) {
        forget_errors();
        got = SSL_read(c->ssl, out, (int)room);
        return got > 0 ? got : tls_waits(c, (int)got);
    }
    got = recv(c->fd, out, room, 0);
    return got >= 0 ? got : plain_waits(c, EV_READ);
}

bool connection_holds_back(const struct http_connection *c)
{
    return c->ssl != NULL && SSL_has_pending(c->ssl) == 1;
}

ssize_t connection_send(struct http_connection *c, const char *bytes, size_t length)
{
    ssize_t put;

    if (c->ssl != NULL) {
        forget_errors();
        put = SSL_write(c->ssl, bytes, (int)length);
        return put > 0 ? put : tls_waits(c, (int)put);
    }
    put = send(c->fd, bytes, length, MSG_NOSIGNAL);
    return put > 0 ? put : plain_waits(c, EV_WRITE);
}

/* --- ending well -------------------------------------------------------------------------------- */

/* Had we closed with bytes unread, the kernel's reset could overtake our last words. */
void connection_drain(struct http_connection *c)
{
    char waste[4096];
    ssize_t got = recv(c->fd, waste, sizeof waste, 0);

    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)))
        return;
    connection_end(c);
}

void connection_hang_up(struct http_connection *c)
{
    if (c->ssl != NULL)
        SSL_shutdown(c->ssl);
    ERR_clear_error();
    if (shutdown(c->fd, SHUT_WR) < 0) {
        connection_end(c);
        return;
    }
    c->draining = true;
    connection_give(c, DRAIN_SECONDS);
    connection_wait_for(c, EV_READ);
}

void connection_reset(struct http_connection *c)
{
    struct linger at_once = {.l_onoff = 1};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    SSL_free(c->ssl); /* without a close_notify */
    c->ssl = NULL;
    connection_end(c);
}

/* Until the client goes. */
void connection_be_silent(struct http_connection *c)
{
    connection_give(c, HTTP_SILENCE_SECONDS);
    c->draining = true;
    connection_wait_for(c, EV_READ);
}

/* --- beginning -------------------------------------------------------------------------------------- */

static void name_peer(int fd, char *out, size_t room)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;

    if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0)
        getnameinfo((struct sockaddr *)&peer, length, out, (socklen_t)room, NULL, 0,
                    NI_NUMERICHOST);
}

/* NULL where there is no memory. */
static struct http_connection *make(int fd, SSL_CTX *tls)
{
    struct http_connection *c = calloc(1, sizeof *c);

    if (c == NULL || tls == NULL)
        return c;
    c->ssl = SSL_new(tls);
    if (c->ssl == NULL || SSL_set_fd(c->ssl, fd) != 1) {
        SSL_free(c->ssl);
        free(c);
        return NULL;
    }
    SSL_set_accept_state(c->ssl);
    return c;
}

struct http_connection *connection_begin(struct http_server *server, int fd, SSL_CTX *tls)
{
    struct http_connection *c = make(fd, tls);

    if (c == NULL) {
        close(fd);
        return NULL;
    }
    c->server = server;
    c->fd = fd;
    name_peer(fd, c->peer, sizeof c->peer);
    link_connection(c);
    server->count++;
    return c;
}
