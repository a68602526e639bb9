/* Durations and points in time: what is understood, what is refused, and that both come back. */
#include "testbed/wire/moment.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S      NANOSECONDS
#define DAY    (86400 * S)
#define LEN(a) (sizeof(a) / sizeof(a)[0])

static const struct {
    const char *text;
    int64_t nanoseconds;
} durations[] = {
    {"90d",                                    90 * DAY         },
    {"1h30m",                                  5400 * S         },
    {"200ms",                                  S / 5            },
    {"-10d",                                   -10 * DAY        },
    {"+10d",                                   10 * DAY         },
    {"1.5s",                                   S + S / 2        },
    {"0s",                                     0                },
    {"-0s",                                    0                },
    {"1ns",                                    1                },
    {"1us",                                    1000             },
    {"1m1ms",                                  60 * S + S / 1000},
    {"2w",                                     14 * DAY         },
    {"1y",                                     365 * DAY        },
    {"0.000000001s",                           1                },
    {"0.1y",                                   365 * DAY / 10   },
    {"1.000000000000000000000000001s",         S                },
 /* exact to the nanosecond, far beyond what a double can tell apart */
    {"100y1ns",                                36500 * DAY + 1  },
    {"9223372036854775807ns",                  INT64_MAX        },
    {"-9223372036854775807ns",                 -INT64_MAX       },
    {"0000000000000000000000000000000000005s", 5 * S            },
};

static void durations_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(durations); i++) {
        struct error e = {"nothing wrong"};
        int64_t got = 0;

        if (duration_parse(durations[i].text, &got, &e) < 0)
            fail_msg("%s: %s", durations[i].text, e.text);
        if (got != durations[i].nanoseconds)
            fail_msg("%s is %" PRId64, durations[i].text, got);
        assert_string_equal(e.text, "nothing wrong");
    }
}

static void other_durations_are_refused(void **state)
{
    static const char *const bad[] = {
        "",     "5",    "-",    "+",     "s",    "d90", "90 d", " 90d", "90d ",  "--90d", "1h-30m",
        "0x1s", "1e3s", "infs", "nand",  "1.s",  ".5s", "1,5s", "90D",  "90dd",  "1h 1m", "1..5s",
        "5mm",  "1.5",  "90d1", "\n90d", "1s\n", "१s",  "1sé",  "-+1s", "1.-5s",
    };

    (void)state;
    for (size_t i = 0; i < LEN(bad); i++) {
        struct error e;
        int64_t got = 42;

        if (duration_parse(bad[i], &got, &e) == 0)
            fail_msg("'%s' was understood as %" PRId64, bad[i], got);
        assert_non_null(strstr(e.text, "is not a duration; expected a number with a unit"));
        assert_int_equal(got, 42);
    }
}

static void durations_beyond_292_years_are_refused(void **state)
{
    static const char *const bad[] = {
        "293y",
        "-293y",
        "292y1y",
        "9223372036854775808ns",
        "99999999999999999999999999s",
        "9223372036.854775808s",
        "200y100y",
        "106752d",
    };

    (void)state;
    for (size_t i = 0; i < LEN(bad); i++) {
        struct error e;
        int64_t got;

        assert_int_equal(duration_parse(bad[i], &got, &e), -1);
        assert_non_null(strstr(e.text, "is longer than 292 years"));
    }
}

static void durations_are_told_by_their_two_largest_units(void **state)
{
    static const struct {
        int64_t nanoseconds;
        const char *text;
    } told[] = {
        {0,             "0s"       },
        {90 * DAY,      "90d"      },
        {400 * DAY,     "1y35d"    },
        {13 * DAY,      "13d"      },
        {5400 * S,      "1h30m"    },
        {3600 * S + 1,  "1h1ns"    },
        {S * 205 / 100, "2.05s"    },
        {17 * S / 1000, "17ms"     },
        {1234567,       "1.23ms"   },
        {123456789,     "123ms"    },
        {999,           "999ns"    },
        {-5400 * S,     "-1h30m"   },
        {INT64_MAX,     "292y171d" },
        {INT64_MIN,     "-292y171d"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(told); i++) {
        char text[DURATION_TEXT];

        duration_format(told[i].nanoseconds, text);
        assert_string_equal(text, told[i].text);
    }
}

#define NOW INT64_C(1793836800) /* 2026-11-05T00:00:00Z */

static const struct {
    const char *text;
    int64_t seconds;
} moments[] = {
    {"2027-03-01T00:00:00Z", 1803859200      },
    {"2027-03-01T00:00:00",  1803859200      },
    {"2027-03-01",           1803859200      },
    {"2028-02-29",           1835395200      },
    {"1970-01-01T00:00:00Z", 0               },
    {"1969-12-31T23:59:59Z", -1              },
    {"9999-12-31T23:59:59Z", 253402300799    },
    {"@1793836800",          1793836800      },
    {"@0",                   0               },
    {"@-1",                  -1              },
    {"@9223372036854775807", INT64_MAX       },
    {"+90d",                 NOW + 90 * 86400},
    {"-10d",                 NOW - 10 * 86400},
    {"+0s",                  NOW             },
    {"+999ms",               NOW             },
};

static void moments_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(moments); i++) {
        struct error e;
        int64_t got = 0;

        if (moment_parse(moments[i].text, NOW, &got, &e) < 0)
            fail_msg("%s: %s", moments[i].text, e.text);
        if (got != moments[i].seconds)
            fail_msg("%s is %" PRId64, moments[i].text, got);
    }
}

