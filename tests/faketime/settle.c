/* When a step is over: fed with what programs do, and with the time, both made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "faketime/settle.h"

#define MS INT64_C(1000000)

static struct settle settle;
static int64_t now;
static uint64_t waiting; /* for a moment */

static int with_trees(size_t count)
{
    settle = (struct settle){
        .rule = {SETTLE_QUIET, SETTLE_LONG, SETTLE_SOON, SETTLE_GIVEUP}
    };
    now = 0;
    waiting = 0;
    while (count-- > 0)
        assert_int_equal(settle_tree(&settle), 0);
    return 0;
}

static int one_tree(void **state)
{
    (void)state;
    return with_trees(1);
}

static enum settle_answer feed(uint64_t done)
{
    struct settle_look all[SETTLE_TREES] = {
        {.done = done, .waiting = waiting}
    };

    now += 2 * MS;
    return settle_feed(&settle, all, now);
}

/* Until it is over, with `done` at each look: how long that took, in milliseconds. */
static int64_t until(enum settle_answer end, uint64_t done)
{
    int64_t began = now;
    enum settle_answer answer;

    do
        answer = feed(done);
    while (answer == SETTLE_WAIT);
    assert_int_equal(answer, end);
    return (now - began) / MS;
}

static void rest(void)
{
    settle_begin(&settle, SETTLE_REST, now);
    until(SETTLE_DONE, 0);
}

/* One that gives that much to do, at once. */
static int64_t step(uint64_t done)
{
    int64_t began = now;

    settle_begin(&settle, SETTLE_STEP, now);
    assert_int_equal(feed(done), SETTLE_WAIT);
    until(SETTLE_DONE, 0);
    return (now - began) / MS;
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    rest();
    assert_int_equal(now, 600 * MS);
    settle_begin(&settle, SETTLE_STEP, now);
    assert_int_equal(until(SETTLE_DONE, 0), 10);
    assert_false(settle.is_long);
}

static void test_whoever_is_busy_is_waited_for(void **state)
{
    (void)state;
    rest();
    settle_begin(&settle, SETTLE_STEP, now);
    for (int i = 0; i < 20; i++)
        assert_int_equal(feed(1), SETTLE_WAIT);
    assert_int_equal(until(SETTLE_DONE, 0), 10);
    assert_false(settle.is_long);
}

static void test_a_step_that_gives_much_to_do_waits_for_silence(void **state)
{
    (void)state;
    rest();
    assert_in_range(step(SETTLE_MANY), 10, 14);
    assert_false(settle.is_long);
    assert_in_range(step(SETTLE_TIMES * SETTLE_MANY + 1), 610, 614);
    assert_true(settle.is_long);
}

/* What an ACME client does: it asks four times a second, and sleeps in between. */
static void test_an_order_is_not_cut_off(void **state)
{
    (void)state;
    rest();
    for (int i = 0; i < 5; i++)
        step(20);
    settle_begin(&settle, SETTLE_STEP, now);
    feed(100);
    for (int i = 0; i < 8; i++) {
        for (int k = 0; k < 124; k++)
            assert_int_equal(feed(0), SETTLE_WAIT);
        assert_int_equal(feed(9), SETTLE_WAIT);
    }
    assert_int_equal(until(SETTLE_DONE, 0), 600);
}

/* The same, and it did not have much to do when it began. */
static void test_whoever_is_to_ask_again_is_waited_for(void **state)
{
    (void)state;
    rest();
    settle_begin(&settle, SETTLE_STEP, now);
    feed(5);
    waiting = 1;
    for (int i = 0; i < 500; i++)
        assert_int_equal(feed(i % 125 == 124), SETTLE_WAIT);
    waiting = 0;
    assert_int_equal(until(SETTLE_DONE, 0), 10);
    assert_false(settle.is_long);
}

/* A watchdog looks ten times a second; a second timer is work. */
static void test_timers_at_rest_are_no_work(void **state)
{
    (void)state;
    waiting = 1;
    rest();
    settle_begin(&settle, SETTLE_STEP, now);
    assert_int_equal(until(SETTLE_DONE, 0), 10);
    settle_begin(&settle, SETTLE_STEP, now);
    waiting = 2;
    for (int i = 0; i < 500; i++)
        assert_int_equal(feed(0), SETTLE_WAIT);
    assert_int_equal(until(SETTLE_NEVER, 0), SETTLE_GIVEUP / MS - 1000);
    settle_begin(&settle, SETTLE_STEP, now);
    assert_int_equal(until(SETTLE_DONE, 0), 10);
}

