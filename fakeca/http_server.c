#include "fakeca/http_server.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_ROOM    4096
#define DRAIN_SECONDS 2.
#define PAUSE_SECONDS .1

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
};

static void step(struct http_connection *c);

/* --- the list of connections -------------------------------------------------------------------- */

static void unlink_connection(struct http_connection *c)
{
    struct http_server *server = c->server;

    *(c->previous == NULL ? &server->first : &c->previous->next) = c->next;
    *(c->next == NULL ? &server->last : &c->next->previous) = c->previous;
}

static void link_connection(struct http_connection *c)
{
    struct http_server *server = c->server;

    c->next = NULL;
    c->previous = server->last;
    *(server->last == NULL ? &server->first : &server->last->next) = c;
    server->last = c;
}

static void touch(struct http_connection *c)
{
    unlink_connection(c);
    link_connection(c);
}

static void end(struct http_connection *c)
{
    struct http_server *server = c->server;

    ev_io_stop(server->loop, &c->io);
    ev_timer_stop(server->loop, &c->limit);
    ev_timer_stop(server->loop, &c->drip);
    unlink_connection(c);
    server->count--;
    SSL_free(c->ssl);
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static void give(struct http_connection *c, double seconds)
{
    ev_timer_stop(c->server->loop, &c->limit);
    ev_timer_set(&c->limit, seconds, 0.);
    ev_timer_start(c->server->loop, &c->limit);
}

static void wait_for(struct http_connection *c, int events)
{
    if (ev_is_active(&c->io) && c->io.events == events)
        return;
    ev_io_stop(c->server->loop, &c->io);
    ev_io_set(&c->io, c->fd, events);
    ev_io_start(c->server->loop, &c->io);
}

/* --- bytes in and out --------------------------------------------------------------------------- */

enum { GONE = 0, AGAIN = -1 };

/* libssl's refusal: what it waits for is waited for, and AGAIN; or GONE. */
static ssize_t tls_waits(struct http_connection *c, int result)
{
    int why = SSL_get_error(c->ssl, result);

    ERR_clear_error();
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return GONE;
    wait_for(c, why == SSL_ERROR_WANT_READ ? EV_READ : EV_WRITE);
    return AGAIN;
}

static ssize_t plain_waits(struct http_connection *c, int events)
{
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        return GONE;
    wait_for(c, events);
    return AGAIN;
}

static ssize_t receive(struct http_connection *c, char *out, size_t room)
{
    ssize_t got;

    if (c->ssl != NULL) {
        ERR_clear_error();
        got = SSL_read(c->ssl, out, (int)room);
        return got > 0 ? got : tls_waits(c, (int)got);
    }
    got = recv(c->fd, out, room, 0);
    return got >= 0 ? got : plain_waits(c, EV_READ);
}

static ssize_t send_bytes(struct http_connection *c, const char *bytes, size_t length)
{
    ssize_t put;

    if (c->ssl != NULL) {
        ERR_clear_error();
        put = SSL_write(c->ssl, bytes, (int)length);
        return put > 0 ? put : tls_waits(c, (int)put);
    }
    put = send(c->fd, bytes, length, MSG_NOSIGNAL);
    return put > 0 ? put : plain_waits(c, EV_WRITE);
}

/* --- ending well -------------------------------------------------------------------------------- */

/* Had we closed with bytes unread, the kernel's reset could overtake our last words. */
static void drain(struct http_connection *c)
{
    char waste[4096];
    ssize_t got = recv(c->fd, waste, sizeof waste, 0);

    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)))
        return;
    end(c);
}

static void hang_up(struct http_connection *c)
{
    if (c->ssl != NULL)
        SSL_shutdown(c->ssl);
    ERR_clear_error();
    if (shutdown(c->fd, SHUT_WR) < 0) {
        end(c);
        return;
    }
    c->draining = true;
    give(c, DRAIN_SECONDS);
    wait_for(c, EV_READ);
}

static void reset(struct http_connection *c)
{
    struct linger at_once = {.l_onoff = 1};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    SSL_free(c->ssl); /* without a close_notify */
    c->ssl = NULL;
    end(c);
}

/* Until the client goes. */
static void be_silent(struct http_connection *c)
{
    give(c, HTTP_SILENCE_SECONDS);
    c->draining = true;
    wait_for(c, EV_READ);
}

/* --- answers ------------------------------------------------------------------------------------ */

