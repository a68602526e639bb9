/* "Did you mean ...?" helps with typing errors, and is silent otherwise. */
#include "testbed/wire/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const words[] = {"expired",    "revoked", "refused",
                                    "wrong-name", "ok",      "not-a-ca"};

static const char *near(const char *word)
{
    return nearest(word, words, sizeof words / sizeof words[0]);
}

static void typing_errors_are_recognised(void **state)
{
    (void)state;
    assert_string_equal(near("expire"), "expired");   /* one missing */
    assert_string_equal(near("exxpired"), "expired"); /* one too many */
    assert_string_equal(near("expirad"), "expired");  /* another one */
    assert_string_equal(near("exipred"), "expired");  /* swapped neighbours */
    assert_string_equal(near("wrong_name"), "wrong-name");
    assert_string_equal(near("wrngname"), "wrong-name"); /* two */
    assert_string_equal(near("ko"), "ok");
}

static void the_nearest_wins(void **state)
{
    (void)state;
    assert_string_equal(near("refuked"), "refused");
    assert_string_equal(near("revokid"), "revoked");
    assert_ptr_equal(near("ok"), words[4]); /* the candidate's own pointer */
}

static void other_words_get_no_suggestion(void **state)
{
    (void)state;
    assert_null(near(""));
    assert_null(near("x"));
    assert_null(near("banana"));
    assert_null(near("certificate-has-run-out"));
    assert_null(nearest("expired", words, 0));
}

static void the_longest_word_fits_and_a_longer_one_is_nobodys(void **state)
{
    char longest[64], longer[65], huge[5000];
    const char *const candidates[] = {longest, longer, huge};

    (void)state;
    memset(longest, 'a', 63);
    memset(longer, 'a', 64);
    memset(huge, 'a', sizeof huge - 1);
    longest[63] = longer[64] = huge[sizeof huge - 1] = '\0';
    assert_ptr_equal(nearest(longest, candidates, 3), longest);
    assert_null(nearest(longer, candidates, 3));
    assert_null(nearest(huge, candidates, 3));
    longest[0] = 'b';
    assert_null(nearest("b", candidates, 3));
}

static void bytes_are_only_bytes(void **state)
{
    static const char *const accents[] = {"größe"};

    (void)state;
    assert_string_equal(nearest("größen", accents, 1), "größe");
    assert_null(near("\xff\xfe\x01"));
}

static void a_row_is_found_by_its_name_or_the_nearest_told(void **state)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {
        {"expired", 1},
        {"revoked", 2},
    };
    struct error e;

    (void)state;
    assert_ptr_equal(table_find("revoked", rows, 2, sizeof rows[0], "fault", "faults", &e),
                     &rows[1]);
    assert_null(table_find("revokid", rows, 2, sizeof rows[0], "fault", "faults", &e));
    assert_string_equal(e.text, "unknown fault 'revokid'; did you mean revoked?");
    assert_null(table_find("banana", rows, 2, sizeof rows[0], "fault", "faults", &e));
    assert_string_equal(e.text, "unknown fault 'banana'; `faults` lists them");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typing_errors_are_recognised),
        cmocka_unit_test(the_nearest_wins),
        cmocka_unit_test(other_words_get_no_suggestion),
        cmocka_unit_test(the_longest_word_fits_and_a_longer_one_is_nobodys),
        cmocka_unit_test(bytes_are_only_bytes),
        cmocka_unit_test(a_row_is_found_by_its_name_or_the_nearest_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
