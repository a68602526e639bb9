/* The vocabulary: one table, and what it promises. */
#include "clients/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_word_is_there_once(void **state)
{
    (void)state;
    for (enum outcome one = 0; one < OUTCOME_COUNT; one++) {
        assert_true(strlen(outcome_word(one)) > 0);
        assert_true(strlen(outcome_gloss(one)) > 0);
        assert_int_equal(strspn(outcome_word(one), "abcdefghijklmnopqrstuvwxyz-"),
                         strlen(outcome_word(one)));
        for (enum outcome other = 0; other < one; other++)
            assert_string_not_equal(outcome_word(one), outcome_word(other));
    }
}

static void the_earlier_row_is_to_blame(void **state)
{
    (void)state;
    assert_int_equal(outcome_blame(OUTCOME_EXPIRED, OUTCOME_UNKNOWN_ISSUER),
                     OUTCOME_UNKNOWN_ISSUER);
    assert_int_equal(outcome_blame(OUTCOME_UNKNOWN_ISSUER, OUTCOME_EXPIRED),
                     OUTCOME_UNKNOWN_ISSUER);
    assert_int_equal(outcome_blame(OUTCOME_OTHER, OUTCOME_EXPIRED), OUTCOME_EXPIRED);
    assert_int_equal(outcome_blame(OUTCOME_EXPIRED, OUTCOME_EXPIRED), OUTCOME_EXPIRED);
}

static void success_is_never_to_blame(void **state)
{
    (void)state;
    assert_int_equal(outcome_blame(OUTCOME_OK, OUTCOME_OTHER), OUTCOME_OTHER);
    assert_int_equal(outcome_blame(OUTCOME_OTHER, OUTCOME_OK), OUTCOME_OTHER);
    assert_int_equal(outcome_blame(OUTCOME_OK, OUTCOME_OK), OUTCOME_OK);
}

static void alerts_have_the_names_of_the_rfc(void **state)
{
    (void)state;
    assert_null(alert_word(ALERT_NONE));
    assert_string_equal(alert_word(40), "handshake_failure");
    assert_string_equal(alert_word(116), "certificate_required");
    assert_string_equal(alert_word(77), "alert_77");
}

static void what_an_alert_means_depends_on_when_it_comes(void **state)
{
    (void)state;
    assert_int_equal(alert_outcome(40, 0), OUTCOME_NO_SHARED_CIPHER);
    assert_int_equal(alert_outcome(40, 1), OUTCOME_ALERT_HANDSHAKE_FAILURE);
    assert_int_equal(alert_outcome(70, 0), OUTCOME_PROTOCOL_VERSION);
    assert_int_equal(alert_outcome(116, 1), OUTCOME_ALERT_CERTIFICATE_REQUIRED);
    assert_int_equal(alert_outcome(77, 0), OUTCOME_ALERT_OTHER);
    assert_int_equal(alert_outcome(255, 1), OUTCOME_ALERT_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_is_there_once),
        cmocka_unit_test(the_earlier_row_is_to_blame),
        cmocka_unit_test(success_is_never_to_blame),
        cmocka_unit_test(alerts_have_the_names_of_the_rfc),
        cmocka_unit_test(what_an_alert_means_depends_on_when_it_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
