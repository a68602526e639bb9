/* Token buckets: as many as they hold, then one at a time, at Let's Encrypt's own rates. */
#include "fakeca/limit.h"

#include "tests/fakeca/fixture.h"

static void *fixture;

static int open_store(void **state)
{
    struct error e;

    if (fixture_open(&fixture) < 0)
        return -1;
    *state = store_open(((struct fixture *)fixture)->state, &e);
    return *state == NULL ? -1 : 0;
}

static int close_store(void **state)
{
    store_close(*state);
    return fixture_close(&fixture);
}

/* How many tokens are to be had at once. */
static int64_t take_all(struct store *store, enum limit limit, const char *who, int64_t now)
{
    int64_t count = 0;
    struct error e;

    for (; limit_wait(store, limit, &limit_rows[limit].rate, who, now) == 0; count++)
        assert_int_equal(limit_spend(store, limit, &limit_rows[limit].rate, who, now, &e), 0);
    return count;
}

static void every_bucket_empties_and_fills(void **state)
{
    for (enum limit limit = 0; limit < LIMITS; limit++) {
        const struct limit_rate *rate = &limit_rows[limit].rate;
        int64_t pace = (rate->period + rate->count - 1) / rate->count; /* seconds a token */

        assert_int_equal(take_all(*state, limit, "me", NOON), rate->count);
        assert_in_range(limit_wait(*state, limit, rate, "me", NOON), 1, pace * 1000);
        assert_int_equal(take_all(*state, limit, "me", NOON + pace), 1);
        assert_int_equal(take_all(*state, limit, "you", NOON), rate->count);
        /* never more than it holds, however long nobody comes */
        assert_int_equal(take_all(*state, limit, "me", NOON + 100 * rate->period), rate->count);
    }
}

static void a_bucket_is_filled_by_hand(void **state)
{
    struct error e;

    assert_int_equal(take_all(*state, LIMIT_SET, "me", NOON), 5);
    assert_int_equal(limit_reset(*state, LIMIT_SET, "me", &e), 0);
    assert_int_equal(take_all(*state, LIMIT_SET, "me", NOON), 5);
}

static void rates_are_read(void **state)
{
    static const char *const bad[] = {"", "5", "5/", "/7d", "0/7d", "-1/7d", "5/7", "5/0s", "x/7d"};
    struct limit_rate rate;
    struct error e;

    (void)state;
    assert_int_equal(limit_rate_parse("5/7d", &rate, &e), 0);
    assert_int_equal(rate.count, 5);
    assert_int_equal(rate.period, 7 * DAY);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(limit_rate_parse(bad[i], &rate, &e), -1);
}

static void the_list_says_what_is_registered(void **state)
{
    (void)state;
    assert_string_equal(limit_domain("a.b.shop.test"), "shop.test");
    assert_string_equal(limit_domain("a.b.shop.co.uk"), "shop.co.uk");
    assert_string_equal(limit_domain("test"), "test");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_bucket_empties_and_fills, open_store, close_store),
        cmocka_unit_test_setup_teardown(a_bucket_is_filled_by_hand, open_store, close_store),
        cmocka_unit_test(rates_are_read),
        cmocka_unit_test(the_list_says_what_is_registered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
