/* Who reads the calendar under the shim, and what they go through: fork, exec, threads, daemonising. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
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

static int64_t by_clock(clockid_t id)
{
    struct timespec now;

    return clock_gettime(id, &now) == 0 ? nanoseconds(&now) : -1;
}

static int64_t by_realtime(void)
{
    return by_clock(CLOCK_REALTIME);
}

static int64_t by_coarse(void)
{
    return by_clock(CLOCK_REALTIME_COARSE);
}

static int64_t by_tai(void)
{
    return by_clock(CLOCK_TAI);
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

static void *say_reading_in_thread(void *unused)
{
    say_reading();
    return unused;
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
        int64_t now = by_clock(ids[i]);

        subject_say(&now, sizeof now);
    }
}

static void read_in_child(void)
{
    if (fork() == 0)
        say_reading();
    else
        wait(NULL);
}

static void read_in_thread(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, say_reading_in_thread, NULL);
    pthread_join(thread, NULL);
}

static void read_after_exec(void)
{
    execl("/proc/self/exe", "subject", "reading", (char *)NULL);
}

/* As daemons do: twice forked, a session of its own, every descriptor closed. */
static void read_in_daemon(void)
{
    if (fork() != 0)
        _exit(0);
    setsid();
    if (fork() != 0)
        _exit(0);
    if (chdir("/") < 0)
        _exit(1);
    closefrom(3);
    close(STDERR_FILENO);
    close(STDIN_FILENO);
    say_reading();
}

static void on_alarm(int signal)
{
    (void)signal;
    say_reading();
}

static void read_in_handler(void)
{
    signal(SIGALRM, on_alarm);
    raise(SIGALRM);
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

/* A condition on the monotonic clock and a relative timer are no business of the calendar. */
static void wait_for_durations(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct itimerspec in = {.it_value = {.tv_nsec = 100 * MS}};
    int timer = timerfd_create(CLOCK_REALTIME, 0);
    int64_t began = by_clock(CLOCK_MONOTONIC);
    pthread_condattr_t attributes;
    pthread_cond_t condition;
    struct timespec until;
    uint64_t count;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&condition, &attributes);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&mutex);
    while (pthread_cond_timedwait(&condition, &mutex, &until) == 0)
        ;
    timerfd_settime(timer, 0, &in, NULL);
    if (read(timer, &count, sizeof count) < 0)
        _exit(1);
    began = by_clock(CLOCK_MONOTONIC) - began;
    subject_say(&began, sizeof began);
}

/* What the watcher sees to goes on in a child; the child's own watcher is a new one. */
static void wait_in_child(void)
{
    int timer = timerfd_create(CLOCK_REALTIME, 0);
    struct itimerspec at = {0};
    uint64_t count;

    clock_gettime(CLOCK_REALTIME, &at.it_value);
    at.it_value.tv_sec += 10 * 86400;
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
    if (fork() != 0)
        _exit(0); /* and the parent's watcher with it */
    subject_say("", 1);
    if (read(timer, &count, sizeof count) < 0)
        _exit(1);
    say_reading();
}

/* Every 10 s of the calendar. */
static void wait_periodically(void)
{
    int timer = timerfd_create(CLOCK_REALTIME, 0);
    struct itimerspec at = {.it_interval = {.tv_sec = 10}};
    uint64_t count;

    clock_gettime(CLOCK_REALTIME, &at.it_value);
    at.it_value.tv_sec += 10;
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
    for (;;) {
        int64_t told;

        subject_say("", 1);
        if (read(timer, &count, sizeof count) < 0)
            _exit(1);
        told = (int64_t)count;
        subject_say(&told, sizeof told);
    }
}

/* Ends with its last thread, which must not be the watcher. */
static void leave_by_thread_exit(void)
{
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct timespec past = {.tv_sec = 1};

    pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&condition, &mutex, &past);
    say_reading();
    pthread_exit(NULL);
}

static const struct part {
    const char *name;
    void (*play)(void);
} parts[] = {
    {"readings",  answer_readings     },
    {"reading",   say_reading         },
    {"monotonic", read_monotonic      },
    {"child",     read_in_child       },
    {"thread",    read_in_thread      },
    {"exec",      read_after_exec     },
    {"daemon",    read_in_daemon      },
    {"handler",   read_in_handler     },
    {"misuse",    misuse              },
    {"set",       set_the_time        },
    {"durations", wait_for_durations  },
    {"orphan",    wait_in_child       },
    {"period",    wait_periodically   },
    {"leave",     leave_by_thread_exit},
};

static int subject(const char *name)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(parts[i].name, name) == 0) {
            parts[i].play();
            return 0;
        }
    return 2;
}

/* --- tests ----------------------------------------------------------------------------------- */

static int open_stage(void **state)
{
    static struct stage stage;

    stage_open(&stage);
    *state = &stage;
    return 0;
}

static int close_stage(void **state)
{
    stage_close(*state);
    return 0;
}

static void move_to(struct stage *stage, int64_t offset)
{
    struct error e;

    assert_int_equal(clock_set_offset(&stage->clock, offset, &e), 0);
}

