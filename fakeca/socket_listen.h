/* socket_listen.h -- sockets that strangers may talk to. */
#ifndef FAKECA_SOCKET_LISTEN_H
#define FAKECA_SOCKET_LISTEN_H

#include "testbed/wire/address.h"
#include "testbed/wire/error.h"

#define SOCKET_ADDRESS_TEXT 300
#define SOCKET_BACKLOG      511

/* A listening (SOCK_STREAM) or bound (SOCK_DGRAM) non-blocking socket, to be closed; "HOST:PORT" of
 * it, with the real port, in `text`; of the loopback where it has all addresses. */
int socket_listen(const struct address *address, int type, char text[SOCKET_ADDRESS_TEXT],
                  struct error *e);

#endif
