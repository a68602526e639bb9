/* http_answer.h -- what is answered to a request, and how it is delivered.
 *
 * An answer is built in memory as a whole and is then put on the connection in the way `delivery` says:
 * misbehaviour of the transport is a property of the answer.
 */
#ifndef FAKECA_HTTP_ANSWER_H
#define FAKECA_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_FIELDS_MOST 4096

enum delivery {
    DELIVER_WHOLE,
    DELIVER_SLOWLY, /* a byte a second */
    DELIVER_HALF,   /* half of it, then the connection is closed */
    DELIVER_RESET,  /* nothing but a TCP reset */
    DELIVER_SILENCE /* nothing, until the client gives up */
};

/* How an answer's bytes are put together; all zero: as they should be. */
struct framing {
    bool chunked;   /* the body comes in chunks of seven octets, and its length is not told */
    bool old;       /* HTTP/1.0, and the connection ends with the body */
    bool interim;   /* "100 Continue", which nobody waits for, comes first */
    size_t padding; /* octets of a header field that means nothing */
};

struct http_answer {
    int status;
    char fields[HTTP_FIELDS_MOST]; /* "Name: value\r\n" each */
    size_t fields_length;
    char *body; /* ours; freed by http_answer_free */
    size_t length;
    bool without_body; /* to HEAD: the length is told, the body is not */
    bool close;
    enum delivery delivery;
    struct framing framing;
};

/* Adds a header field; what does not fit is left out. */
void http_answer_field(struct http_answer *answer, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with a date for its value (RFC 9110 section 5.6.7), of Unix seconds. */
void http_answer_date(struct http_answer *answer, const char *name, int64_t seconds);
/* Takes such a field away again. */
void http_answer_drop(struct http_answer *answer, const char *name);
/* Takes `body` over, and says what it is.  NULL: 500, memory ran out. */
void http_answer_body(struct http_answer *answer, const char *type, char *body, size_t length);
void http_answer_copy(struct http_answer *answer, const char *type, const void *body,
                      size_t length);
void http_answer_free(struct http_answer *answer);

/* What a status is called. */
const char *http_answer_reason(int status);
/* The answer as bytes, to be freed; `*length` of them.  NULL where memory ran out. */
char *http_answer_bytes(const struct http_answer *answer, bool keep_alive, size_t *length);

#endif
