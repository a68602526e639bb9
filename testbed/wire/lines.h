/* lines.h -- whole lines out of a byte stream, and back into one.
 *
 * Reading: lines_read() when the descriptor is readable, then lines_next() until
 * it returns NULL.  A line longer than LINE_MAX_BYTES is dropped whole; it comes
 * out once, as an empty string with `too_long` set, so that the reader can say so.
 * A last line without a newline is a line.  A NUL byte comes out as \x01, so that it cannot hide
 * what follows it.  Nothing here trusts the peer.
 *
 * Writing: outbox_put() queues, outbox_flush() writes what the descriptor takes.
 */
#ifndef WIRE_LINES_H
#define WIRE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LINE_MAX_BYTES 65536

struct lines {
    char *bytes; /* ours; all zero is an empty reader */
    size_t start, used, room;
    bool skipping; /* inside a line that is too long */
    bool too_long; /* the line just handed out was */
    bool ended;
};

/* Reads what is there now.  >0 bytes came; 0 end of input; -1 with errno
 * (EAGAIN: nothing now).  Memory exhaustion is ENOMEM. */
ssize_t lines_read(struct lines *lines, int fd);
/* The next whole line, without its newline, valid until the next call here; or NULL. */
char *lines_next(struct lines *lines);
void lines_free(struct lines *lines);

struct outbox {
    char *bytes; /* ours; all zero is an empty outbox */
    size_t start, used, room;
};

/* Queues `length` bytes; 0, or -1 where memory ran out. */
int outbox_put(struct outbox *outbox, const char *bytes, size_t length);
/* 1 all written, 0 some left (wait until writable), -1 with errno. */
int outbox_flush(struct outbox *outbox, int fd);
void outbox_free(struct outbox *outbox);

#endif
