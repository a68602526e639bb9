#include "fakeca/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 512

/* --- bytes -------------------------------------------------------------------------------------- */

static bool grow(struct json_text *out, size_t more)
{
    size_t room = out->room == 0 ? FIRST_ROOM : out->room;
    char *bytes;

    while (room < out->length + more)
        room *= 2;
    bytes = out->failed ? NULL : realloc(out->bytes, room);
    out->failed = bytes == NULL;
    if (bytes != NULL) {
        out->bytes = bytes;
        out->room = room;
    }
    return bytes != NULL;
}

static inline bool need(struct json_text *out, size_t more)
{
    return out->bytes != NULL && out->length + more <= out->room ? !out->failed : grow(out, more);
}

static void put(struct json_text *out, const char *bytes, size_t length)
{
    if (!need(out, length))
        return;
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

static void put_one(struct json_text *out, char character)
{
    if (need(out, 1))
        out->bytes[out->length++] = character;
}

/* --- strings: RFC 8259 section 7 ---------------------------------------------------------------- */

/* How many there are before one that is to be escaped. */
static size_t plain(const char *text, size_t length)
{
    size_t i = 0;

    while (i < length && (unsigned char)text[i] >= ' ' && text[i] != '"' && text[i] != '\\')
        i++;
    return i;
}

static void put_escaped(struct json_text *out, char character)
{
    static const char letters[] = "\b\f\n\r\t\"\\", escapes[] = "bfnrt\"\\";
    const char *letter = character == '\0' ? NULL : strchr(letters, character);
    char text[8];

    if (letter != NULL)
        snprintf(text, sizeof text, "\\%c", escapes[letter - letters]);
    else
        snprintf(text, sizeof text, "\\u%04x", (unsigned char)character);
    put(out, text, strlen(text));
}

static void put_string(struct json_text *out, const char *text, size_t length)
{
    put_one(out, '"');
    while (length > 0) {
        size_t run = plain(text, length);

        put(out, text, run);
        text += run;
        length -= run;
        if (length > 0) {
            put_escaped(out, *text++);
            length--;
        }
    }
    put_one(out, '"');
}

/* --- values ------------------------------------------------------------------------------------- */

/* What stands before a value: a comma, where it is not the first, and its name. */
static void begin(struct json_text *out, const char *name)
{
    int last = out->length == 0 ? '[' : out->bytes[out->length - 1];

    if (last != '{' && last != '[')
        put_one(out, ',');
    if (name == NULL)
        return;
    put_string(out, name, strlen(name));
    put_one(out, ':');
}

void json_text_open(struct json_text *out, const char *name, char bracket)
{
    begin(out, name);
    put_one(out, bracket);
}

void json_text_close(struct json_text *out, char bracket)
{
    put_one(out, bracket);
}

void json_text_string(struct json_text *out, const char *name, const char *text)
{
    begin(out, name);
    put_string(out, text, strlen(text));
}

void json_text_bool(struct json_text *out, const char *name, bool value)
{
    begin(out, name);
    put(out, value ? "true" : "false", value ? 4 : 5);
}

static void put_members(struct json_text *out, const json_t *object)
{
    const char *name;
    json_t *value;

    put_one(out, '{');
    json_object_foreach ((json_t *)object, name, value)
        json_text_value(out, name, value);
    put_one(out, '}');
}

static void put_elements(struct json_text *out, const json_t *array)
{
    json_t *value;
    size_t i;

    put_one(out, '[');
    json_array_foreach (array, i, value)
        json_text_value(out, NULL, value);
    put_one(out, ']');
}

static void put_integer(struct json_text *out, json_int_t integer)
{
    char text[24], *end = text + sizeof text, *at = end;
    bool negative = integer < 0;

    /* digit by digit from below zero, where there is one number more */
    for (json_int_t left = negative ? integer : -integer; at == end || left != 0; left /= 10)
        *--at = (char)('0' - left % 10);
    if (negative)
        *--at = '-';
    put(out, at, (size_t)(end - at));
}

/* So that it is read again as it was, and never as an integer: jansson's own. */
static void put_real(struct json_text *out, const json_t *real)
{
    char *text = json_dumps(real, JSON_ENCODE_ANY);

    out->failed = out->failed || text == NULL;
    if (text != NULL)
        put(out, text, strlen(text));
    free(text);
}

void json_text_value(struct json_text *out, const char *name, const json_t *value)
{
    static const char *const words[] = {
        [JSON_TRUE] = "true", [JSON_FALSE] = "false", [JSON_NULL] = "null"};

    if (value == NULL)
        return;
    begin(out, name);
    if (json_is_object(value))
        put_members(out, value);
    else if (json_is_array(value))
        put_elements(out, value);
    else if (json_is_string(value))
        put_string(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        put_integer(out, json_integer_value(value));
    else if (json_is_real(value))
        put_real(out, value);
    else
        put(out, words[json_typeof(value)], strlen(words[json_typeof(value)]));
}

/* --- the whole ---------------------------------------------------------------------------------- */

char *json_text_take(struct json_text *out)
{
    char *bytes;

    put_one(out, '\0');
    bytes = out->failed ? NULL : out->bytes;
    if (bytes == NULL)
        free(out->bytes);
    *out = (struct json_text){0};
    return bytes;
}

char *json_text_of(const json_t *value)
{
    struct json_text out = {0};

    if (value == NULL)
        return NULL;
    json_text_value(&out, NULL, value);
    return json_text_take(&out);
}
