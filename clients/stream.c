#include "clients/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define RECORD_FIRST 20 /* change_cipher_spec ... */
#define RECORD_LAST  24 /* ... heartbeat */
#define RECORD_MAJOR 3

static ssize_t note_error(struct stream *stream, ssize_t result)
{
    if (result < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        stream->error = errno;
    return result;
}

ssize_t stream_receive(struct stream *stream, void *bytes, size_t room)
{
    ssize_t got = recv(stream->fd, bytes, room, 0);

    if (got == 0 && stream->error != 0) {
        errno = stream->error;
        return -1;
    }
    if (got == 0 && room > 0)
        stream->ended = true;
    if (got <= 0)
        return note_error(stream, got);
    if (stream->received < sizeof stream->head) {
        size_t wanted = sizeof stream->head - stream->received;

        memcpy(stream->head + stream->received, bytes, (size_t)got < wanted ? (size_t)got : wanted);
    }
    stream->received += (size_t)got;
    stream->unanswered = false;
    return got;
}

ssize_t stream_send(struct stream *stream, const void *bytes, size_t length)
{
    ssize_t sent = note_error(stream, send(stream->fd, bytes, length, MSG_NOSIGNAL));

    if (sent < 0 && stream_was_reset(stream))
        sent = (ssize_t)length;
    stream->unanswered |= sent > 0;
    return sent;
}

bool stream_was_reset(const struct stream *stream)
{
    return stream->error == ECONNRESET || stream->error == EPIPE;
}

bool stream_may_be_tls(const struct stream *stream)
{
    if (stream->received >= 1 && (stream->head[0] < RECORD_FIRST || stream->head[0] > RECORD_LAST))
        return false;
    return stream->received < 2 || stream->head[1] == RECORD_MAJOR;
}
