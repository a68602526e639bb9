/* The arithmetic of a calendar, against a real clock that stands where we put it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/faketime/subject.h"

#define RATE(n) ((uint64_t)((n) * (double)PAGE_RATE_1))

static struct timespec real_now, mono_now, cpu_now;
static int real_result;

static int real_clock(clockid_t id, struct timespec *now)
{
    if (id == CLOCK_PROCESS_CPUTIME_ID)
        *now = cpu_now;
    else if (id == CLOCK_MONOTONIC || id == CLOCK_BOOTTIME)
        *now = mono_now;
    else
        *now = real_now;
    if (id == CLOCK_TAI)
        now->tv_sec += 37;
    if (id == CLOCK_BOOTTIME)
        now->tv_sec += 100; /* the machine was suspended */
    return real_result;
}

static int setup(void **state)
{
    (void)state;
    real_now = (struct timespec){1000000, 999999999};
    mono_now = (struct timespec){500, 0};
    cpu_now = (struct timespec){3, 4};
    real_result = 0;
    return 0;
}

static uint64_t packed(int64_t seconds, uint64_t nanoseconds)
{
    return (uint64_t)seconds << PAGE_NS_BITS | nanoseconds;
}

static void expect_reading(const struct clock_page *page, clockid_t id, int64_t seconds,
                           long nanoseconds)
{
    struct timespec now;

    assert_int_equal(page_clock_gettime(page, real_clock, id, &now), 0);
    assert_int_equal(now.tv_sec, seconds);
    assert_int_equal(now.tv_nsec, nanoseconds);
}

static void test_an_empty_page_is_real_time(void **state)
{
    struct clock_page page = {0};

    (void)state;
    expect_reading(&page, CLOCK_REALTIME, 1000000, 999999999);
    expect_reading(&page, CLOCK_MONOTONIC, 500, 0);
}

static void test_an_offset_carries_its_nanoseconds(void **state)
{
    struct clock_page page = {.real_offset = packed(INT64_C(100) * 86400, 1)};

    (void)state;
    expect_reading(&page, CLOCK_REALTIME, 1000000 + 100 * 86400 + 1, 0);
    expect_reading(&page, CLOCK_REALTIME_COARSE, 1000000 + 100 * 86400 + 1, 0);
    expect_reading(&page, CLOCK_TAI, 1000037 + 100 * 86400 + 1, 0);
}

static void test_an_offset_may_be_negative(void **state)
{
    struct clock_page page = {.real_offset = packed(-1, 500000000)}; /* half a second back */

    (void)state;
    real_now = (struct timespec){0, 250000000};
    expect_reading(&page, CLOCK_REALTIME, -1, 750000000);
    page.real_offset = packed(-INT64_C(8589934592), 0); /* 272 years */
    expect_reading(&page, CLOCK_REALTIME, -INT64_C(8589934592), 250000000);
}

static void test_clocks_move_apart(void **state)
{
    struct clock_page page = {.mono_offset = packed(7, 0)};

    (void)state;
    expect_reading(&page, CLOCK_MONOTONIC, 507, 0);
    expect_reading(&page, CLOCK_BOOTTIME, 607, 0);
    expect_reading(&page, CLOCK_REALTIME, 1000000, 999999999);
    expect_reading(&page, CLOCK_PROCESS_CPUTIME_ID, 3, 4);
}

static void test_a_failing_clock_fails(void **state)
{
    struct clock_page page = {.real_offset = packed(1, 0)};
    struct timespec now;

    (void)state;
    real_result = -EINVAL;
    assert_int_equal(page_clock_gettime(&page, real_clock, CLOCK_REALTIME, &now), -EINVAL);
    assert_int_equal(page_clock_gettime(&page, real_clock, -1, &now), -EINVAL);
}

/* 5 s after base_reference */
static struct clock_page slow_page(int64_t base_virtual, uint64_t rate)
{
    return (struct clock_page){
        .real_offset = PAGE_SLOW,
        .sequence = 7, /* odd: the second pair holds */
        .lines = {{.real = {.rate = RATE(3)}},
                  {.real = {.base_reference = 495 * NANOSECONDS,
                            .base_virtual = base_virtual,
                            .rate = rate}}},
    };
}

static void test_a_rate_multiplies(void **state)
{
    struct clock_page page = slow_page(2000 * NANOSECONDS, RATE(1000));

    (void)state;
    expect_reading(&page, CLOCK_REALTIME, 2000 + 5000, 0);
    expect_reading(&page, CLOCK_TAI, 2000 + 5000 + 37, 0);
    page = slow_page(2000 * NANOSECONDS, RATE(0.5));
    expect_reading(&page, CLOCK_REALTIME, 2002, 500000000);
    page = slow_page(2000 * NANOSECONDS + 7, 0);
    expect_reading(&page, CLOCK_REALTIME, 2000, 7);
    page = slow_page(-7 * NANOSECONDS, RATE(1.5)); /* 1969 */
    expect_reading(&page, CLOCK_REALTIME, 0, 500000000);
    page = slow_page(-8 * NANOSECONDS + 1, RATE(1));
    expect_reading(&page, CLOCK_REALTIME, -3, 1);
}

/* The calendar is real, and the monotonic clocks are half as fast. */
static void test_the_monotonic_clocks_have_a_line_too(void **state)
{
    struct clock_page page = {
        .mono_offset = PAGE_SLOW,
        .lines = {{.mono = {.base_reference = 400 * NANOSECONDS,
                            .base_virtual = 410 * NANOSECONDS,
                            .rate = RATE(0.5)}}},
    };

    (void)state;
    expect_reading(&page, CLOCK_REALTIME, 1000000, 999999999);
    expect_reading(&page, CLOCK_MONOTONIC, 460, 0);
    expect_reading(&page, CLOCK_MONOTONIC_RAW, 460, 0);
    expect_reading(&page, CLOCK_BOOTTIME, 560, 0);
    assert_true(page_rate(&page, CLOCK_REALTIME) == PAGE_RATE_1);
    assert_true(page_rate(&page, CLOCK_BOOTTIME) == PAGE_RATE_1 / 2);
}

