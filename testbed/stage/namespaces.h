/* namespaces.h -- blast radius by construction: namespaces(7) for one stage.
 *
 * Called once, by a process with a single thread, before it forks the stage's init.
 */
#ifndef STAGE_NAMESPACES_H
#define STAGE_NAMESPACES_H

#include <stdbool.h>

#include "testbed/wire/error.h"

/* Leaves for new PID, mount and (unless `outward`) network namespaces, and a user
 * namespace when not root, in which every user keeps its own id.  The next fork
 * is PID 1.  -1 where the kernel refuses; nothing has changed then. */
int namespaces_enter(bool outward, struct error *e);

/* Inside, as PID 1: private mounts, own /proc, `hosts` (or NULL) over /etc/hosts, loopback up,
 * every port open to every user.  A part that the kernel refuses is left out. */
void namespaces_furnish(bool outward, const char *hosts);

#endif
