/* server.h -- the listening socket, and what stands behind it now.
 *
 * Order of calls: server_open, any number of server_reload while the loop runs, server_close.
 * A struct server is ready for server_open when `loop` is set and everything else is zero.
 *
 * No more than `limit` clients are served at once; further ones wait in the kernel's queue until one
 * has gone.  The limit follows from RLIMIT_NOFILE, which is raised to what the system allows.
 */
#ifndef TARGETS_SERVER_H
#define TARGETS_SERVER_H

#include <ev.h>

#include "testbed/targets/connection.h"
#include "testbed/targets/served.h"

struct server {
    struct ev_loop *loop;
    struct served *served; /* held */
    struct connections connections;
    size_t limit;
    int fd;
    char address[300]; /* where it listens, with the real port */
    ev_io accept;
    ev_timer retry; /* after the system had no descriptor left */
};

/* Listens where the settings say; takes `served` over in any case.  After a failure there is nothing to close. */
int server_open(struct server *server, struct served *served, struct error *e);
/* Reads the settings file again.  -1: the old one keeps serving, as if nothing had been asked. */
int server_reload(struct server *server, const char *path, struct error *e);
void server_close(struct server *server);

#endif
