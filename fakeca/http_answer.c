#include "fakeca/http_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const struct {
    int status;
    const char *words;
} reasons[] = {
    {200, "OK"                             },
    {201, "Created"                        },
    {202, "Accepted"                       },
    {204, "No Content"                     },
    {302, "Found"                          },
    {307, "Temporary Redirect"             },
    {308, "Permanent Redirect"             },
    {400, "Bad Request"                    },
    {401, "Unauthorized"                   },
    {403, "Forbidden"                      },
    {404, "Not Found"                      },
    {405, "Method Not Allowed"             },
    {409, "Conflict"                       },
    {413, "Content Too Large"              },
    {414, "URI Too Long"                   },
    {415, "Unsupported Media Type"         },
    {429, "Too Many Requests"              },
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"          },
    {501, "Not Implemented"                },
    {502, "Bad Gateway"                    },
    {503, "Service Unavailable"            },
    {505, "HTTP Version Not Supported"     },
};

const char *http_answer_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].words;
    return "Status";
}

void http_answer_field(struct http_answer *answer, const char *name, const char *format, ...)
{
    size_t room = sizeof answer->fields - answer->fields_length, prefix = strlen(name) + 2;
    char *line = answer->fields + answer->fields_length, *value = line + prefix;
    va_list list;
    int length;

    if (prefix >= room)
        return;
    va_start(list, format);
    length = vsnprintf(value, room - prefix, format, list);
    va_end(list);
    if (length < 0 || prefix + (size_t)length + 2 >= room)
        return;
    for (char *at = value; *at != '\0'; at++) /* a value never ends its own line */
        if ((unsigned char)*at < ' ')
            *at = '?';
    memcpy(line, name, prefix - 2);
    line[prefix - 2] = ':';
    line[prefix - 1] = ' ';
    value[length] = '\r';
    value[length + 1] = '\n';
    answer->fields_length += prefix + (size_t)length + 2;
}

void http_answer_date(struct http_answer *answer, const char *name, int64_t seconds)
{
    time_t at = (time_t)seconds;
    char date[64];
    struct tm fields;

    if (gmtime_r(&at, &fields) != NULL &&
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &fields) > 0)
        http_answer_field(answer, name, "%s", date);
}

void http_answer_drop(struct http_answer *answer, const char *name)
{
    size_t prefix = strlen(name);
    char *line = answer->fields, *end = answer->fields + answer->fields_length;

    while (line < end) {
        char *next = (char *)memchr(line, '\n', (size_t)(end - line)) + 1;

        if (strncasecmp(line, name, prefix) == 0 && line[prefix] == ':') {
            memmove(line, next, (size_t)(end - next));
            end -= next - line;
        } else
            line = next;
    }
    answer->fields_length = (size_t)(end - answer->fields);
}

void http_answer_body(struct http_answer *answer, const char *type, char *body, size_t length)
{
    free(answer->body);
    answer->body = body;
    answer->length = length;
    if (body == NULL) {
        answer->status = 500;
        answer->length = 0;
        return;
    }
    http_answer_drop(answer, "Content-Type");
    http_answer_field(answer, "Content-Type", "%s", type);
}

void http_answer_copy(struct http_answer *answer, const char *type, const void *body, size_t length)
{
    char *copy = malloc(length + 1);

    if (copy != NULL)
        memcpy(copy, body, length);
    http_answer_body(answer, type, copy, length);
}

void http_answer_free(struct http_answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}

/* --- as bytes ----------------------------------------------------------------------------------- */

#define CHUNK 7

struct bytes { /* while they are put together, with room for all of them */
    char *at;
    size_t length, room;
};

static void put(struct bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct bytes *out, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    out->length += (size_t)vsnprintf(out->at + out->length, out->room - out->length, format, list);
    va_end(list);
}

static void put_octets(struct bytes *out, const char *octets, size_t length)
{
    memcpy(out->at + out->length, octets, length);
    out->length += length;
}

static void put_padding(struct bytes *out, size_t length)
{
    put(out, "X-Padding: ");
    memset(out->at + out->length, 'x', length);
    out->length += length;
    put(out, "\r\n");
}

static void put_chunks(struct bytes *out, const char *body, size_t length)
{
    for (size_t at = 0, size; at < length; at += size) {
        size = length - at < CHUNK ? length - at : CHUNK;
        put(out, "%zx\r\n", size);
        put_octets(out, body + at, size);
        put(out, "\r\n");
    }
    put(out, "0\r\n\r\n");
}

static void put_head(struct bytes *out, const struct http_answer *answer, bool keep_alive)
{
    const struct framing *framing = &answer->framing;

    if (framing->interim)
        put(out, "HTTP/1.1 100 Continue\r\n\r\n");
    put(out, "HTTP/1.%d %d %s\r\n", framing->old ? 0 : 1, answer->status,
        http_answer_reason(answer->status));
    put_octets(out, answer->fields, answer->fields_length);
    if (framing->padding > 0)
        put_padding(out, framing->padding);
    if (framing->chunked)
        put(out, "Transfer-Encoding: chunked\r\n");
    else if (answer->status != 204 && !framing->old)
        put(out, "Content-Length: %zu\r\n", answer->length);
    put(out, "Connection: %s\r\n\r\n", keep_alive && !answer->close ? "keep-alive" : "close");
}

/* Each chunk has its length before it, of one digit, and two line ends. */
static size_t room_for(const struct http_answer *answer)
{
    const struct framing *framing = &answer->framing;
    size_t chunks = framing->chunked ? answer->length / CHUNK + 2 : 0;

    return answer->fields_length + answer->length + framing->padding + 5 * chunks + 512;
}

char *http_answer_bytes(const struct http_answer *answer, bool keep_alive, size_t *length)
{
    struct bytes out = {.room = room_for(answer)};

    out.at = malloc(out.room);
    if (out.at == NULL)
        return NULL;
    put_head(&out, answer, keep_alive);
    if (answer->framing.chunked && !answer->without_body)
        put_chunks(&out, answer->body, answer->length);
    else if (answer->length > 0 && !answer->without_body)
        put_octets(&out, answer->body, answer->length);
    *length = out.length;
    return out.at;
}
