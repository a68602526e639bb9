/* What a process on the calendar goes through: fork, exec, threads, daemonising, and what it waits for
 * meanwhile. */
#include <pthread.h>
#include <signal.h>
#include <sys/timerfd.h>
#include <time.h>

#include "tests/faketime/subject.h"

/* --- subjects; what they find out they write to stdout ------------------------------------------ */

static void say_reading(void)
{
    int64_t now = read_clock(CLOCK_REALTIME);

    subject_say(&now, sizeof now);
}

static void *say_reading_in_thread(void *unused)
{
    say_reading();
    return unused;
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

/* A condition on the monotonic clock and a relative timer are no business of the calendar. */
static void wait_for_durations(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct itimerspec in = {.it_value = {.tv_nsec = 100 * MS}};
    int timer = timerfd_create(CLOCK_REALTIME, 0);
    int64_t began = read_clock(CLOCK_MONOTONIC);
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
    began = read_clock(CLOCK_MONOTONIC) - began;
    subject_say(&began, sizeof began);
}

/* What the watcher sees to goes on in a child; the child's own watcher is a new one. */
static void wait_in_child(void)
{
    int timer = timerfd_create(CLOCK_REALTIME, 0);
    struct itimerspec at = {0};
    uint64_t count;

    clock_gettime(CLOCK_REALTIME, &at.it_value);
    at.it_value.tv_sec += INT64_C(10) * 86400;
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
    if (fork() != 0)
        _exit(0); /* and the parent's watcher with it */
    alarm(PATIENCE / 1000);
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

static const struct part parts[] = {
    {"reading",   say_reading         },
    {"child",     read_in_child       },
    {"thread",    read_in_thread      },
    {"exec",      read_after_exec     },
    {"daemon",    read_in_daemon      },
    {"handler",   read_in_handler     },
    {"durations", wait_for_durations  },
    {"orphan",    wait_in_child       },
    {"period",    wait_periodically   },
    {"leave",     leave_by_thread_exit},
};

/* --- tests ----------------------------------------------------------------------------------- */

static void test_the_calendar_is_inherited(void **state)
{
    static const char *const ways[] = {"reading", "child", "thread", "exec", "daemon", "handler"};
    struct stage *stage = *state;

    stage_move(stage, 100 * DAY);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        expect_ahead(subject_number(stage, ways[i]), 100 * DAY, ways[i]);
}

static void test_durations_stay_durations(void **state)
{
    struct error e;

    stage_move(*state, 100 * DAY);
    assert_int_equal(clock_rate(&((struct stage *)*state)->clock, 1000, &e), 0);
    assert_in_range(subject_number(*state, "durations"), 1100 * MS, 15 * NANOSECONDS);
}

static void test_a_timer_outlives_the_parent(void **state)
{
    struct stage *stage = *state;
    struct subject subject = subject_start(stage->path, "orphan", NULL, NULL);
    int64_t now;
    char ready;

    subject_hear(&subject, &ready, 1);
    waitpid(subject.pid, NULL, 0);
    stage_move(stage, 11 * DAY);
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
    stage_move(stage, 35 * NANOSECONDS);
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
    expect_ahead(subject_number(*state, "leave"), 0, "the one who left");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, stage_setup, stage_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_calendar_is_inherited),      TEST(test_durations_stay_durations),
        TEST(test_a_timer_outlives_the_parent),    TEST(test_a_period_is_the_calendar_s),
        TEST(test_the_watcher_keeps_nobody_alive),
    };

    if (argc > 1)
        return subject_play(parts, sizeof parts / sizeof parts[0], argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
