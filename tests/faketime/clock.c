/* Writing a calendar: what each change does, what is refused, and many writers at once. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/faketime/subject.h"

#define WRITERS 4
#define CHANGES 2000
#define FUTURE  (INT64_C(4102444800) * NANOSECONDS) /* 2100 */

static void test_a_new_clock_shows_real_time(void **state)
{
    struct stage *stage = *state;
    struct stat stat_;
    int64_t before = read_clock(CLOCK_REALTIME);
    int64_t now = clock_now(&stage->clock);

    assert_in_range(now, before, read_clock(CLOCK_REALTIME));
    assert_true(clock_rate_now(&stage->clock) == 1);
    assert_int_equal(stat(stage->path, &stat_), 0);
    assert_int_equal(stat_.st_mode & 07777, 0644); /* a dropped worker reads it too */
    assert_int_equal(stat_.st_size, PAGE_BYTES);
}

static void test_a_follower_is_off_by_a_skew(void **state)
{
    struct clock *leader = &((struct stage *)*state)->clock;
    struct clock follower;
    struct error e;
    char path[sizeof((struct stage *)*state)->path + 16];

    snprintf(path, sizeof path, "%s-2", ((struct stage *)*state)->path);
    assert_int_equal(clock_create(path, &follower, &e), 0);
    assert_int_equal(clock_set_offset(leader, 90 * DAY, &e), 0);
    assert_int_equal(clock_follow(&follower, leader, -DAY, &e), 0);
    assert_int_equal(clock_offset(&follower), 89 * DAY);
    assert_int_equal(clock_rate(leader, 1e6, &e), 0);
    assert_int_equal(clock_follow(&follower, leader, DAY, &e), 0);
    assert_true(clock_rate_now(&follower) == 1e6);
    assert_int_equal(clock_rate(leader, 0, &e), 0);
    assert_int_equal(clock_follow(&follower, leader, DAY, &e), 0);
    assert_int_equal(clock_now(&follower), clock_now(leader) + DAY); /* both stand */
    clock_close(&follower);
    unlink(path);
}

static void test_what_exists_is_not_overwritten(void **state)
{
    struct stage *stage = *state;
    struct clock other;
    struct error e;

    assert_int_equal(clock_set_offset(&stage->clock, DAY, &e), 0);
    assert_int_equal(clock_create(stage->path, &other, &e), -1);
    assert_non_null(strstr(e.text, "exists already"));
    assert_int_equal(clock_offset(&stage->clock), DAY);
    /* and no draft was left: stage_close could not remove the folder */
}

static void test_no_place_for_a_clock(void **state)
{
    struct clock clock;
    struct error e;

    (void)state;
    assert_int_equal(clock_create("/nonexistent/clock", &clock, &e), -1);
    assert_non_null(strstr(e.text, "/nonexistent/clock: cannot create the clock"));
    assert_int_equal(clock_create("/proc/clock", &clock, &e), -1);
    assert_non_null(strstr(e.text, "/proc/clock: cannot create the clock"));
}

static void test_offsets_are_exact(void **state)
{
    struct clock *clock = &((struct stage *)*state)->clock;
    struct error e;

    assert_int_equal(clock_set_offset(clock, 90 * DAY, &e), 0);
    assert_int_equal(clock_offset(clock), 90 * DAY);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(clock_advance(clock, -HOUR - 1, &e), 0);
    assert_int_equal(clock_offset(clock), 90 * DAY - 1000 * (HOUR + 1));
    assert_int_equal(clock_set_offset(clock, 0, &e), 0);
    assert_int_equal(clock->page->real_offset, 0);
}

static void test_set_is_absolute(void **state)
{
    struct clock *clock = &((struct stage *)*state)->clock;
    struct error e;
    int64_t before = read_clock(CLOCK_REALTIME);

    assert_int_equal(clock_set(clock, 0, &e), 0);
    assert_in_range(clock_now(clock), 0, read_clock(CLOCK_REALTIME) - before);
}

static void test_freeze_stops_and_keeps_the_place(void **state)
{
    struct clock *clock = &((struct stage *)*state)->clock;
    struct error e;
    int64_t frozen, before;

    assert_int_equal(clock_set_offset(clock, DAY, &e), 0);
    before = clock_now(clock);
    assert_int_equal(clock_rate(clock, 0, &e), 0);
    frozen = clock_now(clock);
    assert_in_range(frozen, before, before + 10 * NANOSECONDS);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(clock_now(clock), frozen);
    assert_int_equal(clock_advance(clock, HOUR, &e), 0); /* still frozen, and exact */
    assert_int_equal(clock_now(clock), frozen + HOUR);
    assert_true(clock_rate_now(clock) == 0);
    assert_int_equal(clock_rate(clock, 1, &e), 0);
    assert_in_range(clock_now(clock), frozen + HOUR, frozen + HOUR + 10 * NANOSECONDS);
}