static void test_a_rate_never_runs_past_the_end_of_time(void **state)
{
    struct clock_page page = slow_page(INT64_MAX - NANOSECONDS, RATE(1000000));

    (void)state;
    expect_reading(&page, CLOCK_REALTIME, INT64_MAX / NANOSECONDS, INT64_MAX % NANOSECONDS);
}

static int64_t left_until(const struct clock_page *page, int64_t seconds, long nanoseconds)
{
    struct timespec until = {seconds, nanoseconds};

    return page_left(page, real_clock, CLOCK_REALTIME, &until);
}

static void test_what_is_left(void **state)
{
    struct clock_page page = {.real_offset = packed(100, 0)};

    (void)state;
    assert_int_equal(left_until(&page, 1000101, 0), 1);
    assert_int_equal(left_until(&page, 1000100, 999999999), 0);
    assert_int_equal(left_until(&page, 1000100, 0), -999999999);
    page = slow_page(2000 * NANOSECONDS, RATE(1000)); /* it is 7000 */
    assert_int_equal(left_until(&page, 8000, 0), NANOSECONDS);
    assert_int_equal(left_until(&page, 7000, 1), 1); /* a thousandth, rounded up */
    page = slow_page(2000 * NANOSECONDS, 0);
    assert_true(left_until(&page, 2000, 1) == PAGE_NEVER);
    assert_int_equal(left_until(&page, 2000, 0), 0);
    assert_true(left_until(&page, INT64_MAX, 0) == PAGE_NEVER);
}

static void test_a_torn_pair_is_not_looked_at(void **state)
{
    struct clock_page page = slow_page(2000 * NANOSECONDS, RATE(1));

    (void)state;
    /* what a writer that was killed half-way leaves: garbage in the pair that does not hold */
    page.lines[0].real = (struct page_line){-1, -1, UINT64_MAX};
    expect_reading(&page, CLOCK_REALTIME, 2005, 0);
}

static struct clock_page *interrupted;

/* While a reader is at it, the calendar is changed twice: the pair that it copied is overwritten. */
static int interrupting_clock(clockid_t id, struct timespec *now)
{
    if (interrupted->sequence == 7) {
        interrupted->sequence = 9;
        interrupted->lines[1].real.base_virtual = 3000 * NANOSECONDS;
    }
    return real_clock(id, now);
}

static void test_a_reader_that_was_overtaken_looks_again(void **state)
{
    struct clock_page page = slow_page(2000 * NANOSECONDS, RATE(1));
    struct timespec now;

    (void)state;
    interrupted = &page;
    assert_int_equal(page_clock_gettime(&page, interrupting_clock, CLOCK_REALTIME, &now), 0);
    assert_int_equal(now.tv_sec, 3005);
}

/* --- mapping --------------------------------------------------------------------------------- */

static void expect_no_clock(const char *path, const char *why)
{
    struct error e;

    assert_null(page_map(path, &e));
    if (strstr(e.text, why) == NULL || strchr(e.text, '\n') != NULL)
        fail_msg("'%s' does not say '%s'", e.text, why);
}

static void test_what_is_no_clock(void **state)
{
    struct stage stage;
    uint32_t version = 9;

    (void)state;
    stage_open(&stage);
    expect_no_clock("/nonexistent/clock", "No such file");
    expect_no_clock(stage.folder, "not a clock");
    expect_no_clock("/dev/zero", "not a clock");
    assert_int_equal(
        pwrite(stage.clock.fd, &version, sizeof version, offsetof(struct clock_page, version)),
        sizeof version);
    expect_no_clock(stage.path, "version 9; expected version 1");
    assert_int_equal(pwrite(stage.clock.fd, "none", 4, offsetof(struct clock_page, magic)), 4);
    expect_no_clock(stage.path, "expected a file made by 'fakeclock new'");
    assert_int_equal(truncate(stage.path, 100), 0);
    expect_no_clock(stage.path, "expected a file of 4096 bytes");
    stage_close(&stage);
}

static void test_a_map_follows_the_writer(void **state)
{
    const struct clock_page *page;
    struct stage stage;
    struct error e;

    (void)state;
    stage_open(&stage);
    page = page_map(stage.path, &e);
    assert_non_null(page);
    assert_int_equal(clock_rate(&stage.clock, 0, &e), 0);
    assert_int_equal(clock_set(&stage.clock, 42 * NANOSECONDS, &e), 0);
    assert_int_equal(page_now(page), 42 * NANOSECONDS);
    page_unmap(page);
    stage_close(&stage);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_empty_page_is_real_time),
        TEST(test_an_offset_carries_its_nanoseconds),
        TEST(test_an_offset_may_be_negative),
        TEST(test_clocks_move_apart),
        TEST(test_a_failing_clock_fails),
        TEST(test_a_rate_multiplies),
        TEST(test_the_monotonic_clocks_have_a_line_too),
        TEST(test_a_rate_never_runs_past_the_end_of_time),
        TEST(test_what_is_left),
        TEST(test_a_torn_pair_is_not_looked_at),
        TEST(test_a_reader_that_was_overtaken_looks_again),
        TEST(test_what_is_no_clock),
        TEST(test_a_map_follows_the_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
