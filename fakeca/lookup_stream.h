/* lookup_stream.h -- one question to a resolver over TCP: what lookup.c does when a datagram was too small.
 *
 * `done` is called once, never from within lookup_stream_ask: with the reply, or with a length of 0 where there
 * was none; after that the stream is gone.  lookup_stream_cancel ends it without a word.
 */
#ifndef FAKECA_LOOKUP_STREAM_H
#define FAKECA_LOOKUP_STREAM_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "testbed/wire/address.h"
#include "testbed/wire/error.h"

struct lookup_stream;

struct lookup_stream *lookup_stream_ask(struct ev_loop *loop, const struct address *resolver,
                                        const unsigned char *question, size_t length,
                                        void (*done)(void *context, const unsigned char *reply,
                                                     size_t length),
                                        void *context, struct error *e);
/* `stream` may be NULL. */
void lookup_stream_cancel(struct lookup_stream *stream);

/* A non-blocking socket on its way to the resolver, to be closed; -1 with *e. */
int resolver_connect(const struct address *resolver, int type, struct error *e);

#endif
