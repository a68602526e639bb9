/* Nonces: each is good once, and only from the server that gave it. */
#include "fakeca/nonce.h"

#include "tests/fakeca/fixture.h"

static void each_is_good_once(void **state)
{
    struct nonces nonces;
    char first[NONCE_TEXT], second[NONCE_TEXT];
    struct error e;

    (void)state;
    MUST(nonces_open(&nonces, &e));
    nonce_new(&nonces, first);
    nonce_new(&nonces, second);
    assert_string_not_equal(first, second);
    assert_true(nonce_spend(&nonces, second));
    assert_false(nonce_spend(&nonces, second));
    assert_true(nonce_spend(&nonces, first));
    assert_false(nonce_spend(&nonces, first));
    nonces_close(&nonces);
}

/* Giving out more does not make one good again that was spent. */
static void spent_ones_stay_spent(void **state)
{
    struct nonces nonces;
    char spent[NONCE_TEXT], next[NONCE_TEXT];
    struct error e;

    (void)state;
    MUST(nonces_open(&nonces, &e));
    nonce_new(&nonces, spent);
    assert_true(nonce_spend(&nonces, spent));
    for (int i = 0; i < 100; i++) {
        nonce_new(&nonces, next);
        assert_false(nonce_spend(&nonces, spent));
    }
    nonces_close(&nonces);
}

static void strangers_are_refused(void **state)
{
    struct nonces nonces, others;
    char nonce[NONCE_TEXT];
    struct error e;

    (void)state;
    MUST(nonces_open(&nonces, &e));
    MUST(nonces_open(&others, &e));
    nonce_new(&others, nonce);
    assert_false(nonce_spend(&nonces, nonce)); /* none was given out yet */
    nonce_new(&nonces, nonce);
    nonce[3] = nonce[3] == 'A' ? 'B' : 'A';
    assert_false(nonce_spend(&nonces, nonce));
    nonce_new(&others, nonce);
    nonce_new(&nonces, (char[NONCE_TEXT]){0});
    assert_false(nonce_spend(&nonces, nonce)); /* of an earlier run, that is */
    assert_false(nonce_spend(&nonces, ""));
    assert_false(nonce_spend(&nonces, "not a nonce at all"));
    nonces_close(&nonces);
    nonces_close(&others);
}

static void the_oldest_are_forgotten(void **state)
{
    struct nonces nonces;
    char oldest[NONCE_TEXT], next[NONCE_TEXT], newer[NONCE_TEXT];
    struct error e;

    (void)state;
    MUST(nonces_open(&nonces, &e));
    nonce_new(&nonces, oldest);
    nonce_new(&nonces, next);
    for (int i = 0; i < NONCES_KEPT - 1; i++)
        nonce_new(&nonces, newer);
    assert_false(nonce_spend(&nonces, oldest));
    assert_true(nonce_spend(&nonces, next));
    assert_true(nonce_spend(&nonces, newer));
    nonces_close(&nonces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_good_once),
        cmocka_unit_test(spent_ones_stay_spent),
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(the_oldest_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
