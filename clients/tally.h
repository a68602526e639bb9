/* tally.h -- results counted up: what one generation of a fleet saw since the last tick.
 *
 * All zero is an empty tally.  tally_json tells it and tally_clear empties it.  Its size
 * does not grow with the number of handshakes, only with the number of different things
 * that were seen, and that is bounded too.
 */
#ifndef CLIENTS_TALLY_H
#define CLIENTS_TALLY_H

#include <jansson.h>

#include "clients/answer.h"
#include "clients/connection.h"

#define SERIALS_MAX     64  /* more different certificates in one tick are counted as "more" */
#define LATENCY_BUCKETS 256 /* each at most 1/8 wider than it is high: tally_bucket */

struct tally {
    unsigned long count; /* of all results */
    struct {
        unsigned long count;
        double first, last; /* when such handshakes ended, CLOCK_MONOTONIC seconds */
    } outcomes[OUTCOME_COUNT];
    struct serial_tally {
        char *serial; /* of the server's own certificate */
        unsigned long count;
        double first;
    } serials[SERIALS_MAX + 1];
    size_t serial_count;
    unsigned long latency[LATENCY_BUCKETS];
    unsigned long latency_min, latency_max; /* microseconds */
    json_t *samples;                        /* full answers, or NULL */
};

void tally_add(struct tally *tally, const struct result *result);
void tally_sample(struct tally *tally, const struct result *result);
/* {"outcomes":…, "serials":…, "latency_us":…, "samples":…}; a new reference. */
json_t *tally_json(const struct tally *tally);
void tally_clear(struct tally *tally);

/* The bucket of a latency, and the largest latency that falls into it: microseconds. */
size_t tally_bucket(unsigned long microseconds);
unsigned long tally_bucket_upper(size_t bucket);

#endif
