#include "testbed/wire/options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "testbed/wire/moment.h"
#include "testbed/wire/nearest.h"

#define NAMES_MAX 128

static int set_flag(void *into, const char *value, struct error *e)
{
    (void)value;
    (void)e;
    *(bool *)into = true;
    return 0;
}

static int set_text(void *into, const char *value, struct error *e)
{
    (void)e;
    *(const char **)into = value;
    return 0;
}

static int set_list(void *into, const char *value, struct error *e)
{
    struct option_list *list = into;

    if (list->count == OPTION_LIST_MAX)
        return failed(e, "given more than %d times", OPTION_LIST_MAX);
    list->items[list->count++] = value;
    return 0;
}

static int set_number(void *into, const char *value, struct error *e)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(value, &end, 10);
    if (!isdigit((unsigned char)*value) || *end != '\0')
        return failed(e, "'%s' is not a whole number, 0 or more", value);
    if (errno != 0)
        return failed(e, "%s is more than %ld, the most there is", value, LONG_MAX);
    *(long *)into = number;
    return 0;
}

static int set_duration(void *into, const char *value, struct error *e)
{
    return duration_parse(value, into, e);
}

static int (*const setters[])(void *, const char *, struct error *) = {
    [OPTION_FLAG] = set_flag,     [OPTION_TEXT] = set_text,         [OPTION_LIST] = set_list,
    [OPTION_NUMBER] = set_number, [OPTION_DURATION] = set_duration,
};

static const struct option_row *row_named(const struct option_row *rows, const char *name,
                                          size_t length)
{
    for (; rows->name != NULL; rows++)
        if (strlen(rows->name) == length && strncmp(rows->name, name, length) == 0)
            return rows;
    return NULL;
}

static const char *dashes(const char *name)
{
    return strlen(name) == 1 ? "-" : "--";
}

static int unknown(const struct option_row *rows, const char *given, const char *name,
                   size_t length, struct error *e)
{
    const char *names[NAMES_MAX];
    bool helps = row_named(rows, "help", strlen("help")) != NULL;
    size_t count = 0;
    char word[64];
    const char *near;

    for (; rows->name != NULL && count < NAMES_MAX; rows++)
        names[count++] = rows->name;
    snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : 0), name);
    near = nearest(word, names, count);
    if (near == NULL)
        return failed(e, "unknown option '%s'%s", given, helps ? "; --help lists them" : "");
    return failed(e, "unknown option '%s'; did you mean %s%s?", given, dashes(near), near);
}

static int take(const struct option_row *row, void *into, const char *value, struct error *e)
{
    char where[64];

    if (setters[row->kind]((char *)into + row->offset, value, e) == 0)
        return 0;
    snprintf(where, sizeof where, "%s%s", dashes(row->name), row->name);
    return failed_in(e, where);
}

/* One option that begins at argv[*i]; takes its value along, too. */
static int parse_option(const struct option_row *rows, int argc, char **argv, int *i, void *into,
                        struct error *e)
{
    const char *given = argv[*i];
    bool two = given[1] == '-';
    const char *name = given + 1 + two;
    size_t length = two ? strcspn(name, "=") : 1;
    const struct option_row *row = row_named(rows, name, length);
    const char *value = NULL;

    if (row == NULL)
        return unknown(rows, given, name, strcspn(name, "="), e);
    if (name[length] != '\0')
        value = name + length + (name[length] == '=');
    if (row->value == NULL && value != NULL)
        return failed(e, "%s%s takes no value", dashes(row->name), row->name);
    if (row->value != NULL && value == NULL) {
        if (*i + 1 == argc)
            return failed(e, "%s needs a value: %s %s", given, given, row->value);
        value = argv[++*i];
    }
    return take(row, into, value, e);
}

int options_parse(const struct option_row *rows, int argc, char **argv, void *into,
                  struct option_list *rest, struct error *e)
{
    bool only_rest = false;

    for (int i = 1; i < argc; i++) {
        if (only_rest || argv[i][0] != '-' || argv[i][1] == '\0') {
            if (rest->count == OPTION_LIST_MAX)
                return failed(e, "'%s' is one too many; expected at most %d arguments", argv[i],
                              OPTION_LIST_MAX);
            rest->items[rest->count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_rest = true;
        } else if (parse_option(rows, argc, argv, &i, into, e) < 0) {
            return -1;
        }
    }
    return 0;
}

void options_print(const struct option_row *rows, FILE *out)
{
    for (; rows->name != NULL; rows++) {
        char left[64];

        snprintf(left, sizeof left, "%s%s %s", dashes(rows->name), rows->name,
                 rows->value == NULL ? "" : rows->value);
        fprintf(out, "  %-26s %s\n", left, rows->help);
    }
}
