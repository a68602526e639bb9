/* What a tree of processes has done lately, as far as it can be told that somebody is not done yet. */
#include "faketime/activity.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LOOKS 50

static void spin(void)
{
    for (;;)
        ;
}

static void sleep_on(void)
{
    for (;;)
        pause();
}

/* On the processor that this test is on, and on no other; ends with the test. */
static pid_t start(void (*body)(void), int policy)
{
    struct sched_param none = {0};
    cpu_set_t here;
    int begun[2];
    char byte = 0;
    pid_t pid;

    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    assert_int_equal(pipe(begun), 0);
    pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
            sched_setaffinity(0, sizeof here, &here) == 0 &&
            sched_setscheduler(0, policy, &none) == 0 && write(begun[1], &byte, 1) == 1)
            body();
        _exit(1);
    }
    assert_true(pid > 0);
    assert_int_equal(read(begun[0], &byte, 1), 1);
    close(begun[0]);
    close(begun[1]);
    return pid;
}

static void end(pid_t pid)
{
    int status;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

/* The greedy one leaves it so little that between two looks it has mostly run not once. */
static void test_who_waits_for_a_processor_has_done_something(void **state)
{
    pid_t starved = start(spin, SCHED_IDLE), greedy = start(spin, SCHED_OTHER);
    struct error e;
    struct activity *activity = activity_of(starved, &e);

    (void)state;
    assert_non_null(activity);
    for (int i = 0; i < LOOKS; i++)
        assert_true(activity_since(activity, 0).done > 0);
    activity_free(activity);
    end(greedy);
    end(starved);
}

static void test_who_sleeps_has_done_nothing(void **state)
{
    pid_t sleeper = start(sleep_on, SCHED_OTHER);
    struct error e;
    struct activity *activity = activity_of(sleeper, &e);

    (void)state;
    assert_non_null(activity);
    while (activity_since(activity, 0).done > 0) /* until it has come to that */
        sched_yield();
    for (int i = 0; i < LOOKS; i++)
        assert_int_equal(activity_since(activity, 0).done, 0);
    activity_free(activity);
    end(sleeper);
}

/* As the kernel has it, whoever waits for his child as in vfork(2) waits as for a disk. */
static void await_child(void)
{
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, 0);

    if (child == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
        sleep_on();
    waitpid(child, NULL, 0);
}

static void test_who_waits_for_a_disk_has_done_something(void **state)
{
    pid_t waiting = start(await_child, SCHED_OTHER);
    struct error e;
    struct activity *activity = activity_of(waiting, &e);

    (void)state;
    assert_non_null(activity);
    while (activity->tree.count < 2)
        activity_since(activity, 0);
    for (int i = 0; i < LOOKS; i++)
        assert_true(activity_since(activity, 0).done > 0);
    assert_int_equal(kill(activity->tree.pids[1], SIGKILL), 0);
    assert_int_equal(waitpid(waiting, NULL, 0), waiting);
    activity_free(activity);
}

static void test_who_ends_has_done_something(void **state)
{
    pid_t sleeper = start(sleep_on, SCHED_OTHER);
    struct error e;
    struct activity *activity = activity_of(sleeper, &e);

    (void)state;
    assert_non_null(activity);
    while (activity_since(activity, 0).done > 0)
        sched_yield();
    end(sleeper);
    assert_true(activity_since(activity, 0).done > 0);
    assert_int_equal(activity_since(activity, 0).done, 0);
    activity_free(activity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_waits_for_a_processor_has_done_something),
        cmocka_unit_test(test_who_sleeps_has_done_nothing),
        cmocka_unit_test(test_who_waits_for_a_disk_has_done_something),
        cmocka_unit_test(test_who_ends_has_done_something),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
