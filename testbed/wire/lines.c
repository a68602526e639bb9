#include "testbed/wire/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 16384

/* Room for `more` bytes after `used`, the consumed front given back first. */
static int make_room(char **bytes, size_t *start, size_t *used, size_t *room, size_t more)
{
    size_t wanted;
    char *grown;

    memmove(*bytes, *bytes + *start, *used - *start);
    *used -= *start;
    *start = 0;
    if (*room - *used >= more)
        return 0;
    wanted = (*used + more) * 2;
    grown = realloc(*bytes, wanted);
    if (grown == NULL)
        return -1;
    *bytes = grown;
    *room = wanted;
    return 0;
}

ssize_t lines_read(struct lines *lines, int fd)
{
    ssize_t got;

    if (lines->bytes == NULL) {
        lines->bytes = malloc(CHUNK);
        if (lines->bytes == NULL)
            return -1;
        lines->room = CHUNK;
    }
    if (make_room(&lines->bytes, &lines->start, &lines->used, &lines->room, CHUNK / 2) < 0)
        return -1;
    do
        got = read(fd, lines->bytes + lines->used, lines->room - lines->used - 1);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        lines->used += (size_t)got;
    else if (got == 0)
        lines->ended = true;
    return got;
}

/* A line that grew past the limit: forget what came of it so far. */
static void skip_overlong(struct lines *lines)
{
    if (lines->used - lines->start <= LINE_MAX_BYTES)
        return;
    lines->skipping = true;
    lines->start = lines->used;
}

/* A line longer than the limit has ended: it comes out once, and empty. */
static char *hand_out_overlong(struct lines *lines)
{
    static char nothing[1];

    lines->skipping = false;
    lines->too_long = true;
    nothing[0] = '\0'; /* the reader may have written there */
    return nothing;
}

/* A NUL would hide the rest of its line from the reader; \x01 is as wrong in any text, and does not. */
static void unhide(char *from, const char *end)
{
    while ((from = memchr(from, '\0', (size_t)(end - from))) != NULL)
        *from = '\x01';
}

char *lines_next(struct lines *lines)
{
    char *from, *newline;

    lines->too_long = false;
    if (lines->start == lines->used)
        return lines->ended && lines->skipping ? hand_out_overlong(lines) : NULL;
    from = lines->bytes + lines->start;
    newline = memchr(from, '\n', lines->used - lines->start);
    if (newline == NULL && !lines->ended) {
        skip_overlong(lines);
        return NULL;
    }
    if (newline == NULL)
        newline = lines->bytes + lines->used++;
    lines->start = (size_t)(newline - lines->bytes) + 1;
    if (lines->skipping || newline - from > LINE_MAX_BYTES)
        return hand_out_overlong(lines);
    unhide(from, newline);
    *newline = '\0';
    return from;
}

void lines_free(struct lines *lines)
{
    free(lines->bytes);
    *lines = (struct lines){0};
}

int outbox_put(struct outbox *outbox, const char *bytes, size_t length)
{
    if (outbox->bytes == NULL) {
        outbox->bytes = malloc(CHUNK);
        if (outbox->bytes == NULL)
            return -1;
        outbox->room = CHUNK;
    }
    if (make_room(&outbox->bytes, &outbox->start, &outbox->used, &outbox->room, length) < 0)
        return -1;
    memcpy(outbox->bytes + outbox->used, bytes, length);
    outbox->used += length;
    return 0;
}

int outbox_flush(struct outbox *outbox, int fd)
{
    while (outbox->start < outbox->used) {
        ssize_t put = write(fd, outbox->bytes + outbox->start, outbox->used - outbox->start);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        outbox->start += (size_t)put;
    }
    return 1;
}

void outbox_free(struct outbox *outbox)
{
    free(outbox->bytes);
    *outbox = (struct outbox){0};
}
