#include "testbed/wire/options.h"

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
    long number = strtol(value, &end, 10);

    if (end == value || *end != '\0' || number < 0)
        return failed(e, "'%s' is not a whole number", value);
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

static int unknown(const struct option_row *rows, const char *given, const char *name,
                   struct error *e)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    const char *near;

    for (; rows->name != NULL && count < NAMES_MAX; rows++)
        names[count++] = rows->name;
    near = nearest(name, names, count);
    if (near == NULL)
        return failed(e, "unknown option '%s'; --help lists them", given);
    return failed(e, "unknown option '%s'; did you mean --%s?", given, near);
}

static int take(const struct option_row *row, void *into, const char *value, struct error *e)
{
    char where[64];

    if (setters[row->kind]((char *)into + row->offset, value, e) == 0)
        return 0;
    snprintf(where, sizeof where, "%s%s", strlen(row->name) == 1 ? "-" : "--", row->name);
    return failed_in(e, where);
}

int options_parse(const struct option_row *rows, int argc, char **argv, void *into,
                  struct option_list *rest, struct error *e)
{
    bool only_rest = false;

    for (int i = 1; i < argc; i++) {
        const char *given = argv[i];
        const char *name = given + 1 + (given[0] == '-' && given[1] == '-');
        size_t length = given[0] == '-' && given[1] == '-' ? strcspn(name, "=") : strlen(name);
        const struct option_row *row;
        const char *value = NULL;

        if (only_rest || given[0] != '-' || given[1] == '\0') {
            if (set_list(rest, given, e) < 0)
                return failed_in(e, "arguments");
            continue;
        }
        if (strcmp(given, "--") == 0) {
            only_rest = true;
            continue;
        }
        row = row_named(rows, name, length);
        if (row == NULL)
            return unknown(rows, given, name, e);
        if (name[length] == '=')
            value = name + length + 1;
        if (row->value == NULL && value != NULL)
            return failed(e, "--%s takes no value", row->name);
        if (row->value != NULL && value == NULL) {
            if (i + 1 == argc)
                return failed(e, "%s needs a value: %s %s", given, given, row->value);
            value = argv[++i];
        }
        if (take(row, into, value, e) < 0)
            return -1;
    }
    return 0;
}

void options_print(const struct option_row *rows, FILE *out)
{
    for (; rows->name != NULL; rows++) {
        char left[64];

        snprintf(left, sizeof left, "%s%s %s", strlen(rows->name) == 1 ? "-" : "--", rows->name,
                 rows->value == NULL ? "" : rows->value);
        fprintf(out, "  %-26s %s\n", left, rows->help);
    }
}

const struct verb *verb_find(const struct verb *verbs, const char *name, struct error *e)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    const char *near;

    for (const struct verb *verb = verbs; verb->name != NULL && count < NAMES_MAX; verb++) {
        if (strcmp(verb->name, name) == 0)
            return verb;
        names[count++] = verb->name;
    }
    near = nearest(name, names, count);
    if (near == NULL)
        return failed(e, "unknown verb '%s'; --help lists them", name), NULL;
    return failed(e, "unknown verb '%s'; did you mean '%s'?", name, near), NULL;
}

void verbs_print(const char *program, const struct verb *verbs, FILE *out)
{
    for (; verbs->name != NULL; verbs++) {
        char left[80];

        snprintf(left, sizeof left, "%s %s %s", program, verbs->name, verbs->arguments);
        fprintf(out, "  %-36s %s\n", left, verbs->help);
    }
}

void verb_print(const char *program, const struct verb *verb, FILE *out)
{
    fprintf(out, "usage: %s %s %s%s\n%s\n", program, verb->name,
            verb->options == NULL ? "" : "[options] ", verb->arguments, verb->help);
    if (verb->options != NULL)
        options_print(verb->options, out);
}