/* 1 all is out, 0 not yet, -1 the connection is gone. */
static int flush(struct http_connection *c)
{
    while (c->put < c->length) {
        size_t left = c->delivery == DELIVER_SLOWLY ? 1 : c->length - c->put;
        ssize_t put = send_bytes(c, c->out + c->put, left);

        if (put == GONE) {
            end(c);
            return -1;
        }
        if (put == AGAIN)
            return 0;
        c->put += (size_t)put;
        if (c->delivery == DELIVER_SLOWLY && c->put < c->length) {
            ev_io_stop(c->server->loop, &c->io);
            ev_timer_set(&c->drip, 1., 0.);
            ev_timer_start(c->server->loop, &c->drip);
            return 0;
        }
    }
    free(c->out);
    c->out = NULL;
    c->put = c->length = 0;
    c->delivery = DELIVER_WHOLE;
    if (c->last) {
        hang_up(c);
        return -1;
    }
    give(c, HTTP_IDLE_SECONDS);
    wait_for(c, EV_READ);
    return 1;
}

/* 0, or -1 where the connection is gone or quiet. */
static int deliver(struct http_connection *c, const struct http_answer *answer, bool keep_alive)
{
    c->delivery = answer->delivery;
    c->last =
        !keep_alive || answer->close || answer->framing.old || answer->delivery == DELIVER_HALF;
    if (answer->delivery == DELIVER_RESET) {
        reset(c);
        return -1;
    }
    if (answer->delivery == DELIVER_SILENCE) {
        be_silent(c);
        return -1;
    }
    c->out = http_answer_bytes(answer, keep_alive, &c->length);
    if (c->out == NULL) {
        end(c);
        return -1;
    }
    if (answer->delivery == DELIVER_HALF)
        c->length -= (answer->length + 1) / 2;
    give(c, answer->delivery == DELIVER_SLOWLY ? HTTP_SILENCE_SECONDS : HTTP_REQUEST_SECONDS);
    return 0;
}

static int refuse(struct http_connection *c, int status)
{
    struct http_answer answer = {.status = status, .close = true};

    c->got = 0;
    return deliver(c, &answer, false);
}

static int answer_request(struct http_connection *c, const struct http_request *request)
{
    struct http_answer answer = {.status = 200};
    int status;

    c->server->answer(c->server->context, request, &answer);
    answer.without_body = strcmp(request->method, "HEAD") == 0;
    status = deliver(c, &answer, request->keep_alive);
    http_answer_free(&answer);
    return status;
}

/* Says what a client with a long body waits to hear. */
static int say_continue(struct http_connection *c)
{
    static const char words[] = "HTTP/1.1 100 Continue\r\n\r\n";

    c->continued = true;
    if (send_bytes(c, words, sizeof words - 1) == (ssize_t)sizeof words - 1)
        return 0;
    end(c);
    return -1;
}

/* Answers the request at the front of the buffer.  1 answered, 0 it is not whole yet, -1 gone or
 * quiet. */
static int take_request(struct http_connection *c)
{
    struct http_request request;
    enum http_progress progress =
        c->got == 0 ? HTTP_MORE : http_request_read(c->in, c->got, &request);

    if (c->got == 0)
        return 0;
    if (progress == HTTP_MORE) {
        if (c->got == HTTP_REQUEST_MOST)
            return refuse(c, 413) < 0 ? -1 : 1;
        return request.expects_continue && !c->continued ? say_continue(c) : 0;
    }
    if (progress == HTTP_BAD)
        return refuse(c, request.status) < 0 ? -1 : 1;
    c->continued = false;
    touch(c);
    memcpy(request.peer, c->peer, sizeof request.peer);
    if (answer_request(c, &request) < 0)
        return -1;
    c->got -= request.consumed;
    memmove(c->in, c->in + request.consumed, c->got);
    return 1;
}

static int make_room(struct http_connection *c)
{
    size_t room = c->room == 0 ? FIRST_ROOM : 2 * c->room;
    char *more;

    if (c->got < c->room)
        return 0;
    if (room > HTTP_REQUEST_MOST)
        room = HTTP_REQUEST_MOST;
    more = realloc(c->in, room);
    if (more == NULL)
        return -1;
    c->in = more;
    c->room = room;
    return 0;
}

/* Goes on with a connection as far as it goes now. */
static void step(struct http_connection *c)
{
    for (;;) {
        ssize_t got;
        int status = c->out != NULL ? flush(c) : 1;

        if (status <= 0)
            return;
        status = take_request(c);
        if (status < 0)
            return;
        if (status > 0)
            continue;
        if (make_room(c) < 0) {
            end(c);
            return;
        }
        got = receive(c, c->in + c->got, c->room - c->got);
        if (got == GONE)
            end(c);
        if (got <= 0)
            return;
        if (c->got == 0)
            give(c, HTTP_REQUEST_SECONDS);
        c->got += (size_t)got;
    }
}

