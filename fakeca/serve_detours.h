/* serve_detours.h -- where a validation ends up when a fault leads it astray (validate.h): a name server that
 * knows no name, and a web server that redirects whoever asks to where he is.
 *
 * Both listen on loopback, at ports of their own.
 *
 * Order of calls: *detours all zero; detours_open; detours_close, in any case.
 */
#ifndef FAKECA_SERVE_DETOURS_H
#define FAKECA_SERVE_DETOURS_H

#include "fakeca/http_server.h"
#include "fakeca/serve_dns.h"

struct detours {
    struct dns_zone *nothing;
    struct dns_server stranger;
    struct http_server circle;
    bool strange, circular; /* which of the two is open */
    struct address stranger_address, circle_address;
};

/* `like` has the borrowed fields of a server, but for the zone. */
int detours_open(struct detours *detours, const struct dns_server *like, struct error *e);
void detours_close(struct detours *detours);

#endif
