#include "fakeca/lookup_stream.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFIX     2 /* octets of length */
#define REPLY_MOST 65535

struct lookup_stream {
    struct ev_loop *loop;
    void (*done)(void *context, const unsigned char *reply, size_t length);
    void *context;
    int fd;
    ev_io io;
    unsigned char out[PREFIX + 512];
    size_t put, length;
    unsigned char in[PREFIX + REPLY_MOST];
    size_t got;
};

int resolver_connect(const struct address *resolver, int type, struct error *e)
{
    struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *at = NULL;
    int fd;

    if (getaddrinfo(resolver->host, resolver->port, &hints, &at) != 0)
        return failed(e, "the resolver %s is not an address", resolver->host);
    fd = socket(at->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0 && errno != EINPROGRESS) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(at);
    return fd >= 0 ? fd : failed(e, "the resolver cannot be asked: %s", strerror(errno));
}

void lookup_stream_cancel(struct lookup_stream *stream)
{
    if (stream == NULL)
        return;
    ev_io_stop(stream->loop, &stream->io);
    close(stream->fd);
    free(stream);
}

static void finish(struct lookup_stream *stream, size_t length)
{
    stream->done(stream->context, stream->in + PREFIX, length);
    lookup_stream_cancel(stream);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct lookup_stream *stream = io->data;
    bool writing = stream->put < stream->length;
    ssize_t count =
        writing ? send(stream->fd, stream->out + stream->put, stream->length - stream->put,
                       MSG_NOSIGNAL)
                : recv(stream->fd, stream->in + stream->got, sizeof stream->in - stream->got, 0);
    size_t whole;

    (void)events;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        finish(stream, 0);
        return;
    }
    *(writing ? &stream->put : &stream->got) += (size_t)count;
    whole = stream->got < PREFIX ? REPLY_MOST : (size_t)stream->in[0] << 8 | stream->in[1];
    if (stream->got >= PREFIX + whole) {
        finish(stream, whole);
        return;
    }
    ev_io_stop(loop, io);
    ev_io_set(io, stream->fd, stream->put < stream->length ? EV_WRITE : EV_READ);
    ev_io_start(loop, io);
}

struct lookup_stream *lookup_stream_ask(struct ev_loop *loop, const struct address *resolver,
                                        const unsigned char *question, size_t length,
                                        void (*done)(void *context, const unsigned char *reply,
                                                     size_t length),
                                        void *context, struct error *e)
{
    struct lookup_stream *stream = calloc(1, sizeof *stream);

    if (stream == NULL)
        return failed(e, "out of memory"), NULL;
    stream->fd = resolver_connect(resolver, SOCK_STREAM, e);
    if (stream->fd < 0) {
        free(stream);
        return NULL;
    }
    stream->loop = loop;
    stream->done = done;
    stream->context = context;
    stream->out[0] = (unsigned char)(length >> 8);
    stream->out[1] = (unsigned char)length;
    memcpy(stream->out + PREFIX, question, length);
    stream->length = PREFIX + length;
    ev_io_init(&stream->io, on_io, stream->fd, EV_WRITE);
    stream->io.data = stream;
    ev_io_start(loop, &stream->io);
    return stream;
}
