#include "testbed/targets/connection.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "testbed/targets/crypto_error.h"
#include "testbed/targets/record.h"

#define REQUEST_MAX  16384 /* a longer one is answered where it is cut */
#define DRAIN_SECOND 2.    /* for the client's last words, after ours */
#define NANOSECOND   1e-9

/* What a step waits for, or that it is over. */
enum progress {
    WAIT_READ,
    WAIT_WRITE,
    NEXT, /* c->step is another one now */
    OVER,
};

struct connection {
    struct connections *all;
    struct connection *next, *previous;
    struct served *served;
    int fd;
    SSL *ssl;
    ev_io io;
    ev_timer deadline;
    enum progress (*step)(struct connection *);
    struct alerts alerts;
    bool recorded;
    char request[REQUEST_MAX];
    size_t got;
    char response[256];
    size_t length, put;
};

static void end(struct connection *c)
{
    struct connections *all = c->all;

    ev_io_stop(all->loop, &c->io);
    ev_timer_stop(all->loop, &c->deadline);
    if (c->next != NULL)
        c->next->previous = c->previous;
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        all->first = c->next;
    all->count--;
    SSL_free(c->ssl);
    close(c->fd);
    served_release(c->served);
    free(c);
    if (all->on_end != NULL)
        all->on_end(all);
}

/* --- what the log learns ------------------------------------------------------------------------ */

/* Once a connection: what became of its handshake. */
static void record(struct connection *c, const char *why)
{
    int log = served_log(c->served);

    if (c->recorded || log < 0)
        return;
    c->recorded = true;
    if (record_handshake(log, c->ssl, served_host(c->served, c->ssl)->name, &c->alerts, why) < 0 &&
        c->all->on_log_error != NULL)
        c->all->on_log_error(errno);
}

/* The first fatal alert each way; close_notify is no news. */
static void note_alert(const SSL *ssl, int where, int value)
{
    struct connection *c = SSL_get_app_data(ssl);
    int *alert = (where & SSL_CB_READ) != 0 ? &c->alerts.received : &c->alerts.sent;

    if ((where & SSL_CB_ALERT) != 0 && (value & 0xff) != SSL_AD_CLOSE_NOTIFY && *alert < 0)
        *alert = value & 0xff;
}

/* --- the steps, last first ---------------------------------------------------------------------- */

/* libssl's answer in our words; -1 where the connection cannot go on. */
static int waiting(const struct connection *c, int result)
{
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return WAIT_READ;
    case SSL_ERROR_WANT_WRITE:
        return WAIT_WRITE;
    default:
        return -1;
    }
}

/* Our side is closed.  Had we closed the descriptor with bytes unread, the kernel would send a
 * reset, and that could overtake our last words on their way to the client.  One read a turn: who
 * talks without end does not keep the others waiting. */
static enum progress drain(struct connection *c)
{
    ssize_t got = read(c->fd, c->request, sizeof c->request);

    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)))
        return WAIT_READ;
    return OVER;
}

static enum progress hang_up(struct connection *c)
{
    ERR_clear_error();
    if (shutdown(c->fd, SHUT_WR) < 0)
        return OVER;
    ev_timer_stop(c->all->loop, &c->deadline);
    ev_timer_set(&c->deadline, DRAIN_SECOND, 0.);
    ev_timer_start(c->all->loop, &c->deadline);
    c->step = drain;
    return NEXT;
}

static enum progress say_goodbye(struct connection *c)
{
    int result;

    ERR_clear_error();
    result = SSL_shutdown(c->ssl); /* 0: our close_notify is out, and that is all we wait for */
    if (result < 0 && waiting(c, result) == WAIT_WRITE)
        return WAIT_WRITE;
    return hang_up(c);
}

static enum progress answer(struct connection *c)
{
    while (c->put < c->length) {
        int put;
        int wait;

        ERR_clear_error();
        put = SSL_write(c->ssl, c->response + c->put, (int)(c->length - c->put));
        if (put <= 0) {
            wait = waiting(c, put);
            return wait < 0 ? hang_up(c) : (enum progress)wait;
        }
        c->put += (size_t)put;
    }
    c->step = say_goodbye;
    return NEXT;
}

