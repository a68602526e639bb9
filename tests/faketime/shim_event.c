/* Waits for a while, asleep or for events, on monotonic clocks of several speeds: each kind in a process of its own. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <threads.h>

#include "tests/faketime/subject.h"

/* --- every kind of wait: for so many seconds, or until something can be read from the file --------- */

static int by_nanosleep(int file, int seconds)
{
    (void)file;
    return nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
}

static int by_clock_nanosleep(int file, int seconds)
{
    (void)file;
    return clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_sec = seconds}, NULL);
}

static int by_usleep(int file, int seconds)
{
    (void)file;
    return usleep((useconds_t)seconds * 1000000);
}

static int by_sleep(int file, int seconds)
{
    (void)file;
    return (int)sleep((unsigned)seconds);
}

static int by_thrd_sleep(int file, int seconds)
{
    (void)file;
    return thrd_sleep(&(struct timespec){.tv_sec = seconds}, NULL);
}

static int by_poll(int file, int seconds)
{
    return poll(&(struct pollfd){.fd = file, .events = POLLIN}, 1, seconds * 1000);
}

static int by_ppoll(int file, int seconds)
{
    return ppoll(&(struct pollfd){.fd = file, .events = POLLIN}, 1,
                 &(struct timespec){.tv_sec = seconds}, NULL);
}

/* -2: what is left of the time is not what it should be. */
static int by_select(int file, int seconds)
{
    struct timeval length = {.tv_sec = seconds};
    fd_set in;
    int result;

    FD_ZERO(&in);
    FD_SET(file, &in);
    result = select(file + 1, &in, NULL, NULL, &length);
    return (FD_ISSET(file, &in) != 0) == (result == 1) && (length.tv_sec > 0) == (result == 1)
               ? result
               : -2;
}

/* What poll is where _FORTIFY_SOURCE is set. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): libc's own names */
int __poll_chk(struct pollfd *files, nfds_t count, int timeout, size_t size);
int __ppoll_chk(struct pollfd *files, nfds_t count, const struct timespec *length,
                const sigset_t *mask, size_t size);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static int by_poll_chk(int file, int seconds)
{
    struct pollfd in = {.fd = file, .events = POLLIN};

    return __poll_chk(&in, 1, seconds * 1000, sizeof in);
}

static int by_ppoll_chk(int file, int seconds)
{
    struct pollfd in = {.fd = file, .events = POLLIN};

    return __ppoll_chk(&in, 1, &(struct timespec){.tv_sec = seconds}, NULL, sizeof in);
}

static int by_pselect(int file, int seconds)
{
    fd_set in;

    FD_ZERO(&in);
    FD_SET(file, &in);
    return pselect(file + 1, &in, NULL, NULL, &(struct timespec){.tv_sec = seconds}, NULL);
}

static int epoll_of(int file)
{
    struct epoll_event event = {.events = EPOLLIN};
    int fd = epoll_create1(EPOLL_CLOEXEC);

    epoll_ctl(fd, EPOLL_CTL_ADD, file, &event);
    return fd;
}

static int by_epoll_wait(int file, int seconds)
{
    struct epoll_event event;

    return epoll_wait(epoll_of(file), &event, 1, seconds * 1000);
}

static int by_epoll_pwait(int file, int seconds)
{
    struct epoll_event event;

    return epoll_pwait(epoll_of(file), &event, 1, seconds * 1000, NULL);
}

static int by_epoll_pwait2(int file, int seconds)
{
    struct epoll_event event;

    return epoll_pwait2(epoll_of(file), &event, 1, &(struct timespec){.tv_sec = seconds}, NULL);
}

static const struct kind {
    const char *name;
    int (*wait)(int file, int seconds);
    bool for_events;
} kinds[] = {
    {"nanosleep",       by_nanosleep,       false},
    {"clock_nanosleep", by_clock_nanosleep, false},
    {"usleep",          by_usleep,          false},
    {"sleep",           by_sleep,           false},
    {"thrd_sleep",      by_thrd_sleep,      false},
    {"poll",            by_poll,            true },
    {"ppoll",           by_ppoll,           true },
    {"__poll_chk",      by_poll_chk,        true },
    {"__ppoll_chk",     by_ppoll_chk,       true },
    {"select",          by_select,          true },
    {"pselect",         by_pselect,         true },
    {"epoll_wait",      by_epoll_wait,      true },
    {"epoll_pwait",     by_epoll_pwait,     true },
    {"epoll_pwait2",    by_epoll_pwait2,    true },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* --- the subject ----------------------------------------------------------------------------------- */

struct report {
    int result, error;
    int64_t passed; /* on its monotonic clock */
};

static void stand(int signal)
{
    (void)signal;
}

/* The file is a pipe into which a "full" one has written. */
static int subject(const char *kind, const char *seconds, const char *full)
{
    int64_t began = read_clock(CLOCK_MONOTONIC);
    struct report report;
    int ends[2];

    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = stand}, NULL);
    if (pipe(ends) < 0 || (*full == 'f' && write(ends[1], "x", 1) != 1))
        return 1;
    subject_say("r", 1);
    errno = 0;
    report.result = kinds[strtol(kind, NULL, 10)].wait(ends[0], (int)strtol(seconds, NULL, 10));
    report.error = errno;
    report.passed = read_clock(CLOCK_MONOTONIC) - began;
    subject_say(&report, sizeof report);
    return 0;
}

