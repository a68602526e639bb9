#include "fakeca/http_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    int status;
    const char *words;
} reasons[] = {
    {200, "OK"                             },
    {201, "Created"                        },
    {202, "Accepted"                       },
    {204, "No Content"                     },
    {302, "Found"                          },
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

static const char *reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].words;
    return "Status";
}

void http_answer_field(struct http_answer *answer, const char *name, const char *format, ...)
{
    char value[2048];
    size_t room = sizeof answer->fields - answer->fields_length;
    va_list list;
    int length;

    va_start(list, format);
    vsnprintf(value, sizeof value, format, list);
    va_end(list);
    for (char *at = value; *at != '\0'; at++) /* a value never ends its own line */
        if ((unsigned char)*at < ' ')
            *at = '?';
    length = snprintf(answer->fields + answer->fields_length, room, "%s: %s\r\n", name, value);
    if (length > 0 && (size_t)length < room)
        answer->fields_length += (size_t)length;
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

char *http_answer_bytes(const struct http_answer *answer, bool keep_alive, size_t *length)
{
    size_t room = answer->fields_length + answer->length + 256;
    char *bytes = malloc(room);
    int head;

    if (bytes == NULL)
        return NULL;
    head = snprintf(bytes, room, "HTTP/1.1 %d %s\r\n%.*s", answer->status, reason(answer->status),
                    (int)answer->fields_length, answer->fields);
    if (answer->status != 204)
        head +=
            snprintf(bytes + head, room - (size_t)head, "Content-Length: %zu\r\n", answer->length);
    head += snprintf(bytes + head, room - (size_t)head, "Connection: %s\r\n\r\n",
                     keep_alive && !answer->close ? "keep-alive" : "close");
    *length = (size_t)head;
    if (answer->length > 0 && !answer->without_body) {
        memcpy(bytes + head, answer->body, answer->length);
        *length += answer->length;
    }
    return bytes;
}
