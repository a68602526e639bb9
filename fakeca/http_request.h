/* http_request.h -- one HTTP/1.1 request out of untrusted bytes (RFC 9112).
 *
 * A responder of our own, and not libmicrohttpd: a rehearsal needs the bytes of an answer in its
 * hands, to cut it, to drip it, to reset it and to break its headers.  It knows what ACME, OCSP
 * and CRL clients say, and no more: bodies with a length or in chunks, whose trailers are passed over, keep-alive,
 * 100-continue.  In HTTP/1.1 exactly one Host is to be there.
 *
 * The bytes from the connection gather in one buffer.  http_request_read looks at what is there
 * and says whether that is a whole request; it keeps nothing between calls.
 */
#ifndef FAKECA_HTTP_REQUEST_H
#define FAKECA_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEAD_MOST 16384
#define HTTP_BODY_MOST 131072
/* What a buffer must hold: a head, a body, and the framing of its chunks. */
#define HTTP_REQUEST_MOST (HTTP_HEAD_MOST + 2 * HTTP_BODY_MOST)

enum http_progress {
    HTTP_MORE,  /* not yet whole */
    HTTP_READY, /* *request is filled */
    HTTP_BAD,   /* answer with request->status, and close */
};

struct http_request {
    char method[16];
    char target[2048]; /* path and query, as sent */
    char host[256]; /* the target's where that is absolute, else Host's; "": HTTP/1.0 without one */
    char content_type[128]; /* without parameters, in lower case */
    char peer[46];          /* who asks, without a port; filled by http_server.h */
    bool keep_alive;
    bool expects_continue; /* told with HTTP_MORE too, once the head is whole */
    const char *body;      /* in the buffer; not terminated */
    size_t body_length;
    size_t consumed; /* bytes of the buffer that this request took */
    int status;      /* of HTTP_BAD: 400, 413, 414, 431, 501 or 505 */
};

/* `bytes` may be rewritten where a body came in chunks, once the request is ready. */
enum http_progress http_request_read(char *bytes, size_t length, struct http_request *request);

#endif