/* --- what is expected of all ----------------------------------------------------------------------- */

static void start_all(const struct stage *stage, const char *seconds, const char *full,
                      struct subject subjects[KINDS])
{
    char kind[16], ready;

    for (size_t i = 0; i < KINDS; i++) {
        snprintf(kind, sizeof kind, "%zu", i);
        subjects[i] = subject_start(stage->path, kind, seconds, full);
    }
    for (size_t i = 0; i < KINDS; i++)
        subject_hear(&subjects[i], &ready, 1);
}

static void expect_silence(const struct subject subjects[KINDS], int ms)
{
    int early = subject_that_speaks(subjects, KINDS, ms);

    if (early >= 0)
        fail_msg("%s woke before its time", kinds[early].name);
}

static struct report report_of(struct subject *subject, const struct kind *kind)
{
    struct report report;

    if (!subject_speaks(subject, PATIENCE))
        fail_msg("%s hangs", kind->name);
    subject_hear(subject, &report, sizeof report);
    assert_int_equal(subject_end(subject), 0);
    return report;
}

static void expect_over(struct subject subjects[KINDS], int64_t least)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct report report = report_of(&subjects[i], &kinds[i]);

        if (report.result != 0)
            fail_msg("%s: %d, %s", kinds[i].name, report.result, strerror(report.error));
        if (report.passed < least)
            fail_msg("%s was over after %lld ns", kinds[i].name, (long long)report.passed);
    }
}

static void set_pace(struct stage *stage, double pace)
{
    struct error e;

    assert_int_equal(clock_pace(&stage->clock, pace, &e), 0);
}

static void test_at_real_speed(void **state)
{
    struct subject subjects[KINDS];

    start_all(*state, "1", "empty", subjects);
    expect_over(subjects, NANOSECONDS);
}

/* Ten minutes in less than what anything may take. */
static void test_a_thousand_times_as_fast(void **state)
{
    struct subject subjects[KINDS];

    set_pace(*state, 1000);
    start_all(*state, "600", "empty", subjects);
    expect_over(subjects, 600 * NANOSECONDS);
}

static void test_frozen_and_let_go(void **state)
{
    struct subject subjects[KINDS];

    set_pace(*state, 0);
    start_all(*state, "1", "empty", subjects);
    expect_silence(subjects, 1500);
    set_pace(*state, 100);
    expect_over(subjects, NANOSECONDS);
}

static void test_an_event_ends_it(void **state)
{
    struct subject subjects[KINDS];

    set_pace(*state, 0.001);
    start_all(*state, "60", "full", subjects);
    for (size_t i = 0; i < KINDS; i++) {
        if (!kinds[i].for_events) {
            kill(subjects[i].pid, SIGKILL);
            subject_end(&subjects[i]);
        } else if (report_of(&subjects[i], &kinds[i]).result != 1)
            fail_msg("%s does not see it", kinds[i].name);
    }
}

/* Again and again, for a signal may come before the wait has begun. */
static void test_a_signal_ends_it(void **state)
{
    struct subject subjects[KINDS];

    set_pace(*state, 0);
    start_all(*state, "60", "empty", subjects);
    for (size_t i = 0; i < KINDS; i++) {
        struct report report;

        for (int tries = 0; tries < PATIENCE / 10 && !subject_speaks(&subjects[i], 10); tries++)
            kill(subjects[i].pid, SIGUSR1);
        report = report_of(&subjects[i], &kinds[i]);
        if (report.result == 0 ||
            (report.result == -1 && kinds[i].wait != by_thrd_sleep && report.error != EINTR))
            fail_msg("%s: %d, %s", kinds[i].name, report.result, strerror(report.error));
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, stage_setup, stage_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_at_real_speed),     TEST(test_a_thousand_times_as_fast),
        TEST(test_frozen_and_let_go), TEST(test_an_event_ends_it),
        TEST(test_a_signal_ends_it),
    };

    if (argc > 3)
        return subject(argv[1], argv[2], argv[3]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