static void compose(struct connection *c)
{
    static const char body[] = "This is a rehearsal.\n";
    time_t now = time(NULL);
    struct tm tm;
    char date[40] = "";

    if (gmtime_r(&now, &tm) != NULL) /* RFC 9110 section 5.6.7 */
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    c->length = (size_t)snprintf(c->response, sizeof c->response,
                                 "HTTP/1.0 200 OK\r\nDate: %s\r\nContent-Type: text/plain\r\n"
                                 "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                                 date, sizeof body - 1, body);
}

static bool request_is_whole(const struct connection *c)
{
    return c->got == sizeof c->request || memmem(c->request, c->got, "\r\n\r\n", 4) != NULL ||
           memmem(c->request, c->got, "\n\n", 2) != NULL;
}

static enum progress hear(struct connection *c)
{
    while (!request_is_whole(c)) {
        int got;
        int wait;

        ERR_clear_error();
        got = SSL_read(c->ssl, c->request + c->got, (int)(sizeof c->request - c->got));
        if (got <= 0) {
            wait = waiting(c, got);
            if (wait >= 0)
                return (enum progress)wait;
            c->step = SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN ? say_goodbye : hang_up;
            return NEXT;
        }
        c->got += (size_t)got;
    }
    compose(c);
    c->step = answer;
    return NEXT;
}

/* One line on why SSL_accept gave up, and by whose doing. */
static const char *failure(const struct connection *c, int result)
{
    long verified = SSL_get_verify_result(c->ssl);

    if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return "the client hung up";
    if (SSL_get_error(c->ssl, result) == SSL_ERROR_SYSCALL)
        return errno == 0 ? "the client hung up" : strerror(errno);
    if (c->alerts.received < 0 && verified != X509_V_OK)
        return X509_verify_cert_error_string(verified);
    return crypto_reason();
}

static enum progress shake_hands(struct connection *c)
{
    int result, wait;

    ERR_clear_error();
    errno = 0;
    result = SSL_accept(c->ssl);
    if (result == 1) {
        record(c, NULL);
        c->step = hear;
        return NEXT;
    }
    wait = waiting(c, result);
    if (wait >= 0)
        return (enum progress)wait;
    record(c, failure(c, result));
    c->step = hang_up;
    return NEXT;
}

/* --- libev -------------------------------------------------------------------------------------- */

static void advance(struct connection *c)
{
    enum progress progress;
    int events;

    do
        progress = c->step(c);
    while (progress == NEXT);
    if (progress == OVER) {
        end(c);
        return;
    }
    events = progress == WAIT_WRITE ? EV_WRITE : EV_READ;
    if (c->io.events == events)
        return;
    ev_io_stop(c->all->loop, &c->io);
    ev_io_set(&c->io, c->fd, events);
    ev_io_start(c->all->loop, &c->io);
}

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    advance(io->data);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct connection *c = timer->data;

    (void)loop;
    (void)events;
    record(c, "the client took too long");
    end(c);
}

int connection_start(struct connections *all, int fd, struct served *served)
{
    struct connection *c = calloc(1, sizeof *c);
    SSL *ssl = c == NULL ? NULL : served_connection(served, fd);

    if (ssl == NULL) {
        free(c);
        close(fd);
        return -1;
    }
    c->all = all;
    c->served = served_hold(served);
    c->fd = fd;
    c->ssl = ssl;
    c->step = shake_hands;
    c->alerts = (struct alerts){.received = -1, .sent = -1};
    SSL_set_app_data(ssl, c);
    SSL_set_info_callback(ssl, note_alert);
    c->next = all->first;
    if (c->next != NULL)
        c->next->previous = c;
    all->first = c;
    all->count++;
    ev_io_init(&c->io, on_ready, fd, EV_READ);
    ev_timer_init(&c->deadline, on_deadline, (double)served_settings(served)->timeout * NANOSECOND,
                  0.);
    c->io.data = c->deadline.data = c;
    ev_io_start(all->loop, &c->io);
    ev_timer_start(all->loop, &c->deadline);
    return 0;
}

void connections_close(struct connections *all)
{
    all->on_end = NULL;
    for (struct connection *c = all->first, *next; c != NULL; c = next) {
        next = c->next;
        end(c);
    }
}
