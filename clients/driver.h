/* driver.h -- the one door through which a TLS library enters.
 *
 * A client program is everything in this folder plus one driver: openssl.c, gnutls.c or
 * wolfssl.c, each of which defines `const struct driver driver`.  Nothing outside a
 * driver knows which library it has, and no driver knows of events, sockets or clocks.
 *
 * The promised order of calls:
 *
 *     prepare                 once for what is asked; the profile may serve many sessions
 *       open                  one session on a connected stream
 *         handshake           until it is neither WANT_READ nor WANT_WRITE
 *         send, receive       only after handshake said DONE; any number, any order
 *         finish              at most once; after it receive is still allowed
 *       close                 once for every open
 *     forget                  once, after every session of the profile is closed
 *
 * Every call is made with the connection's own calendar shown by virtual_time.h (prepare
 * and forget: the real one), and must not keep a time from one call to the next.
 *
 * Nobody blocks: a call that cannot go on says what it wants and is called again, with the
 * same arguments, when the stream has it.  A driver sends the alerts its library would
 * have its application send.  What it learns it writes into the session's verdict *when*
 * it learns it: alerts as they pass, the chain as it is received (also, and above all,
 * when it is then refused), the agreed parameters and the outcome when the handshake ends.
 * A driver that is at a loss leaves OUTCOME_OTHER with the library's code and words; the
 * connection then looks at the stream for what TCP has to say.
 */
#ifndef CLIENTS_DRIVER_H
#define CLIENTS_DRIVER_H

#include <stddef.h>

#include "clients/settings.h"
#include "clients/stream.h"
#include "clients/verdict.h"
#include "testbed/wire/error.h"

enum step {
    STEP_DONE,       /* handshake: accepted; receive: zero bytes is the peer's end */
    STEP_WANT_READ,  /* call again when the stream is readable */
    STEP_WANT_WRITE, /* call again when it is writable */
    STEP_FAILED,     /* the verdict knows why; only close may follow */
};

struct profile; /* the driver's own: what sessions of one asking share */
struct session; /* the driver's own: one connection */

struct driver {
    const char *library;          /* "openssl" */
    const char *const *features;  /* what the hello promises; ends with NULL */
    const char *(*version)(void); /* of the library that is loaded: "3.0.22" */

    /* Reads every file and checks every word that `settings` name.  The settings, and what
     * they borrow, outlive the profile. */
    struct profile *(*prepare)(const struct settings *settings, struct error *e);
    void (*forget)(struct profile *profile);

    /* `name` is what to ask for and to verify.  NULL with *e only where memory ran out. */
    struct session *(*open)(struct profile *profile, const char *name, struct stream *stream,
                            struct verdict *verdict, struct error *e);
    enum step (*handshake)(struct session *session);
    enum step (*send)(struct session *session, const char *bytes, size_t length, size_t *sent);
    enum step (*receive)(struct session *session, char *bytes, size_t room, size_t *received);
    void (*finish)(struct session *session); /* says close_notify, if it can be said at once */
    void (*close)(struct session *session);
};

extern const struct driver driver;

#endif