static void other_moments_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "now",
        "2027",
        "2027-02-30",
        "2027-02-29",
        "2027-04-31T00:00:00Z",
        "2027-13-01",
        "2027-00-01",
        "2027-01-00",
        "2027-01-01T24:00:00Z",
        "2027-01-01T00:60:00Z",
        "2027-01-01T00:00:60Z",
        "2027-01-01T00:00:61Z",
        "27-03-01",
        "2027-3-1",
        "2027- 3-01",
        "12027-03-01",
        " 2027-03-01",
        "2027-03-01 ",
        "2027-03-01 00:00:00",
        "2027-03-01T00:00:00+01:00",
        "2027-03-01T00:00Z",
        "2027-03-01T00:00:00.5Z",
        "1793836800",
        "@",
        "@-",
        "@ 5",
        "@+5",
        "@5s",
        "@1e9",
        "@9223372036854775808",
        "@-9223372036854775809",
        "\xff\xfe",
    };

    (void)state;
    for (size_t i = 0; i < LEN(bad); i++) {
        struct error e;
        int64_t got;

        if (moment_parse(bad[i], NOW, &got, &e) == 0)
            fail_msg("'%s' was understood as %" PRId64, bad[i], got);
        assert_non_null(strstr(e.text, "is not a time; expected 2027-03-01T00:00:00Z"));
    }
}

static void an_offset_that_is_no_duration_is_told_as_one(void **state)
{
    struct error e;
    int64_t got;

    (void)state;
    assert_int_equal(moment_parse("+90", NOW, &got, &e), -1);
    assert_non_null(strstr(e.text, "'+90' is not a duration"));
    assert_int_equal(moment_parse("+1y", INT64_MAX, &got, &e), -1);
    assert_non_null(strstr(e.text, "beyond every calendar"));
    assert_int_equal(moment_parse("-1y", INT64_MIN, &got, &e), -1);
}

static void a_moment_comes_back_as_it_was_told(void **state)
{
    static const int64_t times[] = {0, -1, NOW, 253402300799, -62135596800, 951782400};

    (void)state;
    for (size_t i = 0; i < LEN(times); i++) {
        char text[MOMENT_TEXT];
        struct error e;
        int64_t again = 42;

        moment_format(times[i], text);
        assert_int_equal(strlen(text), strlen("2027-03-01T00:00:00Z"));
        assert_int_equal(moment_parse(text, NOW, &again, &e), 0);
        assert_true(again == times[i]);
    }
}

static void a_moment_beyond_the_calendar_is_told_in_seconds(void **state)
{
    char text[MOMENT_TEXT];

    (void)state;
    moment_format(INT64_MAX, text);
    assert_string_equal(text, "@9223372036854775807");
    moment_format(INT64_MIN, text);
    assert_string_equal(text, "@-9223372036854775808");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_understood),
        cmocka_unit_test(other_durations_are_refused),
        cmocka_unit_test(durations_beyond_292_years_are_refused),
        cmocka_unit_test(durations_are_told_by_their_two_largest_units),
        cmocka_unit_test(moments_are_understood),
        cmocka_unit_test(other_moments_are_refused),
        cmocka_unit_test(an_offset_that_is_no_duration_is_told_as_one),
        cmocka_unit_test(a_moment_comes_back_as_it_was_told),
        cmocka_unit_test(a_moment_beyond_the_calendar_is_told_in_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
