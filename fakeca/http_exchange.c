/* Requests as they come on a connection, and how their answers are delivered. */
#include <stdlib.h>
#include <string.h>

#include "fakeca/http_connection.h"

#define FIRST_ROOM 4096

/* --- answers ------------------------------------------------------------------------------------ */

/* 1 all is out, 0 not yet, -1 the connection is gone. */
static int flush(struct http_connection *c)
{
    while (c->put < c->length) {
        size_t left = c->delivery == DELIVER_SLOWLY ? 1 : c->length - c->put;
        ssize_t put = connection_send(c, c->out + c->put, left);

        if (put == GONE) {
            connection_end(c);
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
        connection_hang_up(c);
        return -1;
    }
    connection_give(c, HTTP_IDLE_SECONDS);
    connection_wait_for(c, EV_READ);
    return 1;
}

/* 0, or -1 where the connection is gone or quiet. */
static int deliver(struct http_connection *c, const struct http_answer *answer, bool keep_alive)
{
    c->delivery = answer->delivery;
    c->last =
        !keep_alive || answer->close || answer->framing.old || answer->delivery == DELIVER_HALF;
    if (answer->delivery == DELIVER_RESET) {
        connection_reset(c);
        return -1;
    }
    if (answer->delivery == DELIVER_SILENCE) {
        connection_be_silent(c);
        return -1;
    }
    c->out = http_answer_bytes(answer, keep_alive, &c->length);
    if (c->out == NULL) {
        connection_end(c);
        return -1;
    }
    if (answer->delivery == DELIVER_HALF)
        c->length -= (answer->length + 1) / 2;
    connection_give(c, answer->delivery == DELIVER_SLOWLY ? HTTP_SILENCE_SECONDS
                                                          : HTTP_REQUEST_SECONDS);
    return 0;
}

static void date(const struct http_server *server, struct http_answer *answer)
{
    if (server->now != NULL)
        http_answer_date(answer, "Date", server->now(server->owner));
}

static int refuse(struct http_connection *c, int status)
{
    struct http_answer answer = {.status = status, .close = true};
    int result;

    date(c->server, &answer);
    if (c->server->refuse != NULL)
        c->server->refuse(c->server->context, &answer);
    c->got = 0;
    result = deliver(c, &answer, false);
    http_answer_free(&answer);
    return result;
}

static void hold(struct http_connection *c)
{
    c->held = true;
    c->next_held = c->server->held;
    c->server->held = c;
}

static int answer_request(struct http_connection *c, const struct http_request *request)
{
    struct http_answer answer = {.status = 200};
    int status;

    c->server->answer(c->server->context, request, &answer);
    date(c->server, &answer);
    answer.without_body = strcmp(request->method, "HEAD") == 0;
    status = deliver(c, &answer, request->keep_alive);
    http_answer_free(&answer);
    if (status == 0 && c->server->holds != NULL && c->server->holds(c->server->context))
        hold(c);
    return status;
}

/* Says what a client with a long body waits to hear. */
static int say_continue(struct http_connection *c)
{
    static const char words[] = "HTTP/1.1 100 Continue\r\n\r\n";

    c->continued = true;
    if (connection_send(c, words, sizeof words - 1) == (ssize_t)sizeof words - 1)
        return 0;
    connection_end(c);
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
    connection_touch(c);
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

/* Goes on with a connection as far as it goes now; `audible`: there is something to be received. */
static void step(struct http_connection *c, bool audible)
{
    for (;; audible = false) {
        ssize_t got;
        int status = c->held ? 0 : c->out != NULL ? flush(c) : 1;

        if (status <= 0)
            return;
        status = take_request(c);
        if (status < 0)
            return;
        if (status > 0)
            continue;
        if (!audible && !connection_holds_back(c)) { /* the kernel says when there is more */
            connection_wait_for(c, EV_READ);
            return;
        }
        if (make_room(c) < 0) {
            connection_end(c);
            return;
        }
        got = connection_receive(c, c->in + c->got, c->room - c->got);
        if (got == GONE)
            connection_end(c);
        if (got <= 0)
            return;
        if (c->got == 0)
            connection_give(c, HTTP_REQUEST_SECONDS);
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
        connection_drain(c);
    else
        step(c, true);
}

static void on_limit(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    connection_end(watcher->data);
}

static void on_drip(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    step(watcher->data, false);
}

void exchange_begin(struct http_server *server, int fd)
{
    struct greeting greeting = {.tls = server->tls};
    struct http_connection *c;

    if (server->greet != NULL)
        server->greet(server->owner, &greeting);
    c = connection_begin(server, fd, greeting.tls);
    if (c == NULL)
        return;
    ev_io_init(&c->io, on_io, fd, EV_READ);
    ev_timer_init(&c->limit, on_limit, HTTP_REQUEST_SECONDS, 0.);
    ev_timer_init(&c->drip, on_drip, 1., 0.);
    c->io.data = c->limit.data = c->drip.data = c;
    ev_io_start(server->loop, &c->io);
    ev_timer_start(server->loop, &c->limit);
    if (greeting.delivery == DELIVER_RESET)
        connection_reset(c);
    else if (greeting.delivery == DELIVER_SILENCE)
        connection_be_silent(c);
}

struct http_connection *exchange_release(struct http_connection *c, bool good)
{
    struct http_connection *next = c->next_held;

    c->held = false;
    if (good)
        step(c, false);
    else
        connection_end(c);
    return next;
}

void exchange_end(struct http_connection *c)
{
    connection_end(c);
}
