#include "clients/tally.h"

#include <stdlib.h>
#include <string.h>

/* Eight buckets an octave: below 16 us each has its own; above, the three bits after the leading
 * one choose. */
#define STEPS     8
#define STEP_BITS 3

size_t tally_bucket(unsigned long us)
{
    unsigned octave;
    size_t bucket;

    if (us < 2 * STEPS)
        return us;
    octave = 63 - (unsigned)__builtin_clzl(us);
    bucket = (octave - STEP_BITS) * STEPS + (us >> (octave - STEP_BITS));
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

unsigned long tally_bucket_upper(size_t bucket)
{
    size_t octaves;

    if (bucket < 2 * STEPS)
        return bucket;
    octaves = bucket / STEPS - 1;
    return ((STEPS + bucket % STEPS + 1) << octaves) - 1;
}

static void add_serial(struct tally *tally, const char *serial, double ended)
{
    struct serial_tally *at = tally->serials;
    struct serial_tally *end = at + tally->serial_count;

    if (tally->serial_count > SERIALS_MAX)
        end--; /* the last one is "more" */
    while (at < end && strcmp(at->serial, serial) != 0)
        at++;
    if (at == tally->serials + tally->serial_count) {
        at->serial = strdup(tally->serial_count == SERIALS_MAX ? "more" : serial);
        if (at->serial == NULL)
            return;
        at->first = ended;
        tally->serial_count++;
    }
    at->count++;
}

static void add_latency(struct tally *tally, double seconds)
{
    unsigned long us = seconds > 0 ? (unsigned long)(seconds * 1e6) : 0;

    if (tally->count == 1 || us < tally->latency_min)
        tally->latency_min = us;
    if (us > tally->latency_max)
        tally->latency_max = us;
    tally->latency[tally_bucket(us)]++;
}

void tally_add(struct tally *tally, const struct result *result)
{
    const struct verdict *verdict = &result->verdict;
    double *first = &tally->outcomes[verdict->outcome].first;
    double *last = &tally->outcomes[verdict->outcome].last;

    tally->count++;
    if (tally->outcomes[verdict->outcome].count++ == 0 || result->ended < *first)
        *first = result->ended;
    if (result->ended > *last)
        *last = result->ended;
    if (verdict->chain_count > 0)
        add_serial(tally, verdict->chain[0], result->ended);
    add_latency(tally, result->ended - result->began);
}

void tally_sample(struct tally *tally, const struct result *result)
{
    if (tally->samples == NULL)
        tally->samples = json_array();
    json_array_append_new(tally->samples, answer_json(result));
}

static json_t *outcomes_json(const struct tally *tally)
{
    json_t *outcomes = json_object();

    for (enum outcome i = 0; i < OUTCOME_COUNT; i++)
        if (tally->outcomes[i].count > 0)
            json_object_set_new(
                outcomes, outcome_word(i),
                json_pack("{s:I, s:f, s:f}", "count", (json_int_t)tally->outcomes[i].count, "first",
                          tally->outcomes[i].first, "last", tally->outcomes[i].last));
    return outcomes;
}

static json_t *serials_json(const struct tally *tally)
{
    json_t *serials = json_object();

    for (size_t i = 0; i < tally->serial_count; i++)
        json_object_set_new(serials, tally->serials[i].serial,
                            json_pack("{s:I, s:f}", "count", (json_int_t)tally->serials[i].count,
                                      "first", tally->serials[i].first));
    return serials;
}

static json_t *latency_json(const struct tally *tally)
{
    json_t *buckets = json_array();

    for (size_t i = 0; i < LATENCY_BUCKETS; i++)
        if (tally->latency[i] > 0)
            json_array_append_new(buckets, json_pack("[I, I]", (json_int_t)tally_bucket_upper(i),
                                                     (json_int_t)tally->latency[i]));
    return json_pack("{s:I, s:I, s:I, s:o}", "count", (json_int_t)tally->count, "min",
                     (json_int_t)tally->latency_min, "max", (json_int_t)tally->latency_max,
                     "buckets", buckets);
}

json_t *tally_json(const struct tally *tally)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "outcomes", outcomes_json(tally), "serials",
                     serials_json(tally), "latency_us", latency_json(tally), "samples",
                     tally->samples == NULL ? json_array() : json_incref(tally->samples));
}

void tally_clear(struct tally *tally)
{
    for (size_t i = 0; i < tally->serial_count; i++)
        free(tally->serials[i].serial);
    json_decref(tally->samples);
    memset(tally, 0, sizeof *tally);
}
