/* stream.h -- the bytes under a TLS session, the same for every library.
 *
 * The drivers read and write through here, and not on the descriptor, so that what TCP did
 * (hung up, reset, never spoke TLS) is known in one place and told alike for all.
 */
#ifndef CLIENTS_STREAM_H
#define CLIENTS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stream {
    int fd;                /* non-blocking; owned by the connection */
    bool ended;            /* the peer has closed its half */
    int error;             /* the errno that ended it, or 0 */
    unsigned char head[2]; /* the first bytes ever received */
    size_t received;       /* in all */
    bool unanswered;       /* something was sent, and nothing received since */
};

/* As recv(2) and send(2): -1 with errno, EAGAIN for "not now".  Never raises SIGPIPE.
 *
 * A server that refuses what it has read so far says so, closes, and the rest of what the client
 * has to say is met by a reset.  Why it refused is then still to be read: so what is sent to a peer
 * that is gone counts as sent, and the reset is what receiving ends with, after its last words. */
ssize_t stream_receive(struct stream *stream, void *bytes, size_t room);
ssize_t stream_send(struct stream *stream, const void *bytes, size_t length);

bool stream_was_reset(const struct stream *stream);

/* False once the peer's first bytes cannot be a TLS record (RFC 8446 section 5.1). */
bool stream_may_be_tls(const struct stream *stream);

#endif
