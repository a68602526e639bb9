/* served.h -- one reading of the settings, opened, checked and ready to serve.
 *
 * served_load either makes everything (certificates, keys, staples, client CAs, the log) or
 * nothing, so that a reload can swap the old for the new as one thing, or keep the old.
 * Connections hold the one they began with, until they end.
 *
 * Unless the settings say `exact`, what a careful server refuses is refused: no certificate, a PEM
 * block that is cut or does not parse, a key that is not the leaf's, a staple that is no OCSP
 * response.  Dates are not looked at: an expired certificate is served, as every server does.
 * With `exact`, chain.pem's blocks go out as they stand, with any key (exact.h).
 *
 * Each load has its own session ticket keys.  Sessions are thus resumed between loads and
 * never across one: after a reload no client comes back to the identity it replaced.
 */
#ifndef TARGETS_SERVED_H
#define TARGETS_SERVED_H

#include <openssl/ssl.h>

#include "testbed/targets/settings.h"

struct served;

/* Takes the settings over in any case.  NULL with one line in *e. */
struct served *served_load(struct settings *settings, struct error *e);
struct served *served_hold(struct served *served);
void served_release(struct served *served);

const struct settings *served_settings(const struct served *served);
/* The serial of the first host's leaf, lower-case hex; NULL where its bytes are no certificate. */
const char *served_serial(const struct served *served);
/* Where handshakes are logged: a descriptor to append to, or -1. */
int served_log(const struct served *served);

/* A server's side of a connection on `fd`; NULL where memory ran out. */
SSL *served_connection(struct served *served, int fd);
/* The host that answers this connection: the one its client named, or the first. */
const struct host *served_host(const struct served *served, const SSL *ssl);

#endif