/* A Go program has a dozen threads, and each step wakes them all. */
static void test_much_that_is_usual_is_not_much(void **state)
{
    (void)state;
    rest();
    assert_in_range(step(90), 610, 614);
    for (int i = 0; i < 5; i++)
        assert_in_range(step(90), 10, 14);
    assert_in_range(step(270), 10, 14);
    assert_in_range(step(271), 610, 614);
}

static void test_each_tree_is_judged_by_itself(void **state)
{
    const struct settle_look loud[2] =
        {
            {1000, 0},
            {10,   0}
    },
                             odd[2] = {{1000, 0}, {100, 0}};
    const struct settle_look nothing[2] = {{0}};

    (void)state;
    with_trees(2);
    rest();
    for (int i = 0; i < 8; i++) {
        settle_begin(&settle, SETTLE_STEP, now);
        settle_feed(&settle, i < 7 ? loud : odd, now += MS);
        while (settle_feed(&settle, nothing, now += MS) == SETTLE_WAIT)
            ;
        assert_int_equal(settle.is_long, i == 0 || i == 7);
    }
}

/* A Java machine looks after itself fifty times a second: thirty in a silence. */
static void test_one_that_is_never_still_settles_too(void **state)
{
    (void)state;
    settle_begin(&settle, SETTLE_REST, now);
    for (int i = 0; feed(i % 10 == 0) == SETTLE_WAIT; i++)
        ;
    settle_begin(&settle, SETTLE_STEP, now);
    feed(500);
    for (int i = 0; feed(i % 10 == 0) == SETTLE_WAIT; i++)
        assert_true(i < 320);
    assert_true(settle.is_long);
    /* but much more than that is work */
    settle_begin(&settle, SETTLE_STEP, now);
    feed(5000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(feed(i % 5 == 0), SETTLE_WAIT);
}

/* It was watched while it started up. */
static void test_the_stillest_counts(void **state)
{
    (void)state;
    settle_begin(&settle, SETTLE_REST, now);
    until(SETTLE_DONE, 100);
    step(SETTLE_MANY + 1); /* still at last: nothing is nothing from now on */
    settle_begin(&settle, SETTLE_STEP, now);
    assert_int_equal(until(SETTLE_NEVER, 1), SETTLE_GIVEUP / MS);
}

static void test_one_that_never_settles_costs_patience_once(void **state)
{
    (void)state;
    rest();
    settle_begin(&settle, SETTLE_STEP, now);
    assert_int_equal(until(SETTLE_NEVER, 3), SETTLE_GIVEUP / MS);
    settle_begin(&settle, SETTLE_STEP, now);
    assert_in_range(until(SETTLE_DONE, 3), 10, 620);
}

static void test_one_that_is_forgotten(void **state)
{
    (void)state;
    with_trees(3);
    rest();
    settle.trees[1].usual[0] = 7;
    settle.trees[2].usual[0] = 8;
    settle_forget(&settle, 1);
    assert_int_equal(settle.count, 2);
    assert_int_equal(settle.trees[1].usual[0], 8);
    with_trees(SETTLE_TREES);
    assert_int_equal(settle_tree(&settle), -1);
}

#define TEST(function) cmocka_unit_test_setup(function, one_tree)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_to_do),
        TEST(test_whoever_is_busy_is_waited_for),
        TEST(test_a_step_that_gives_much_to_do_waits_for_silence),
        TEST(test_an_order_is_not_cut_off),
        TEST(test_whoever_is_to_ask_again_is_waited_for),
        TEST(test_timers_at_rest_are_no_work),
        TEST(test_much_that_is_usual_is_not_much),
        TEST(test_each_tree_is_judged_by_itself),
        TEST(test_one_that_is_never_still_settles_too),
        TEST(test_the_stillest_counts),
        TEST(test_one_that_never_settles_costs_patience_once),
        TEST(test_one_that_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
