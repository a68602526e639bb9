/* clock.h -- the writing half of a shared calendar (page.h).
 *
 * Order of calls: clock_create or clock_open, any number of changes, clock_close.
 * Writers exclude each other with flock(2) on the file around each change, so that two
 * commands at once do not interleave.  Every change is seen by all readers at once.
 * Times are nanoseconds since 1970 on the virtual calendar.
 */
#ifndef FAKETIME_CLOCK_H
#define FAKETIME_CLOCK_H

#include <stdint.h>

#include "faketime/page.h"

struct clock {
    int fd;
    struct clock_page *page; /* mapped writable */
};

/* A new clock that shows real time.  Refuses to overwrite a file. Mode 0644, so that a server
 * which dropped its privileges can still read it. */
int clock_create(const char *path, struct clock *clock, struct error *e);
int clock_open(const char *path, struct clock *clock, struct error *e);
void clock_close(struct clock *clock);

int64_t clock_now(const struct clock *clock);
int clock_set(struct clock *clock, int64_t now, struct error *e);    /* keeps rate or freeze */
int clock_advance(struct clock *clock, int64_t by, struct error *e); /* may be negative */
int clock_rate(struct clock *clock, double rate, struct error *e);   /* 0 freezes, 1 real speed */
double clock_rate_now(const struct clock *clock);

#endif
