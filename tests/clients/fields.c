/* A row of an option table is a field, read strictly. */
#include "clients/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "clients/settings.h"

static const struct option_row rows[] = {SETTINGS_ROWS, {0}};

static int read(const char *text, struct settings *settings, json_t **object, struct error *e)
{
    *object = json_loads(text, 0, NULL);
    assert_non_null(*object);
    return fields_read(rows, *object, settings, e);
}

static void fields_are_options_with_underscores(void **state)
{
    struct settings settings = {0};
    struct error e = {""};
    json_t *object;

    (void)state;
    assert_int_equal(read("{\"connect\": \"a:1\", \"min_version\": \"1.2\", \"skew\": \"-10d\", "
                          "\"crl\": [\"x\", \"y\"], \"trust\": null}",
                          &settings, &object, &e),
                     0);
    assert_string_equal(settings.connect, "a:1");
    assert_string_equal(settings.min_version, "1.2");
    assert_int_equal(settings.skew, -10 * 86400 * INT64_C(1000000000));
    assert_int_equal(settings.crls.count, 2);
    assert_string_equal(settings.crls.items[1], "y");
    assert_null(settings.trust);
    json_decref(object);
}

static void a_flag_that_says_no_is_turned_round(void **state)
{
    struct settings settings = {0};
    struct error e = {""};
    json_t *object;

    (void)state;
    assert_int_equal(read("{\"verify\": false}", &settings, &object, &e), 0);
    assert_true(settings.no_verify);
    json_decref(object);
    assert_int_equal(read("{\"verify\": true}", &settings, &object, &e), 0);
    assert_false(settings.no_verify);
    json_decref(object);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"{\"conect\": \"a:1\"}",      "unknown field 'conect'; did you mean 'connect'?"         },
        {"{\"min-version\": \"1.2\"}", "unknown field 'min-version'; did you mean 'min_version'?"},
        {"{\"quite other\": 1}",       "unknown field 'quite other'"                             },
        {"{\"no_verify\": true}",      "unknown field 'no_verify'; did you mean 'verify'?"       },
        {"{\"connect\": 5}",           "connect: expected a string"                              },
        {"{\"verify\": 1}",            "verify: expected true or false"                          },
        {"{\"crl\": {}}",              "crl: expected a list of strings"                         },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings settings = {0};
        struct error e = {""};
        json_t *object;

        assert_int_equal(read(cases[i].text, &settings, &object, &e), -1);
        assert_string_equal(e.text, cases[i].said);
        json_decref(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_options_with_underscores),
        cmocka_unit_test(a_flag_that_says_no_is_turned_round),
        cmocka_unit_test(mistakes_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
