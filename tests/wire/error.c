/* An error is one line, fit for a terminal, whatever the user gave. */
#include "testbed/wire/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void failing_fills_the_text(void **state)
{
    struct error e;

    (void)state;
    assert_int_equal(failed(&e, "%s: line %d", "scenario.lua", 7), -1);
    assert_string_equal(e.text, "scenario.lua: line 7");
}

static void errno_survives(void **state)
{
    struct error e;

    (void)state;
    errno = ENOSPC;
    failed(&e, "%500s", "");
    assert_int_equal(errno, ENOSPC);
}

static void a_caller_puts_the_place_before_it(void **state)
{
    struct error e;

    (void)state;
    failed(&e, "expected a number");
    assert_int_equal(failed_in(&e, "rate"), -1);
    assert_int_equal(failed_in(&e, "fleet.json"), -1);
    assert_string_equal(e.text, "fleet.json: rate: expected a number");
}

static void a_long_text_is_cut_and_ends(void **state)
{
    struct error e;
    char *huge = test_malloc(100000);

    (void)state;
    memset(huge, 'x', 99999);
    huge[99999] = '\0';
    failed(&e, "%s", huge);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    failed_in(&e, huge);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    test_free(huge);
}

static void it_stays_one_line(void **state)
{
    struct error e;

    (void)state;
    failed(&e, "'%s' is not a verb", "two\nlines\r\x1b[31mred\x7f");
    assert_string_equal(e.text, "'two?lines??[31mred?' is not a verb");
    failed(&e, "%s", "größer");
    assert_string_equal(e.text, "größer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_fills_the_text),
        cmocka_unit_test(errno_survives),
        cmocka_unit_test(a_caller_puts_the_place_before_it),
        cmocka_unit_test(a_long_text_is_cut_and_ends),
        cmocka_unit_test(it_stays_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
