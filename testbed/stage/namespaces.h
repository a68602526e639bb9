/* namespaces.h -- blast radius by construction: namespaces(7) for one stage.
 *
 * Called in this order, once each, by a process with a single thread: namespaces_try,
 * namespaces_enter, and after a fork namespaces_furnish.
 */
#ifndef STAGE_NAMESPACES_H
#define STAGE_NAMESPACES_H

#include <stdbool.h>

#include "testbed/wire/error.h"
#include "testbed/wire/options.h"

/* Whether the kernel will let this process in; 0, or -1 and why not.  Tried by a child, for half
 * an entrance cannot be undone: nothing has changed here afterwards. */
int namespaces_try(bool outward, struct error *e);

/* Leaves for new PID, mount and (unless `outward`) network namespaces, and a user
 * namespace when not root, in which every user keeps its own id.  The next fork
 * is PID 1.  -1 where the kernel refuses after all: the process may be anywhere then, and is good
 * for nothing but to end. */
int namespaces_enter(bool outward, struct error *e);

/* Inside, as PID 1: private mounts, own /proc, a file of ours over each PATH of "PATH=FILE" in
 * `shown`, loopback up, every port open to every user.  A part that the kernel refuses is left
 * out; -1 and *e say which was the first. */
int namespaces_furnish(bool outward, const struct option_list *shown, struct error *e);

#endif