static void test_rate_runs_from_here(void **state)
{
    struct clock *clock = &((struct stage *)*state)->clock;
    int64_t virtual, real, ran, took;
    struct error e;

    assert_int_equal(clock_rate(clock, 1000, &e), 0);
    assert_true(clock_rate_now(clock) == 1000);
    virtual = clock_now(clock);
    real = read_clock(CLOCK_REALTIME);
    while (read_clock(CLOCK_REALTIME) - real < 20 * MS)
        ;
    took = read_clock(CLOCK_REALTIME) - real;
    ran = clock_now(clock) - virtual;
    /* between the two readings of each clock a busy machine may do something else */
    assert_in_range(ran, took * 900, (read_clock(CLOCK_REALTIME) - real + MS) * 1100);
}

static void test_what_is_beyond(void **state)
{
    struct clock *clock = &((struct stage *)*state)->clock;
    static const double rates[] = {-1, 1e7, 0.0 / 0.0, 1 / 0.0};
    struct error e;

    assert_int_equal(clock_set(clock, CLOCK_LATEST + 1, &e), -1);
    assert_non_null(strstr(e.text, "beyond the calendar"));
    assert_int_equal(clock_set(clock, INT64_MIN, &e), -1);
    assert_int_equal(clock_advance(clock, INT64_MAX, &e), -1);
    assert_int_equal(clock_set_offset(clock, -200 * 365 * DAY, &e), -1);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        assert_int_equal(clock_rate(clock, rates[i], &e), -1);
    assert_int_equal(clock_offset(clock), 0); /* nothing of it was done */
    assert_int_equal(clock_set(clock, CLOCK_EARLIEST, &e), 0);
    assert_int_equal(clock_set(clock, CLOCK_LATEST, &e), 0);
}

/* --- many at once ---------------------------------------------------------------------------- */

static void write_much(const char *path)
{
    struct clock clock;
    struct error e;

    if (clock_open(path, &clock, &e) < 0)
        _exit(1);
    for (int i = 0; i < CHANGES; i++)
        if (clock_advance(&clock, 1, &e) < 0)
            _exit(2);
    _exit(0);
}

