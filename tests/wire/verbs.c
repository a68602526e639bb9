/* Programs with verbs: what runs, what is told, and with which status. */
#include "testbed/wire/verbs.h"

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
};

/* clang-format off */
static const struct option_row rows[] = {
    {"trust", "FILE", "roots", OPTION_TEXT, offsetof(struct arguments, trust)},
    {0},
};
/* clang-format on */

static int ran_with; /* arguments */

static int run(int argc, char **argv)
{
    ran_with = argc;
    assert_string_equal(argv[0], "run");
    return 42;
}

static const struct verb verbs[] = {
    {"run",            "FILE|DIR...", "run scenarios", rows, run},
    {"validate", "FILE", "only look at it", NULL, run},
    {"words",             "", "all of them", rows, run},
    {0      },
};

static void a_verb_is_found_or_the_nearest_named(void **state)
{
    struct error e;

    (void)state;
    assert_ptr_equal(verb_find(verbs, "run", &e), &verbs[0]);
    assert_null(verb_find(verbs, "valdiate", &e));
    assert_string_equal(e.text, "unknown verb 'valdiate'; did you mean 'validate'?");
    assert_null(verb_find(verbs, "dance", &e));
    assert_string_equal(e.text, "unknown verb 'dance'; --help lists them");
    assert_null(verb_find(verbs, "", &e));
}

static void verbs_are_printed_with_their_options(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    (void)state;
    assert_non_null(out);
    verbs_print("rehearse", verbs, out);
    verb_print("rehearse", &verbs[0], out);
    verb_print("rehearse", &verbs[1], out);
    verb_print("rehearse", &verbs[2], out);
    fclose(out);
    assert_non_null(strstr(text, "  rehearse run FILE|DIR...             run scenarios\n"));
    assert_non_null(
        strstr(text, "usage: rehearse run [options] FILE|DIR...\nrun scenarios\n  --trust"));
    assert_non_null(strstr(text, "usage: rehearse validate FILE\nonly look at it\n"));
    assert_non_null(strstr(text, "usage: rehearse words [options]\nall of them\n"));
    free(text);
}

static void more(FILE *out)
{
    fputs("and more\n", out);
}

static const struct status_row statuses[] = {
    {STATUS_DONE,   "done"},
    {STATUS_FAILED, "not" },
    {0,             NULL  },
};

static int status_of(char *one, char *two)
{
    static const struct tool tool = {"rehearse", "rehearses", verbs, more, statuses};
    char *argv[] = {"rehearse", one, two, NULL};

    return verbs_main(&tool, 1 + (one != NULL) + (two != NULL), argv);
}

static void the_status_is_the_verbs_own_or_says_misused(void **state)
{
    (void)state;
    ran_with = 0;
    assert_int_equal(status_of("run", "x"), 42);
    assert_int_equal(ran_with, 2);
    assert_int_equal(status_of(NULL, NULL), STATUS_USAGE);
    assert_int_equal(status_of("dance", NULL), STATUS_USAGE);
    ran_with = 0;
    assert_int_equal(status_of("run", "--help"), 0);
    assert_int_equal(status_of("--help", NULL), 0);
    assert_int_equal(status_of("help", NULL), 0);
    assert_int_equal(status_of("--version", NULL), 0);
    assert_int_equal(ran_with, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verb_is_found_or_the_nearest_named),
        cmocka_unit_test(verbs_are_printed_with_their_options),
        cmocka_unit_test(the_status_is_the_verbs_own_or_says_misused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
