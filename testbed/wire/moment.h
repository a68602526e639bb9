/* moment.h -- durations and points in time, as people write them.
 *
 * A duration is a signed count of nanoseconds (+-292 years): "90d", "1h30m",
 * "200ms", "-10d", "1.5s".  Units: ns us ms s m h d w y, where a day is 86,400 s and a
 * year is 365 days; a bare number has no unit and is refused.
 *
 * A moment is a signed count of seconds since 1970-01-01T00:00:00Z:
 *     2027-03-01T00:00:00Z   2027-03-01T00:00:00   2027-03-01   (always UTC)
 *     @1793836800            Unix seconds
 *     +90d  -10d             an offset from `now`
 */
#ifndef WIRE_MOMENT_H
#define WIRE_MOMENT_H

#include <stdint.h>

#include "testbed/wire/error.h"

#define NANOSECONDS   INT64_C(1000000000) /* in a second */
#define MOMENT_TEXT   40                  /* room for moment_format */
#define DURATION_TEXT 48                  /* room for duration_format */

int duration_parse(const char *text, int64_t *nanoseconds, struct error *e);
int moment_parse(const char *text, int64_t now, int64_t *seconds, struct error *e);

/* "2027-03-01T00:00:00Z" */
void moment_format(int64_t seconds, char out[MOMENT_TEXT]);
/* The two largest units that say something: "90d", "1h30m", "2.05s", "17ms". */
void duration_format(int64_t nanoseconds, char out[DURATION_TEXT]);

#endif
