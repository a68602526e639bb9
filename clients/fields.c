#include "clients/fields.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "testbed/wire/moment.h"
#include "testbed/wire/nearest.h"

#define FIELDS_MAX 64
#define FIELD_TEXT 32

/* The row's name as a field, and whether it says the opposite. */
static bool field_name(const struct option_row *row, char name[FIELD_TEXT])
{
    bool turned = row->kind == OPTION_FLAG && strncmp(row->name, "no-", 3) == 0;

    snprintf(name, FIELD_TEXT, "%s", row->name + (turned ? 3 : 0));
    for (char *dash = name; (dash = strchr(dash, '-')) != NULL;)
        *dash = '_';
    return turned;
}

static int read_flag(json_t *value, void *into, struct error *e)
{
    if (!json_is_boolean(value))
        return failed(e, "expected true or false");
    *(bool *)into = json_is_true(value);
    return 0;
}

static int read_text(json_t *value, void *into, struct error *e)
{
    if (!json_is_string(value))
        return failed(e, "expected a string");
    *(const char **)into = json_string_value(value);
    return 0;
}

static int read_list(json_t *value, void *into, struct error *e)
{
    struct option_list *list = into;

    list->count = 0;
    if (json_is_string(value)) {
        list->items[list->count++] = json_string_value(value);
        return 0;
    }
    if (!json_is_array(value))
        return failed(e, "expected a list of strings");
    if (json_array_size(value) > OPTION_LIST_MAX)
        return failed(e, "has more than %d items", OPTION_LIST_MAX);
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!json_is_string(json_array_get(value, i)))
            return failed(e, "expected a list of strings");
        list->items[list->count++] = json_string_value(json_array_get(value, i));
    }
    return 0;
}

static int read_number(json_t *value, void *into, struct error *e)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return failed(e, "expected a whole number, not negative");
    *(long *)into = (long)json_integer_value(value);
    return 0;
}

static int read_duration(json_t *value, void *into, struct error *e)
{
    if (!json_is_string(value))
        return failed(e, "expected a duration in a string, such as \"90d\" or \"200ms\"");
    return duration_parse(json_string_value(value), into, e);
}

static int (*const readers[])(json_t *, void *, struct error *) = {
    [OPTION_FLAG] = read_flag,     [OPTION_TEXT] = read_text,         [OPTION_LIST] = read_list,
    [OPTION_NUMBER] = read_number, [OPTION_DURATION] = read_duration,
};

static int unknown(const struct option_row *rows, const char *key, struct error *e)
{
    static char names[FIELDS_MAX][FIELD_TEXT];
    const char *candidates[FIELDS_MAX];
    size_t count = 0;
    const char *near;

    for (; rows->name != NULL && count < FIELDS_MAX; rows++, count++) {
        field_name(rows, names[count]);
        candidates[count] = names[count];
    }
    near = nearest(key, candidates, count);
    if (near == NULL)
        return failed(e, "unknown field '%.60s'", key);
    return failed(e, "unknown field '%.60s'; did you mean '%s'?", key, near);
}

static int read_field(const struct option_row *row, bool turned, json_t *value, void *into,
                      struct error *e)
{
    void *place = (char *)into + row->offset;

    if (json_is_null(value))
        return 0;
    if (readers[row->kind](value, place, e) < 0)
        return -1;
    if (turned)
        *(bool *)place = !*(bool *)place;
    return 0;
}

int fields_read(const struct option_row *rows, json_t *object, void *into, struct error *e)
{
    const char *key;
    json_t *value;

    json_object_foreach (object, key, value) {
        const struct option_row *row = rows;
        char name[FIELD_TEXT] = "";
        bool turned = false;

        for (; row->name != NULL; row++) {
            turned = field_name(row, name);
            if (strcmp(name, key) == 0)
                break;
        }
        if (row->name == NULL)
            return unknown(rows, key, e);
        if (read_field(row, turned, value, into, e) < 0)
            return failed_in(e, name);
    }
    return 0;
}
