/* Command lines from tables: what is understood, and the one line a mistake gets. */
#include "testbed/wire/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct arguments {
    const char *trust;
    struct option_list crls;
    int64_t timeout;
    long jobs, number;
    bool json, help;
};

#define AT(field) offsetof(struct arguments, field)

/* clang-format off */
static const struct option_row rows[] = {
    {"trust",   "FILE", "roots",                OPTION_TEXT,     AT(trust)},
    {"crl",     "FILE", "a CRL",                OPTION_LIST,     AT(crls)},
    {"timeout", "T",    "give up after T [5s]", OPTION_DURATION, AT(timeout)},
    {"number",  "N",    "how many",             OPTION_NUMBER,   AT(number)},
    {"j",       "N",    "side by side [1]",     OPTION_NUMBER,   AT(jobs)},
    {"json",    NULL,   "one JSON object",      OPTION_FLAG,     AT(json)},
    {"help",    NULL,   "this text",            OPTION_FLAG,     AT(help)},
    {0},
};
/* clang-format on */

struct parsed {
    struct arguments arguments;
    struct option_list rest;
    struct error e;
    int result;
};

/* Every argument in memory of its own, so that reading past one is seen. */
static struct parsed parse(size_t count, const char *const *words)
{
    struct parsed parsed = {.e = {"nothing wrong"}};
    char **argv = calloc(count + 2, sizeof *argv);

    assert_non_null(argv);
    argv[0] = strdup("program");
    for (size_t i = 0; i < count; i++)
        argv[i + 1] = strdup(words[i]);
    parsed.result =
        options_parse(rows, (int)count + 1, argv, &parsed.arguments, &parsed.rest, &parsed.e);
    for (size_t i = 0; i <= count; i++)
        free(argv[i]);
    free(argv);
    return parsed;
}

#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define PARSE(...) parse(sizeof WORDS(__VA_ARGS__) / sizeof(char *), WORDS(__VA_ARGS__))

/* Texts are borrowed from argv, so they are compared while it lives. */
static int parse_here(int argc, const char **argv, struct arguments *into, struct option_list *rest,
                      struct error *e)
{
    return options_parse(rows, argc, (char **)argv, into, rest, e);
}

static void options_and_the_rest_are_told_apart(void **state)
{
    const char *argv[] = {"program", "first", "--trust", "a.pem", "--crl=b.pem",
                          "--crl",   "c.pem", "-j",      "4",     "--json",
                          "-",       "",      "--",      "--json"};
    struct arguments got = {0};
    struct option_list rest = {0};
    struct error e;

    (void)state;
    assert_int_equal(parse_here(14, argv, &got, &rest, &e), 0);
    assert_string_equal(got.trust, "a.pem");
    assert_int_equal(got.crls.count, 2);
    assert_string_equal(got.crls.items[0], "b.pem");
    assert_string_equal(got.crls.items[1], "c.pem");
    assert_int_equal(got.jobs, 4);
    assert_true(got.json);
    assert_int_equal(rest.count, 4);
    assert_string_equal(rest.items[0], "first");
    assert_string_equal(rest.items[1], "-");
    assert_string_equal(rest.items[2], "");
    assert_string_equal(rest.items[3], "--json");
}

static void a_value_may_look_like_anything(void **state)
{
    const char *argv[] = {"program", "--trust=", "--timeout", "-10d",
                          "--crl",   "--json",   "--crl=a=b"};
    struct arguments got = {0};
    struct option_list rest = {0};
    struct error e;

    (void)state;
    assert_int_equal(parse_here(7, argv, &got, &rest, &e), 0);
    assert_string_equal(got.trust, "");
    assert_true(got.timeout == -INT64_C(864000) * 1000000000);
    assert_string_equal(got.crls.items[0], "--json");
    assert_string_equal(got.crls.items[1], "a=b");
    assert_false(got.json);
}

static void what_is_absent_stays_as_it_was(void **state)
{
    const char *argv[] = {"program"};
    struct arguments got = {.timeout = 5, .jobs = 1};
    struct option_list rest = {0};
    struct error e;

    (void)state;
    assert_int_equal(parse_here(1, argv, &got, &rest, &e), 0);
    assert_true(got.timeout == 5 && got.jobs == 1 && rest.count == 0);
}

static void assert_mistake(struct parsed parsed, const char *line)
{
    assert_int_equal(parsed.result, -1);
    assert_string_equal(parsed.e.text, line);
}

static void mistakes_get_one_clear_line(void **state)
{
    (void)state;
    assert_mistake(PARSE("--trsut", "x"), "unknown option '--trsut'; did you mean --trust?");
    assert_mistake(PARSE("--tmeout=5s"), "unknown option '--tmeout=5s'; did you mean --timeout?");
    assert_mistake(PARSE("--bananas"), "unknown option '--bananas'; --help lists them");
    assert_mistake(PARSE("-x"), "unknown option '-x'; --help lists them");
    assert_mistake(PARSE("--=x"), "unknown option '--=x'; --help lists them");
    assert_mistake(PARSE("--trust"), "--trust needs a value: --trust FILE");
    assert_mistake(PARSE("--json=yes"), "--json takes no value");
    assert_mistake(PARSE("--timeout", "5"),
                   "--timeout: '5' is not a duration; expected a number with a unit, such as 90d, "
                   "1h30m or 200ms");
    assert_mistake(PARSE("--a\nb"), "unknown option '--a?b'; --help lists them");
}

