/* poke.h -- waking those who wait for time to pass.
 *
 * Who waits for a while, in poll(2) or epoll_wait(2), has told the kernel for how long, by the real
 * clock; that his own clock has moved on he sees when he looks next.  A poke makes him look: each thread is
 * stopped for an instant, and a wait with a timeout ends as if by a signal, with EINTR.  So Go's timers fire, and
 * all that keep their timers by the monotonic clock.  A wait without a timeout goes on.
 *
 * A sleep (nanosleep(2)) is no timer: its end says that the time has passed.  Where as much has
 * passed as it was to last, it ends; otherwise it begins anew.
 */
#ifndef FAKETIME_POKE_H
#define FAKETIME_POKE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "testbed/wire/error.h"

/* All threads of a process; `passed` is for how many nanoseconds its clock was moved on.  The number
 * of waits that it ended, or -1 with one line (tracee.h): nobody stays stopped or traced by us then. */
int poke(pid_t pid, int64_t passed, struct error *e);

#endif