/* Also the slow way, where a change is several stores: each adds one, none is lost. */
static void expect_writers_exclude_each_other(struct stage *stage, double rate)
{
    struct error e;
    int64_t before;

    assert_int_equal(clock_rate(&stage->clock, rate, &e), 0);
    before = rate == 0 ? clock_now(&stage->clock) : clock_offset(&stage->clock);
    for (int i = 0; i < WRITERS; i++)
        if (fork() == 0)
            write_much(stage->path);
    for (int i = 0; i < WRITERS; i++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal((rate == 0 ? clock_now(&stage->clock) : clock_offset(&stage->clock)) - before,
                     (int64_t)WRITERS * CHANGES);
}

static int64_t monotonic(const struct clock *clock)
{
    struct timespec now;

    page_clock_gettime(clock->page, vdso_clock(), CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

/* That the monotonic clocks were moved so far in all. */
static void assert_passed(const struct clock *clock, int64_t by)
{
    int64_t before = read_clock(CLOCK_MONOTONIC), now = monotonic(clock);

    assert_in_range(now - by, before, read_clock(CLOCK_MONOTONIC));
}

static void test_time_passes_on_all_clocks(void **state)
{
    struct clock *clock = &((struct stage *)*state)->clock;
    struct error e;

    assert_int_equal(clock_advance(clock, DAY, &e), 0);
    assert_passed(clock, 0);
    assert_int_equal(clock_pass(clock, 90 * DAY + 1, &e), 0);
    assert_int_equal(clock_offset(clock), 91 * DAY + 1);
    assert_passed(clock, 90 * DAY + 1);
    assert_int_equal(clock_pass_until(clock, FUTURE, &e), 0);
    assert_in_range(clock_now(clock), FUTURE, FUTURE + NANOSECONDS);
    assert_int_equal(clock_pass(clock, -1, &e), -1);
    assert_int_equal(clock_pass_until(clock, 0, &e), -1);
    assert_non_null(strstr(e.text, "the monotonic clocks never go back"));
    assert_in_range(clock_now(clock), FUTURE, FUTURE + NANOSECONDS);
}

/* What passes is what the calendar moves, also while it stands. */
static void test_time_passes_on_a_frozen_clock(void **state)
{
    struct clock *clock = &((struct stage *)*state)->clock;
    struct error e;

    assert_int_equal(clock_rate(clock, 0, &e), 0);
    assert_int_equal(clock_set(clock, FUTURE, &e), 0);
    assert_int_equal(clock_pass(clock, DAY, &e), 0);
    assert_int_equal(clock_now(clock), FUTURE + DAY);
    assert_passed(clock, DAY);
}

static void test_a_rate_is_the_calendars_alone_unless_all_are_asked(void **state)
{
    struct clock *clock = &((struct stage *)*state)->clock;
    struct error e;
    int64_t before;

    assert_int_equal(clock_rate(clock, 1000, &e), 0);
    assert_int_equal(clock->page->mono_offset, 0);
    assert_int_equal(clock_pace(clock, 0, &e), 0);
    assert_true(clock_rate_now(clock) == 0 && clock_pace_now(clock) == 0);
    before = monotonic(clock);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(monotonic(clock), before);
    assert_int_equal(clock_advance(clock, DAY, &e), 0); /* they do not know */
    assert_int_equal(monotonic(clock), before);
    assert_int_equal(clock_pass(clock, HOUR, &e), 0); /* they do, and stand still again */
    assert_int_equal(monotonic(clock), before + HOUR);
    assert_true(clock_pace_now(clock) == 0);
    assert_int_equal(clock_rate(clock, 0, &e),
                     0); /* the calendar stands; they go on from where they are */
    assert_true(clock_pace_now(clock) == 1);
    assert_in_range(monotonic(clock), before + HOUR, before + HOUR + 10 * NANOSECONDS);
}

/* Whether a change of pace from `fast` to `slow` leaves nobody ahead: who read the old line when it was replaced, and
 * that was not later than now, sees no less on the new one.  False where the change took too long to say. */
static bool nobody_goes_back(struct clock *clock, double fast, double slow)
{
    struct page_line line;
    int64_t before, after;
    struct error e;

    assert_int_equal(clock_pace(clock, fast, &e), 0);
    line = clock->page->lines[clock->page->sequence & 1].mono;
    before = read_clock(CLOCK_MONOTONIC);
    assert_int_equal(clock_pace(clock, slow, &e), 0);
    after = read_clock(CLOCK_MONOTONIC);
    if (after - before > 5 * MS)
        return false;
    assert_true(monotonic(clock) >= page_line_at(&line, after));
    return true;
}

static void test_the_monotonic_clocks_never_go_back(void **state)
{
    struct clock *clock = &((struct stage *)*state)->clock;
    static const double rates[] = {0, 0.5, 1, 1000, 1e6};

    for (size_t fast = 1; fast < sizeof rates / sizeof rates[0]; fast++)
        for (size_t slow = 0; slow < fast; slow++)
            while (rates[fast] != 1 && !nobody_goes_back(clock, rates[fast], rates[slow]))
                ;
}

static void test_writers_exclude_each_other(void **state)
{
    expect_writers_exclude_each_other(*state, 1);
}

static void test_writers_exclude_each_other_on_a_frozen_clock(void **state)
{
    expect_writers_exclude_each_other(*state, 0);
}

/* On and on: frozen at the epoch, or far in the future, at speed or not. */
static void write_for_ever(const char *path)
{
    struct clock clock;
    struct error e;

    if (clock_open(path, &clock, &e) < 0)
        _exit(1);
    for (;;)
        if (clock_rate(&clock, 0, &e) < 0 || clock_set(&clock, 0, &e) < 0 ||
            clock_set(&clock, FUTURE, &e) < 0 || clock_rate(&clock, 1000, &e) < 0)
            _exit(2);
}

/* A line is three words; a reader who saw a mixture of two would be in neither place. */
static void test_readers_never_see_half_a_change(void **state)
{
    struct stage *stage = *state;
    size_t epoch = 0, future = 0;
    struct error e;
    pid_t writer;
    int status;

    assert_int_equal(clock_rate(&stage->clock, 0, &e), 0);
    assert_int_equal(clock_set(&stage->clock, 0, &e), 0);
    writer = fork();
    if (writer == 0)
        write_for_ever(stage->path);
    for (int i = 0; i < 1000000 || epoch == 0 || future == 0; i++) {
        int64_t now = clock_now(&stage->clock);

        if (now != 0 && now < FUTURE)
            fail_msg("it is neither the epoch nor the future: %lld", (long long)now);
        epoch += now == 0;
        future += now != 0;
    }
    /* killed at whatever step: readers are as well as before, and so is the next writer */
    kill(writer, SIGKILL);
    assert_true(waitpid(writer, &status, 0) == writer);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(clock_rate(&stage->clock, 0, &e), 0);
    assert_int_equal(clock_set(&stage->clock, 0, &e), 0);
    assert_int_equal(clock_now(&stage->clock), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, stage_setup, stage_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_new_clock_shows_real_time),
        TEST(test_a_follower_is_off_by_a_skew),
        TEST(test_what_exists_is_not_overwritten),
        TEST(test_no_place_for_a_clock),
        TEST(test_offsets_are_exact),
        TEST(test_set_is_absolute),
        TEST(test_freeze_stops_and_keeps_the_place),
        TEST(test_rate_runs_from_here),
        TEST(test_what_is_beyond),
        TEST(test_time_passes_on_all_clocks),
        TEST(test_time_passes_on_a_frozen_clock),
        TEST(test_a_rate_is_the_calendars_alone_unless_all_are_asked),
        TEST(test_the_monotonic_clocks_never_go_back),
        TEST(test_writers_exclude_each_other),
        TEST(test_writers_exclude_each_other_on_a_frozen_clock),
        TEST(test_readers_never_see_half_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
