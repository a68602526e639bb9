#include "fakeca/serve_dns_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFIX 2 /* octets of length */

struct dns_connection {
    struct dns_tcp *tcp;
    struct dns_connection *next, *previous;
    int fd;
    ev_io io;
    ev_timer limit,
        late; /* the connection ends with the first, and the answer goes with the second */
    unsigned char in[PREFIX + DNS_PACKET_MOST];
    size_t got;
    unsigned char *out; /* ours: prefix and answer; NULL: none is under way */
    size_t put, length;
};

static void end(struct dns_connection *c)
{
    struct dns_tcp *tcp = c->tcp;

    ev_io_stop(tcp->loop, &c->io);
    ev_timer_stop(tcp->loop, &c->limit);
    ev_timer_stop(tcp->loop, &c->late);
    *(c->previous == NULL ? &tcp->first : &c->previous->next) = c->next;
    if (c->next != NULL)
        c->next->previous = c->previous;
    tcp->count--;
    close(c->fd);
    free(c->out);
    free(c);
}

static void watch(struct dns_connection *c, int events)
{
    ev_io_stop(c->tcp->loop, &c->io);
    ev_io_set(&c->io, c->fd, events);
    ev_io_start(c->tcp->loop, &c->io);
}

static bool would_wait(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* 1: all is out; 0: it waits; -1: the peer has gone. */
static int put(struct dns_connection *c)
{
    while (c->put < c->length) {
        ssize_t count = send(c->fd, c->out + c->put, c->length - c->put, MSG_NOSIGNAL);

        if (count < 0)
            return would_wait() ? 0 : -1;
        c->put += (size_t)count;
    }
    free(c->out);
    c->out = NULL;
    ev_timer_again(c->tcp->loop, &c->limit);
    return 1;
}

/* The length of the message at the front, with its prefix; 0: it is not whole yet. */
static size_t whole(const struct dns_connection *c)
{
    size_t length = c->got < PREFIX ? 0 : PREFIX + ((size_t)c->in[0] << 8 | c->in[1]);

    return c->got < length ? 0 : length;
}

/* Answers the message at the front of what has come; -1: no answer, and no more of this. */
static int take(struct dns_connection *c, size_t length)
{
    struct dns_reply reply = {0};

    c->tcp->answer(c->tcp->context, c->in + PREFIX, length - PREFIX, &reply);
    c->got -= length;
    memmove(c->in, c->in + length, c->got);
    c->out = reply.bytes == NULL ? NULL : malloc(PREFIX + reply.length);
    if (c->out != NULL) {
        c->out[0] = (unsigned char)(reply.length >> 8);
        c->out[1] = (unsigned char)reply.length;
        memcpy(c->out + PREFIX, reply.bytes, reply.length);
        c->put = 0;
        c->length = PREFIX + reply.length;
    }
    free(reply.bytes);
    if (c->out != NULL && reply.delay_ms > 0) {
        ev_io_stop(c->tcp->loop, &c->io);
        ev_timer_set(&c->late, reply.delay_ms / 1000., 0.);
        ev_timer_start(c->tcp->loop, &c->late);
    }
    return c->out == NULL ? -1 : 0;
}

/* Goes on as far as it goes without waiting. */
static void step(struct dns_connection *c)
{
    size_t length;
    int status = 1;

    while (status == 1 && !ev_is_active(&c->late)) {
        if (c->out != NULL)
            status = put(c);
        else if ((length = whole(c)) > 0)
            status = take(c, length) < 0 ? -1 : 1;
        else
            break;
    }
    if (status < 0)
        end(c);
    else if (!ev_is_active(&c->late))
        watch(c, c->out != NULL ? EV_WRITE : EV_READ);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct dns_connection *c = io->data;

    (void)loop;
    if ((events & EV_READ) != 0) {
        ssize_t count = recv(c->fd, c->in + c->got, sizeof c->in - c->got, 0);

        if (count == 0 || (count < 0 && !would_wait())) {
            end(c);
            return;
        }
        c->got += count < 0 ? 0 : (size_t)count;
    }
    step(c);
}

static void on_late(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    step(timer->data);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    end(timer->data);
}

static struct dns_connection *oldest(const struct dns_tcp *tcp)
{
    struct dns_connection *c = tcp->first;

    while (c->next != NULL)
        c = c->next;
    return c;
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct dns_tcp *tcp = io->data;
    int fd = accept4(tcp->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct dns_connection *c = fd < 0 ? NULL : calloc(1, sizeof *c);

    (void)events;
    if (c == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    if (tcp->count == DNS_TCP_MOST)
        end(oldest(tcp));
    c->tcp = tcp;
    c->next = tcp->first;
    c->fd = fd;
    if (tcp->first != NULL)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): end() has taken the oldest out of the list */
        tcp->first->previous = c;
    tcp->first = c;
    tcp->count++;
    ev_io_init(&c->io, on_io, fd, EV_READ);
    ev_timer_init(&c->limit, on_limit, 0., DNS_TCP_SECONDS);
    ev_init(&c->late, on_late);
    c->io.data = c->limit.data = c->late.data = c;
    ev_io_start(loop, &c->io);
    ev_timer_again(loop, &c->limit);
}

void dns_tcp_open(struct dns_tcp *tcp, int fd)
{
    tcp->fd = fd;
    ev_io_init(&tcp->accepting, on_accept, fd, EV_READ);
    tcp->accepting.data = tcp;
    ev_io_start(tcp->loop, &tcp->accepting);
}

void dns_tcp_close(struct dns_tcp *tcp)
{
    ev_io_stop(tcp->loop, &tcp->accepting);
    while (tcp->first != NULL)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): end() has moved `first` on */
        end(tcp->first);
    close(tcp->fd);
}
