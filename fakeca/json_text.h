/* json_text.h -- JSON (RFC 8259) written straight into a buffer, without a space in it.
 *
 * Answers are made so, since a tree of what is only to be sent is built to be thrown away; and so is the text of trees
 * that are kept, because json_dumps guards against circles, which takes it longer than all the rest.
 *
 * Each value has the name that it goes by in the object that is open, or NULL: in an array, or as the whole.  Texts are
 * UTF-8.
 *
 * Order of calls: all zero; json_text_open and the rest as they come, each bracket closed; json_text_take, or free()
 * of `bytes`.  Should memory run out, nothing more is written, and json_text_take says so.
 */
#ifndef FAKECA_JSON_TEXT_H
#define FAKECA_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct json_text {
    char *bytes; /* ours until they are taken */
    size_t length, room;
    bool failed;
};

/* '{' or '['; '}' or ']'. */
void json_text_open(struct json_text *out, const char *name, char bracket);
void json_text_close(struct json_text *out, char bracket);
/* A value of any kind, with all that is in it; NULL is left out, name and all. */
void json_text_value(struct json_text *out, const char *name, const json_t *value);
void json_text_string(struct json_text *out, const char *name, const char *text);
void json_text_bool(struct json_text *out, const char *name, bool value);

/* What was written, with a NUL after it, to be freed; NULL where memory ran out. */
char *json_text_take(struct json_text *out);
/* The same of one tree; NULL of NULL. */
char *json_text_of(const json_t *value);

#endif
