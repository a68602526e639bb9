/* http_reply.h -- what a web server answered (RFC 9112), and where it sends one who asked, as pure functions of
 * untrusted bytes: the client's side of http-01.
 */
#ifndef FAKECA_HTTP_REPLY_H
#define FAKECA_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "testbed/wire/error.h"

struct http_reply {
    int status;           /* 100 to 999 */
    const char *location; /* in the buffer, as is the next, and terminated; NULL: there is none */
    const char *body;
};

/* Whether it is whole without waiting for its end.  `bytes` is terminated at `length`. */
bool http_reply_whole(const char *bytes, size_t length);
/* Takes it apart in place, which rewrites it.  -1 with *e: it is not HTTP, or its chunks do not fit together. */
int http_reply_read(char *bytes, size_t length, struct http_reply *reply, struct error *e);

#define HTTP_PORT  80
#define HTTPS_PORT 443

struct http_place {
    bool secure;
    unsigned port;   /* after a URL without one: HTTP_PORT or HTTPS_PORT */
    char host[256];  /* without brackets */
    char path[2048]; /* with its query, and without a fragment */
};

/* Goes where a redirect says: http://, https:// or a path from the top.  -1: it says anything else, and *place
 * is as before. */
int http_place_follow(struct http_place *place, const char *url);

#endif
