/* Counting: nothing is lost, and nothing grows without an end. */
#include "clients/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct result result_of(enum outcome outcome, double began, double ended)
{
    struct result result = {.began = began, .ended = ended};

    verdict_begin(&result.verdict);
    result.verdict.outcome = outcome;
    return result;
}

static json_int_t number(json_t *object, const char *one, const char *two)
{
    return json_integer_value(json_object_get(json_object_get(object, one), two));
}

static void buckets_hold_what_falls_into_them(void **state)
{
    (void)state;
    for (unsigned long us = 0; us < 50000000; us += 1 + us / 50) {
        size_t bucket = tally_bucket(us);

        assert_true(bucket < LATENCY_BUCKETS);
        assert_true(us <= tally_bucket_upper(bucket));
        assert_true(bucket == 0 || us > tally_bucket_upper(bucket - 1));
        assert_true(tally_bucket_upper(bucket) - us <= us / 8);
    }
    assert_int_equal(tally_bucket(UINT64_MAX), LATENCY_BUCKETS - 1);
}

static void outcomes_are_counted_with_their_first_and_last(void **state)
{
    struct tally tally = {0};
    struct result results[] = {result_of(OUTCOME_OK, 1, 3), result_of(OUTCOME_OK, 1, 2),
                               result_of(OUTCOME_EXPIRED, 1, 4)};
    json_t *json, *ok;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        tally_add(&tally, &results[i]);
    json = tally_json(&tally);
    ok = json_object_get(json_object_get(json, "outcomes"), "ok");
    assert_int_equal(json_integer_value(json_object_get(ok, "count")), 2);
    assert_true(json_real_value(json_object_get(ok, "first")) == 2.0);
    assert_true(json_real_value(json_object_get(ok, "last")) == 3.0);
    assert_int_equal(json_object_size(json_object_get(json, "outcomes")), 2);
    assert_int_equal(number(json, "latency_us", "count"), 3);
    assert_int_equal(number(json, "latency_us", "min"), 1000000);
    assert_int_equal(number(json, "latency_us", "max"), 3000000);
    json_decref(json);
    tally_clear(&tally);
}

static void serials_beyond_the_limit_are_more(void **state)
{
    static char name[32];
    struct tally tally = {0};
    struct result result = result_of(OUTCOME_OK, 1, 2);
    char *chain[] = {name};
    json_t *json;

    (void)state;
    result.verdict.chain = chain;
    result.verdict.chain_count = 1;
    for (int i = 0; i < SERIALS_MAX * 3; i++) {
        snprintf(name, sizeof name, "%04x", i);
        tally_add(&tally, &result);
        tally_add(&tally, &result);
    }
    json = tally_json(&tally);
    assert_int_equal(json_object_size(json_object_get(json, "serials")), SERIALS_MAX + 1);
    assert_int_equal(number(json_object_get(json, "serials"), "0000", "count"), 2);
    assert_int_equal(number(json_object_get(json, "serials"), "more", "count"),
                     SERIALS_MAX * 2 * 2);
    json_decref(json);
    tally_clear(&tally);
}

static void a_cleared_tally_is_empty(void **state)
{
    struct tally tally = {0}, empty = {0};
    struct result result = result_of(OUTCOME_RESET, 1, 2);

    (void)state;
    tally_add(&tally, &result);
    tally_sample(&tally, &result);
    tally_clear(&tally);
    assert_memory_equal(&tally, &empty, sizeof tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_hold_what_falls_into_them),
        cmocka_unit_test(outcomes_are_counted_with_their_first_and_last),
        cmocka_unit_test(serials_beyond_the_limit_are_more),
        cmocka_unit_test(a_cleared_tally_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