/* What the part `name` has to say in one number. */
static int64_t played(const struct stage *stage, const char *name)
{
    struct subject subject = subject_start(stage->path, name, NULL, NULL);
    int64_t said;

    subject_hear(&subject, &said, sizeof said);
    assert_int_equal(subject_end(&subject), 0);
    return said;
}

static void expect_ahead(int64_t now, int64_t offset, const char *who)
{
    int64_t ahead = now - by_realtime();

    if (ahead < offset - 10 * NANOSECONDS || ahead > offset + 60 * NANOSECONDS)
        fail_msg("%s is ahead by %lld s", who, (long long)(ahead / NANOSECONDS));
}

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
        move_to(stage, offsets[i]);
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
    assert_int_equal(played(stage, "reading"), 123456789 * NANOSECONDS + 1);
    assert_int_equal(played(stage, "reading"), 123456789 * NANOSECONDS + 1);
}

static void test_monotonic_clocks_stay_real(void **state)
{
    struct stage *stage = *state;
    struct subject subject;
    int64_t now[4];

    move_to(stage, 100 * DAY);
    subject = subject_start(stage->path, "monotonic", NULL, NULL);
    subject_hear(&subject, now, sizeof now);
    assert_int_equal(subject_end(&subject), 0);
    assert_in_range(now[0], by_clock(CLOCK_MONOTONIC) - 60 * NANOSECONDS,
                    by_clock(CLOCK_MONOTONIC));
    assert_in_range(now[1], by_clock(CLOCK_MONOTONIC_RAW) - 60 * NANOSECONDS,
                    by_clock(CLOCK_MONOTONIC_RAW));
    assert_in_range(now[2], by_clock(CLOCK_MONOTONIC) - 60 * NANOSECONDS,
                    by_clock(CLOCK_MONOTONIC));
    assert_in_range(now[3], by_clock(CLOCK_BOOTTIME) - 60 * NANOSECONDS, by_clock(CLOCK_BOOTTIME));
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
    assert_in_range(now[0], by_clock(CLOCK_MONOTONIC) + 7100 * NANOSECONDS,
                    by_clock(CLOCK_MONOTONIC) + 7200 * NANOSECONDS);
}

static void test_the_calendar_is_inherited(void **state)
{
    static const char *const ways[] = {"reading", "child", "thread", "exec", "daemon", "handler"};
    struct stage *stage = *state;

    move_to(stage, 100 * DAY);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        expect_ahead(played(stage, ways[i]), 100 * DAY, ways[i]);
}

static void test_errors_are_libc_s(void **state)
{
    move_to(*state, DAY);
    assert_int_equal(played(*state, "misuse"), 5);
}

static void test_the_machine_s_time_is_not_set(void **state)
{
    int64_t before = by_realtime();

    assert_int_equal(played(*state, "set"), 2);
    assert_in_range(by_realtime(), before, before + 600 * NANOSECONDS);
}

static void test_durations_stay_durations(void **state)
{
    struct error e;

    move_to(*state, 100 * DAY);
    assert_int_equal(clock_rate(&((struct stage *)*state)->clock, 1000, &e), 0);
    assert_in_range(played(*state, "durations"), 1100 * MS, 15 * NANOSECONDS);
}

static void test_a_timer_outlives_the_parent(void **state)
{
    struct stage *stage = *state;
    struct subject subject = subject_start(stage->path, "orphan", NULL, NULL);
    int64_t now;
    char ready;

    subject_hear(&subject, &ready, 1);
    waitpid(subject.pid, NULL, 0);
    move_to(stage, 11 * DAY);
    subject_hear(&subject, &now, sizeof now);
    expect_ahead(now, 11 * DAY, "the child");
    close(subject.out);
}

static void test_a_period_is_the_calendar_s(void **state)
{
    struct stage *stage = *state;
    struct subject subject = subject_start(stage->path, "period", NULL, NULL);
    int64_t count;
    struct error e;
    char ready;

    subject_hear(&subject, &ready, 1);
    move_to(stage, 35 * NANOSECONDS);
    subject_hear(&subject, &count, sizeof count);
    assert_in_range(count, 3, 8); /* 3, unless it took the subject a while */
    assert_int_equal(clock_rate(&stage->clock, 1000, &e), 0);
    for (int i = 0; i < 5; i++) {
        subject_hear(&subject, &ready, 1);
        subject_hear(&subject, &count, sizeof count);
    }
    kill(subject.pid, SIGKILL);
    subject_end(&subject);
}

static void test_the_watcher_keeps_nobody_alive(void **state)
{
    expect_ahead(played(*state, "leave"), 0, "the one who left");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_stage, close_stage)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_reader_follows_at_once),   TEST(test_two_processes_share_one_clock),
        TEST(test_monotonic_clocks_stay_real),     TEST(test_monotonic_clocks_move_when_asked),
        TEST(test_the_calendar_is_inherited),      TEST(test_errors_are_libc_s),
        TEST(test_the_machine_s_time_is_not_set),  TEST(test_durations_stay_durations),
        TEST(test_a_timer_outlives_the_parent),    TEST(test_a_period_is_the_calendar_s),
        TEST(test_the_watcher_keeps_nobody_alive),
    };

    if (argc > 1)
        return subject(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
