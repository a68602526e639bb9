/* http_server.h -- HTTP and HTTPS on libev: listeners, connections, time limits.
 *
 * Every request is answered by one call of `answer`, which never waits.  What waits is the
 * delivery (http_answer.h).  A connection has HTTP_REQUEST_SECONDS for its handshake and for
 * each request, however slowly it drips, and HTTP_IDLE_SECONDS between two; no more than
 * HTTP_CONNECTIONS_MOST are held at once, and of those beyond, the one that has been idle longest
 * goes.  Where that is more than a quarter of the descriptors that this process may have, which are
 * raised to what the system allows, it is that quarter: so that others find some, too.
 *
 * An answer that `holds` is said to hold waits for http_server_release, which is to come before the loop waits again:
 * so those of one turn of the loop wait together for one commit.
 *
 * `greet`, where there is one, is asked about every connection before a byte of it is read.  `now` has the Unix seconds
 * that every answer is dated with, as RFC 9110 section 6.6.1 wants it of a server that has a clock.
 * A closed door refuses connections as a port does on which nobody listens; nobody else gets the port
 * meanwhile.
 *
 * Order of calls: http_server_open for each listener, the loop and http_server_door, http_server_close.
 */
#ifndef FAKECA_HTTP_SERVER_H
#define FAKECA_HTTP_SERVER_H

#include "fakeca/http_parts.h"
#include "testbed/wire/error.h"

/* *server is all zero but for the borrowed fields. */
int http_server_open(struct http_server *server, const struct address *address, struct error *e);
void http_server_close(struct http_server *server);
/* Delivers what was held; with `good` false, those who wait for it are hung up on instead. */
void http_server_release(struct http_server *server, bool good);
/* Opens or closes the door; nothing happens where it is so already.  -1 with *e: all is as before. */
int http_server_door(struct http_server *server, bool open, struct error *e);

#endif
