/* Every call that reads the calendar, and those that must not. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timeb.h>
#include <sys/timerfd.h>
#include <time.h>

#include "tests/faketime/subject.h"

/* --- readers; each returns nanoseconds since 1970 ---------------------------------------------- */

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NANOSECONDS + time->tv_nsec;
}

static int64_t by_realtime(void)
{
    return read_clock(CLOCK_REALTIME);
}

static int64_t by_coarse(void)
{
    return read_clock(CLOCK_REALTIME_COARSE);
}

static int64_t by_tai(void)
{
    return read_clock(CLOCK_TAI);
}

static int64_t by_time(void)
{
    time_t out;
    time_t now = time(&out);

    return now == out && now <= time(NULL) ? (int64_t)now * NANOSECONDS : -1;
}

static int64_t by_gettimeofday(void)
{
    struct timezone zone = {.tz_minuteswest = -1};
    struct timeval now;

    if (gettimeofday(&now, &zone) < 0 || zone.tz_minuteswest == -1)
        return -1;
    return (int64_t)now.tv_sec * NANOSECONDS + now.tv_usec * 1000;
}

static int64_t by_timespec_get(void)
{
    struct timespec now;

    return timespec_get(&now, TIME_UTC) == TIME_UTC ? nanoseconds(&now) : -1;
}

static int64_t by_ftime(void)
{
    /* by name, for its declaration is marked as a thing of the past, which it is */
    extern int old_ftime(struct timeb *) __asm__("ftime");
    struct timeb now;

    old_ftime(&now);
    return (int64_t)now.time * NANOSECONDS + now.millitm * MS;
}

static int64_t by_syscall_clock_gettime(void)
{
    struct timespec now;

    return syscall(SYS_clock_gettime, CLOCK_REALTIME, &now) == 0 ? nanoseconds(&now) : -1;
}

static int64_t by_syscall_gettimeofday(void)
{
    struct timeval now;

    if (syscall(SYS_gettimeofday, &now, NULL) < 0)
        return -1;
    return (int64_t)now.tv_sec * NANOSECONDS + now.tv_usec * 1000;
}

static int64_t by_syscall_time(void)
{
    return syscall(SYS_time, NULL) * NANOSECONDS;
}

static const struct reader {
    const char *name;
    int64_t (*read)(void);
} readers[] = {
    {"clock_gettime(CLOCK_REALTIME)",        by_realtime             },
    {"clock_gettime(CLOCK_REALTIME_COARSE)", by_coarse               },
    {"clock_gettime(CLOCK_TAI)",             by_tai                  },
    {"time",                                 by_time                 },
    {"gettimeofday",                         by_gettimeofday         },
    {"timespec_get",                         by_timespec_get         },
    {"ftime",                                by_ftime                },
    {"syscall(SYS_clock_gettime)",           by_syscall_clock_gettime},
    {"syscall(SYS_gettimeofday)",            by_syscall_gettimeofday },
    {"syscall(SYS_time)",                    by_syscall_time         },
};
#define READERS (sizeof readers / sizeof readers[0])

/* --- subjects; what they find out they write to stdout ------------------------------------------ */

static void say_reading(void)
{
    int64_t now = by_realtime();

    subject_say(&now, sizeof now);
}

/* Answers each byte on stdin with what every reader reads. */
static void answer_readings(void)
{
    char byte;

    while (read(STDIN_FILENO, &byte, 1) == 1) {
        int64_t now[READERS];

        for (size_t i = 0; i < READERS; i++)
            now[i] = readers[i].read();
        subject_say(now, sizeof now);
    }
}

static void read_monotonic(void)
{
    static const clockid_t ids[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE,
                                    CLOCK_BOOTTIME};

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        int64_t now = read_clock(ids[i]);

        subject_say(&now, sizeof now);
    }
}

/* Errors that libc reports are reported. */
static void misuse(void)
{
    struct timespec now, bad = {.tv_nsec = -1};
    struct itimerspec at = {
        .it_value = {1, 0}
    };
    int64_t right = 0;

    right += clock_gettime(12345, &now) == -1 && errno == EINVAL;
    right += clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &bad, NULL) == EINVAL;
    right += timerfd_settime(-1, TFD_TIMER_ABSTIME, &at, NULL) == -1 && errno == EBADF;
    right += timerfd_settime(STDOUT_FILENO, TFD_TIMER_ABSTIME, &at, NULL) == -1 && errno == EINVAL;
    right += syscall(SYS_close, -1) == -1 && errno == EBADF;
    subject_say(&right, sizeof right);
}

/* To set the time of a virtual calendar must not set the machine's.  These times are none, so that
 * a broken shim does not either. */
