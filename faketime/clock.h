/* clock.h -- the writing half of a shared calendar (page.h).
 *
 * Order of calls: clock_create or clock_open, any number of changes, clock_close.
 * Writers exclude each other with flock(2) on the file around each change, so that two
 * commands at once do not interleave; two threads want a struct clock each.  Every change is
 * seen by all readers at once, and wakes whoever sleeps until a virtual time.
 * Times are nanoseconds since 1970 on the virtual calendar, from CLOCK_EARLIEST to CLOCK_LATEST.
 *
 * A jump may go backwards; so may, by the microsecond it takes to write it, a slower rate.  The monotonic clocks
 * never do, unless the writer is held up for ten milliseconds between its last look at the time and its last store.
 */
#ifndef FAKETIME_CLOCK_H
#define FAKETIME_CLOCK_H

#include <stdint.h>

#include "faketime/page.h"

#define CLOCK_EARLIEST (INT64_C(-2208988800) * 1000000000) /* 1900-01-01T00:00:00Z */
#define CLOCK_LATEST   (INT64_C(9151488000) * 1000000000)  /* 2260-01-01T00:00:00Z */
#define CLOCK_FASTEST  1e6

struct clock {
    int fd;
    struct clock_page *page; /* mapped writable */
};

/* A new clock that shows real time.  Refuses to overwrite a file. Mode 0644, so that a server
 * which dropped its privileges can still read it.  It appears whole or not at all. */
int clock_create(const char *path, struct clock *clock, struct error *e);
int clock_open(const char *path, struct clock *clock, struct error *e);
void clock_close(struct clock *clock);

int64_t clock_now(const struct clock *clock);
int64_t clock_offset(const struct clock *clock); /* virtual less real, now */
double clock_rate_now(const struct clock *clock);

/* Moving the calendar keeps its rate, or its freeze. */
int clock_set(struct clock *clock, int64_t now, struct error *e);
int clock_set_offset(struct clock *clock, int64_t offset, struct error *e); /* from the real now */
int clock_advance(struct clock *clock, int64_t by, struct error *e);        /* may be negative */
/* Time passes: the monotonic clocks move with the calendar, as they do while nobody tampers with it.  Only
 * forwards, for they never go back; what moves the calendar alone is a clock that was set, or a suspended
 * machine that wakes up. */
int clock_pass(struct clock *clock, int64_t by, struct error *e);
int clock_pass_until(struct clock *clock, int64_t now, struct error *e);
/* Shows what `leader` shows, `skew` later, and runs as fast.  It goes on alone: to be called again whenever the leader
 * was moved.  The monotonic clocks stay where they are. */
int clock_follow(struct clock *clock, const struct clock *leader, int64_t skew, struct error *e);
/* Changing the rate keeps the calendar where it is: 0 freezes, 1 is real speed.  The monotonic clocks run at real
 * speed from where they are; with clock_pace they run as fast as the calendar, until the next change of
 * rate.  Slowed down, they are first put ahead by what they run in ten milliseconds. */
int clock_rate(struct clock *clock, double rate, struct error *e);
int clock_pace(struct clock *clock, double rate, struct error *e);
double clock_pace_now(const struct clock *clock); /* how fast the monotonic clocks run */

#endif