static void help_is_only_promised_where_there_is_some(void **state)
{
    static const struct option_row helpless[] = {
        {"json",             NULL, "one JSON object", OPTION_FLAG, AT(json)},
        {0},
    };
    char program[] = "program", help[] = "--help";
    char *argv[] = {program, help};
    struct arguments into = {0};
    struct option_list rest = {0};
    struct error e;

    (void)state;
    assert_int_equal(options_parse(helpless, 2, argv, &into, &rest, &e), -1);
    assert_string_equal(e.text, "unknown option '--help'");
}

static void only_whole_numbers_are_numbers(void **state)
{
    static const char *const bad[] = {"", " 5", "+5", "-5", "5 ", "5x", "0x5", "1e3", "five"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct parsed parsed = PARSE("-j", bad[i]);

        assert_int_equal(parsed.result, -1);
        assert_non_null(strstr(parsed.e.text, "-j: '"));
        assert_non_null(strstr(parsed.e.text, "is not a whole number, 0 or more"));
    }
    assert_mistake(PARSE("-j", "99999999999999999999"),
                   "-j: 99999999999999999999 is more than 9223372036854775807, the most there is");
    assert_int_equal(PARSE("--number", "0").result, 0);
    assert_true(PARSE("--number", "9223372036854775807").arguments.number == INT64_MAX);
}

static void an_empty_argument_is_an_argument(void **state)
{
    struct parsed parsed = PARSE("", "-", "");

    (void)state;
    assert_int_equal(parsed.result, 0);
    assert_int_equal(parsed.rest.count, 3);
}

static void a_list_is_full_at_some_point(void **state)
{
    const char *words[OPTION_LIST_MAX + 1];
    struct parsed parsed;

    (void)state;
    for (size_t i = 0; i <= OPTION_LIST_MAX; i++)
        words[i] = "--crl=x";
    parsed = parse(OPTION_LIST_MAX, words);
    assert_int_equal(parsed.result, 0);
    parsed = parse(OPTION_LIST_MAX + 1, words);
    assert_mistake(parsed, "--crl: given more than 64 times");
    for (size_t i = 0; i <= OPTION_LIST_MAX; i++)
        words[i] = "x";
    parsed = parse(OPTION_LIST_MAX + 1, words);
    assert_mistake(parsed, "'x' is one too many; expected at most 64 arguments");
}

static void a_huge_argument_is_refused_and_not_more(void **state)
{
    char *huge = malloc(200001);

    (void)state;
    assert_non_null(huge);
    memset(huge, '-', 200000);
    huge[200000] = '\0';
    assert_int_equal(PARSE(huge).result, -1);
    memset(huge + 2, 'x', 199998);
    assert_int_equal(PARSE(huge).result, -1);
    assert_int_equal(PARSE("--timeout", huge).result, -1);
    free(huge);
}

static void usage_is_one_line_an_option(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    (void)state;
    assert_non_null(out);
    options_print(rows, out);
    fclose(out);
    assert_non_null(strstr(text, "  --trust FILE               roots\n"));
    assert_non_null(strstr(text, "  -j N                       side by side [1]\n"));
    assert_non_null(strstr(text, "  --json                     one JSON object\n"));
    free(text);
}

static void a_letter_has_its_value_beside_it_or_after_it(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-j", "4").arguments.jobs, 4);
    assert_int_equal(PARSE("-j4").arguments.jobs, 4);
    assert_int_equal(PARSE("-j=4").arguments.jobs, 4);
    assert_string_equal(PARSE("-jay").e.text, "-j: 'ay' is not a whole number, 0 or more");
    assert_string_equal(PARSE("-tiemout").e.text,
                        "unknown option '-tiemout'; did you mean --timeout?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_the_rest_are_told_apart),
        cmocka_unit_test(a_value_may_look_like_anything),
        cmocka_unit_test(what_is_absent_stays_as_it_was),
        cmocka_unit_test(mistakes_get_one_clear_line),
        cmocka_unit_test(help_is_only_promised_where_there_is_some),
        cmocka_unit_test(only_whole_numbers_are_numbers),
        cmocka_unit_test(an_empty_argument_is_an_argument),
        cmocka_unit_test(a_list_is_full_at_some_point),
        cmocka_unit_test(a_huge_argument_is_refused_and_not_more),
        cmocka_unit_test(usage_is_one_line_an_option),
        cmocka_unit_test(a_letter_has_its_value_beside_it_or_after_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
