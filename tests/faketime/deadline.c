/* What the kernel is told of a time on a calendar, against a real clock that stands where we put it. */
#include "faketime/deadline.h"

#include <errno.h>
#include <time.h>

#include "tests/faketime/subject.h"

static int real_clock(clockid_t id, struct timespec *now)
{
    *now = (struct timespec){id == CLOCK_MONOTONIC ? 500 : 1000000, 0};
    return id == CLOCK_REALTIME_ALARM ? -EINVAL : 0; /* as without the hardware */
}

static const struct clock_page ahead = {.real_offset = UINT64_C(100) << PAGE_NS_BITS,
                                        .magic = PAGE_MAGIC};

static void test_only_a_clock_is_followed(void **state)
{
    struct clock_page nothing = {0}, moved = ahead;

    (void)state;
    moved.mono_offset = 1;
    assert_false(deadline_follows(&nothing, CLOCK_REALTIME));
    assert_true(deadline_follows(&ahead, CLOCK_REALTIME));
    assert_true(deadline_follows(&ahead, CLOCK_TAI));
    assert_false(deadline_follows(&ahead, CLOCK_PROCESS_CPUTIME_ID));
    assert_false(deadline_follows(&ahead, CLOCK_MONOTONIC));
    assert_true(deadline_follows(&moved, CLOCK_MONOTONIC));
}

static void test_a_deadline_is_the_real_time_that_it_falls_on(void **state)
{
    struct timespec until = {1000103, 5}, real;
    int64_t left = deadline_left(&ahead, real_clock, CLOCK_REALTIME_ALARM, &until);

    (void)state;
    assert_int_equal(left, INT64_C(3000000005));
    real = deadline_real(real_clock, CLOCK_REALTIME_ALARM, left, DEADLINE_FOREVER);
    assert_int_equal(real.tv_sec, 1000003);
    assert_int_equal(real.tv_nsec, 5);
}

static void test_a_deadline_is_cut_to_a_slice(void **state)
{
    struct timespec real = deadline_real(real_clock, CLOCK_MONOTONIC, PAGE_NEVER, DEADLINE_SLICE);

    (void)state;
    assert_int_equal(real.tv_sec, 500);
    assert_int_equal(real.tv_nsec, DEADLINE_SLICE);
}

static void test_a_deadline_is_never_refused(void **state)
{
    struct timespec real = deadline_real(real_clock, CLOCK_MONOTONIC, INT64_MIN, DEADLINE_SLICE);

    (void)state;
    assert_true(deadline_wellformed(&real));
    assert_true(real.tv_sec > 0 || real.tv_nsec > 0);
    assert_false(deadline_wellformed(&(struct timespec){-1, 0}));
    assert_false(deadline_wellformed(&(struct timespec){0, 1000000000}));
}

static void test_a_change_that_was_missed_is_not_slept_over(void **state)
{
    struct clock_page page = {.generation = 7, .magic = PAGE_MAGIC};
    const struct clock_page nothing = {0};
    struct timespec moment = {.tv_nsec = 1};

    (void)state;
    assert_int_equal(deadline_await_change(&page, 6, NULL), -EAGAIN);
    assert_int_equal(deadline_await_change(&page, deadline_generation(&page), &moment), -ETIMEDOUT);
    assert_int_equal(deadline_await_change(&nothing, 0, &moment), -ETIMEDOUT);
}

static void test_a_period_is_as_long_as_it_takes(void **state)
{
    static const struct {
        struct timespec period;
        uint64_t rate;
        struct timespec real;
    } samples[] = {
        {{5, 7},         PAGE_RATE_1,      {5, 7}         },
        {{0, 0},         PAGE_RATE_1 * 10, {0, 0}         },
        {{10, 0},        PAGE_RATE_1 * 10, {1, 0}         },
        {{1, 0},         PAGE_RATE_1 / 2,  {2, 0}         },
        {{0, 3},         PAGE_RATE_1 * 10, {0, 1}         },
        {{1, 0},         0,                {3153600000, 0}},
        {{INT64_MAX, 0}, PAGE_RATE_1 * 2,  {3153600000, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct timespec real = deadline_period(&samples[i].period, samples[i].rate);

        assert_int_equal(real.tv_sec, samples[i].real.tv_sec);
        assert_int_equal(real.tv_nsec, samples[i].real.tv_nsec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_a_clock_is_followed),
        cmocka_unit_test(test_a_deadline_is_the_real_time_that_it_falls_on),
        cmocka_unit_test(test_a_deadline_is_cut_to_a_slice),
        cmocka_unit_test(test_a_deadline_is_never_refused),
        cmocka_unit_test(test_a_period_is_as_long_as_it_takes),
        cmocka_unit_test(test_a_change_that_was_missed_is_not_slept_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
