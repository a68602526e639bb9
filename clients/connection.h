/* connection.h -- one client on the event loop, from the first packet to the last.
 *
 *     connect -> handshake -> await | say, hear -> finish -> listen -> done
 *
 * In TLS 1.3 the client has the last word of a handshake.  The server's first one after it is awaited
 * for CONNECTION_LINGER: a ticket, an alert.  A hang-up in its place is `closed`, for the handshake was
 * not accepted by both.  Of a server that sends no tickets nothing comes, and its silence is no fault.
 * Then the connection ends its own half (close_notify and FIN) and still reads until the peer ends too.
 * After a handshake that was refused it drains the rest of the peer's flight:
 * closing with bytes unread turns into a reset, and a reset loses our alert on its way.
 * Both wait at most CONNECTION_LINGER, but as long as for a handshake for the first word, or the end, of
 * a server that left the last word to the client; where neither comes, that is `timeout`.  None of it
 * counts as time the handshake took.
 *
 * `done` is called exactly once, from the loop and never from connection_begin; after it
 * the connection is gone.  connection_abandon ends one early, and then `done` is not
 * called.  The loop must keep real time: only the library sees the virtual calendar.
 */
#ifndef CLIENTS_CONNECTION_H
#define CLIENTS_CONNECTION_H

#include <ev.h>
#include <stdint.h>

#include "clients/plan.h"
#include "clients/verdict.h"

#define CONNECTION_LINGER 0.3 /* seconds */
#define HEARD_MAX         4096

struct result {
    struct verdict verdict;
    int64_t now;            /* the virtual Unix second it judged by */
    double began, ended;    /* CLOCK_MONOTONIC seconds; ended: when the outcome was known */
    double connect_seconds; /* of TCP; negative where it did not get so far */
    double handshake_seconds;
    bool by_tcp; /* the code and words are the system's, for the library had no say */
    char *heard; /* the peer's first bytes in reply to `say`, or NULL */
    size_t heard_length;
};

struct connection;
typedef void connection_done(struct connection *connection, const struct result *result,
                             void *owner);

/* NULL with *e where memory, descriptors or local ports ran out.  Keeps the plan. */
struct connection *connection_begin(struct ev_loop *loop, struct plan *plan, connection_done *done,
                                    void *owner, struct error *e);
void connection_abandon(struct connection *connection);

#endif
