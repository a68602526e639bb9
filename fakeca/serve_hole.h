/* serve_hole.h -- an address of this machine where packets vanish: nobody answers there, and nobody refuses.  It is
 * what faults of DNS tell of (dns_answer.h), so that whoever believes them goes nowhere beyond loopback.
 *
 * It is one on the two ports that validations connect to, and only while it is open: as it takes these ports at its
 * address, nobody may listen on them on all addresses.
 *
 * Order of calls: *hole all zero; hole_open and hole_close in any order, as often as need be; hole_close.
 */
#ifndef FAKECA_SERVE_HOLE_H
#define FAKECA_SERVE_HOLE_H

#include <stdbool.h>

#include "testbed/wire/error.h"

#define HOLE_PORTS 2

struct hole {
    bool open;
    int listeners[HOLE_PORTS]; /* -1: there is no second port */
    int guests[HOLE_PORTS];    /* who is in the queue of each */
};

/* One that is open stays as it is. */
int hole_open(struct hole *hole, const unsigned ports[HOLE_PORTS], struct error *e);
void hole_close(struct hole *hole);

#endif
