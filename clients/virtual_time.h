/* virtual_time.h -- every connection has its own now.
 *
 * This executable defines time(), gettimeofday(), clock_gettime() and timespec_get() itself.
 * The dynamic linker finds those first, so every library in the process reads the calendar
 * we choose, in any release and without LD_PRELOAD.  The choice is made around one call
 * into a TLS library and undone after it; outside, the event loop and everybody else see
 * real time.  The monotonic clocks are always the real ones.
 */
#ifndef CLIENTS_VIRTUAL_TIME_H
#define CLIENTS_VIRTUAL_TIME_H

#include <stdint.h>
#include <time.h>

/* From here to virtual_time_end, the calendar shows `nanoseconds` since 1970 and stands
 * still: one library call judges by one moment.  Not nested. */
void virtual_time_begin(int64_t nanoseconds);
void virtual_time_end(void);

/* The real clocks, whatever is shown to others (the shape of page.h's real_clock_fn). */
int true_clock_gettime(clockid_t id, struct timespec *now);
/* Real CLOCK_MONOTONIC in seconds: comparable between the processes of one machine. */
double true_monotonic(void);

#endif
