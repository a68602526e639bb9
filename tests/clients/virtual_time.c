/* Whoever asks libc for the time gets the calendar that is shown, and the real one otherwise. */
#include "clients/virtual_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include <cmocka.h>

#include "testbed/wire/moment.h"

#define THEN INT64_C(1900000000)

static void every_way_to_ask_is_answered(void **state)
{
    struct timespec spec;
    struct timeval val;
    time_t seconds;

    (void)state;
    virtual_time_begin(THEN * NANOSECONDS + 250000000);
    assert_int_equal(time(NULL), THEN);
    time(&seconds);
    assert_int_equal(seconds, THEN);
    assert_int_equal(gettimeofday(&val, NULL), 0);
    assert_int_equal(val.tv_sec, THEN);
    assert_int_equal(val.tv_usec, 250000);
    assert_int_equal(timespec_get(&spec, TIME_UTC), TIME_UTC);
    assert_int_equal(spec.tv_sec, THEN);
    assert_int_equal(spec.tv_nsec, 250000000);
    for (clockid_t id = 0; id < 12; id++) {
        if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE && id != CLOCK_TAI)
            continue;
        assert_int_equal(clock_gettime(id, &spec), 0);
        assert_int_equal(spec.tv_sec, THEN);
    }
    virtual_time_end();
}

static void it_stands_still(void **state)
{
    struct timespec one, other = {0};

    (void)state;
    virtual_time_begin(THEN * NANOSECONDS);
    clock_gettime(CLOCK_REALTIME, &one);
    for (double until = true_monotonic() + 0.002; true_monotonic() < until;)
        clock_gettime(CLOCK_REALTIME, &other);
    virtual_time_end();
    assert_int_equal(one.tv_nsec, other.tv_nsec);
}

static void before_1970_nanoseconds_still_count_up(void **state)
{
    struct timespec now;

    (void)state;
    virtual_time_begin(-1);
    clock_gettime(CLOCK_REALTIME, &now);
    virtual_time_end();
    assert_int_equal(now.tv_sec, -1);
    assert_int_equal(now.tv_nsec, NANOSECONDS - 1);
}

static void monotonic_clocks_are_real(void **state)
{
    struct timespec shown, real;

    (void)state;
    virtual_time_begin(THEN * NANOSECONDS);
    clock_gettime(CLOCK_MONOTONIC, &shown);
    true_clock_gettime(CLOCK_MONOTONIC, &real);
    virtual_time_end();
    assert_in_range(real.tv_sec - shown.tv_sec, 0, 5);
}

static void afterwards_the_time_is_real(void **state)
{
    struct timespec real;

    (void)state;
    virtual_time_begin(THEN * NANOSECONDS);
    virtual_time_end();
    true_clock_gettime(CLOCK_REALTIME, &real);
    assert_in_range(time(NULL), (uint64_t)real.tv_sec - 5, (uint64_t)real.tv_sec + 5);
}

static void unknown_clocks_are_refused(void **state)
{
    struct timespec now;

    (void)state;
    assert_int_equal(clock_gettime(9999, &now), -1);
    assert_int_equal(timespec_get(&now, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_ask_is_answered),
        cmocka_unit_test(it_stands_still),
        cmocka_unit_test(before_1970_nanoseconds_still_count_up),
        cmocka_unit_test(monotonic_clocks_are_real),
        cmocka_unit_test(afterwards_the_time_is_real),
        cmocka_unit_test(unknown_clocks_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