/* --- events ------------------------------------------------------------------------------------- */

static void on_io(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct http_connection *c = watcher->data;

    (void)loop;
    (void)events;
    if (c->draining)
        drain(c);
    else
        step(c);
}

static void on_limit(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    end(watcher->data);
}

static void on_drip(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    step(watcher->data);
}

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

static void start(struct http_server *server, int fd)
{
    struct greeting greeting = {.tls = server->tls};
    struct http_connection *c;

    if (server->greet != NULL)
        server->greet(server->greet_context, &greeting);
    c = make(fd, greeting.tls);
    if (c == NULL) {
        close(fd);
        return;
    }
    c->server = server;
    c->fd = fd;
    name_peer(fd, c->peer, sizeof c->peer);
    link_connection(c);
    server->count++;
    ev_io_init(&c->io, on_io, fd, EV_READ);
    ev_timer_init(&c->limit, on_limit, HTTP_REQUEST_SECONDS, 0.);
    ev_timer_init(&c->drip, on_drip, 1., 0.);
    c->io.data = c->limit.data = c->drip.data = c;
    ev_io_start(server->loop, &c->io);
    ev_timer_start(server->loop, &c->limit);
    if (greeting.delivery == DELIVER_RESET)
        reset(c);
    else if (greeting.delivery == DELIVER_SILENCE)
        be_silent(c);
}

static void on_pause(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct http_server *server = watcher->data;

    (void)events;
    ev_io_start(loop, &server->accepting);
}

static void on_accept(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct http_server *server = watcher->data;
    int fd;

    (void)events;
    while ((fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (server->count == HTTP_CONNECTIONS_MOST)
            /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): end() has moved `first` on */
            end(server->first);
        start(server, fd);
        if (server->closed) /* by whoever greets */
            return;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        ev_io_stop(loop, &server->accepting);
        ev_timer_set(&server->pause, PAUSE_SECONDS, 0.);
        ev_timer_start(loop, &server->pause);
    }
}

int http_server_open(struct http_server *server, const struct address *address, struct error *e)
{
    server->fd = socket_listen(address, SOCK_STREAM, server->address, e);
    if (server->fd < 0)
        return -1;
    ev_io_init(&server->accepting, on_accept, server->fd, EV_READ);
    ev_timer_init(&server->pause, on_pause, PAUSE_SECONDS, 0.);
    server->accepting.data = server->pause.data = server;
    ev_io_start(server->loop, &server->accepting);
    return 0;
}

/* While nobody listens a second socket holds the port, which the first must let it share. */
static int close_door(struct http_server *server, struct error *e)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    int on = 1, holder = -1;

    if (getsockname(server->fd, (struct sockaddr *)&address, &length) == 0)
        holder = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (holder < 0 || setsockopt(server->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ||
        setsockopt(holder, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(holder, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ||
        bind(holder, (struct sockaddr *)&address, length) < 0) {
        failed(e, "%s: cannot hold the port: %s", server->address, strerror(errno));
        if (holder >= 0)
            close(holder);
        return -1;
    }
    ev_io_stop(server->loop, &server->accepting);
    ev_timer_stop(server->loop, &server->pause);
    close(server->fd);
    server->fd = holder;
    server->closed = true;
    return 0;
}

static int open_door(struct http_server *server, struct error *e)
{
    int off = 0;

    setsockopt(server->fd, SOL_SOCKET, SO_REUSEPORT, &off, sizeof off);
    if (listen(server->fd, SOCKET_BACKLOG) < 0)
        return failed(e, "%s: cannot listen again: %s", server->address, strerror(errno));
    ev_io_set(&server->accepting, server->fd, EV_READ);
    ev_io_start(server->loop, &server->accepting);
    server->closed = false;
    return 0;
}

int http_server_door(struct http_server *server, bool open, struct error *e)
{
    if (open == !server->closed)
        return 0;
    return open ? open_door(server, e) : close_door(server, e);
}

void http_server_close(struct http_server *server)
{
    ev_io_stop(server->loop, &server->accepting);
    ev_timer_stop(server->loop, &server->pause);
    while (server->first != NULL)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): end() has moved `first` on */
        end(server->first);
    close(server->fd);
}