static void set_the_time(void)
{
    struct timespec now = {.tv_nsec = -1};
    struct timeval past = {.tv_usec = -1};
    int64_t refused = 0;

    refused += clock_settime(CLOCK_REALTIME, &now) == -1 && errno == EPERM;
    refused += settimeofday(&past, NULL) == -1 && errno == EPERM;
    subject_say(&refused, sizeof refused);
}

static const struct part parts[] = {
    {"readings",  answer_readings},
    {"reading",   say_reading    },
    {"monotonic", read_monotonic },
    {"misuse",    misuse         },
    {"set",       set_the_time   },
};

/* --- tests ----------------------------------------------------------------------------------- */

/* One running process, and the calendar moves under it. */
static void test_every_reader_follows_at_once(void **state)
{
    static const int64_t offsets[] = {0, 100 * DAY, -400 * DAY, 3650 * DAY, 0};
    struct stage *stage = *state;
    struct subject subject;
    int64_t now[READERS];
    int in[2], saved;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    saved = dup(STDIN_FILENO);
    dup2(in[0], STDIN_FILENO);
    subject = subject_start(stage->path, "readings", NULL, NULL);
    dup2(saved, STDIN_FILENO);
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        stage_move(stage, offsets[i]);
        assert_int_equal(write(in[1], "?", 1), 1);
        subject_hear(&subject, now, sizeof now);
        for (size_t reader = 0; reader < READERS; reader++)
            expect_ahead(now[reader], offsets[i], readers[reader].name);
    }
    close(in[0]);
    close(in[1]);
    close(saved);
    assert_int_equal(subject_end(&subject), 0);
}

static void test_two_processes_share_one_clock(void **state)
{
    struct stage *stage = *state;
    struct error e;

    assert_int_equal(clock_rate(&stage->clock, 0, &e), 0);
    assert_int_equal(clock_set(&stage->clock, 123456789 * NANOSECONDS + 1, &e), 0);
    assert_int_equal(subject_number(stage, "reading"), 123456789 * NANOSECONDS + 1);
    assert_int_equal(subject_number(stage, "reading"), 123456789 * NANOSECONDS + 1);
}

static void test_monotonic_clocks_stay_real(void **state)
{
    struct stage *stage = *state;
    struct subject subject;
    int64_t now[4];

    stage_move(stage, 100 * DAY);
    subject = subject_start(stage->path, "monotonic", NULL, NULL);
    subject_hear(&subject, now, sizeof now);
    assert_int_equal(subject_end(&subject), 0);
    assert_in_range(now[0], read_clock(CLOCK_MONOTONIC) - 60 * NANOSECONDS,
                    read_clock(CLOCK_MONOTONIC));
    assert_in_range(now[1], read_clock(CLOCK_MONOTONIC_RAW) - 60 * NANOSECONDS,
                    read_clock(CLOCK_MONOTONIC_RAW));
    assert_in_range(now[2], read_clock(CLOCK_MONOTONIC) - 60 * NANOSECONDS,
                    read_clock(CLOCK_MONOTONIC));
    assert_in_range(now[3], read_clock(CLOCK_BOOTTIME) - 60 * NANOSECONDS,
                    read_clock(CLOCK_BOOTTIME));
}

/* Nobody offers it yet, but the page can say it. */
static void test_monotonic_clocks_move_when_asked(void **state)
{
    struct stage *stage = *state;
    struct subject subject;
    int64_t now[4];

    stage->clock.page->mono_offset = UINT64_C(7200) << PAGE_NS_BITS;
    subject = subject_start(stage->path, "monotonic", NULL, NULL);
    subject_hear(&subject, now, sizeof now);
    assert_int_equal(subject_end(&subject), 0);
    assert_in_range(now[0], read_clock(CLOCK_MONOTONIC) + 7100 * NANOSECONDS,
                    read_clock(CLOCK_MONOTONIC) + 7200 * NANOSECONDS);
}

static void test_errors_are_libc_s(void **state)
{
    stage_move(*state, DAY);
    assert_int_equal(subject_number(*state, "misuse"), 5);
}

static void test_the_machine_s_time_is_not_set(void **state)
{
    int64_t before = by_realtime();

    assert_int_equal(subject_number(*state, "set"), 2);
    assert_in_range(by_realtime(), before, before + 600 * NANOSECONDS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, stage_setup, stage_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_reader_follows_at_once),
        TEST(test_two_processes_share_one_clock),
        TEST(test_monotonic_clocks_stay_real),
        TEST(test_monotonic_clocks_move_when_asked),
        TEST(test_errors_are_libc_s),
        TEST(test_the_machine_s_time_is_not_set),
    };

    if (argc > 1)
        return subject_play(parts, sizeof parts / sizeof parts[0], argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
