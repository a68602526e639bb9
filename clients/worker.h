/* worker.h -- a client that is spoken to: JSON lines in, JSON lines out.
 *
 * docs/worker-protocol.md is the contract.  The lines are not trusted: whatever comes, the
 * worker answers or says in one line what is wrong with it.
 */
#ifndef CLIENTS_WORKER_H
#define CLIENTS_WORKER_H

#include "clients/driver.h"

#define WORKER_PROTOCOL 1

/* Serves `in` until it ends, then closes every connection: 0.  -1 with *e where nobody takes the
 * answers any more, or memory ran out. */
int worker_run(const struct driver *driver, int in, int out, struct error *e);

#endif
