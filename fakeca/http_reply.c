#include "fakeca/http_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEX "0123456789abcdefABCDEF"

/* --- header fields ------------------------------------------------------------------------------ */

/* Where the body begins; NULL where the head has no end. */
static char *body_of(const char *bytes)
{
    char *end = strstr(bytes, "\r\n\r\n");

    return end == NULL ? NULL : end + 4;
}

/* The value of a header field before `body`, or NULL; `*length` of it. */
static char *field(const char *bytes, const char *body, const char *name, size_t *length)
{
    const char *line = bytes;
    size_t prefix = strlen(name);

    while ((line = strstr(line, "\r\n")) != NULL && line + 4 < body) {
        line += 2;
        if (strncasecmp(line, name, prefix) != 0 || line[prefix] != ':')
            continue;
        line += prefix + 1;
        line += strspn(line, " \t");
        *length = strcspn(line, "\r\n");
        return (char *)line;
    }
    return NULL;
}

/* What Content-Length says; false where it says nothing that counts. */
static bool length_told(const char *bytes, const char *body, size_t *out)
{
    size_t length;
    const char *value = field(bytes, body, "Content-Length", &length);

    if (value == NULL || length == 0 || length > 9 || strspn(value, "0123456789") != length)
        return false;
    *out = strtoul(value, NULL, 10);
    return true;
}

bool http_reply_whole(const char *bytes, size_t length)
{
    const char *body = length == 0 ? NULL : body_of(bytes);
    size_t told;

    return body != NULL && length_told(bytes, body, &told) &&
           length - (size_t)(body - bytes) >= told;
}

/* --- replies ------------------------------------------------------------------------------------ */

/* "HTTP/1.1 200 OK": 200; -1 where it begins otherwise. */
static int status_of(const char *bytes)
{
    const char *digits = bytes + 9;

    return (strncmp(bytes, "HTTP/1.0 ", 9) == 0 || strncmp(bytes, "HTTP/1.1 ", 9) == 0) &&
                   strspn(digits, "0123456789") == 3 && *digits != '0'
               ? (int)strtol(digits, NULL, 10)
               : -1;
}

/* Joins the chunks of a body in place; -1 where they are none. */
static int join_chunks(char *body, const char *end)
{
    char *to = body, *from = body;

    for (;;) {
        size_t digits = strspn(from, HEX), size = strtoul(from, NULL, 16);

        if (digits == 0 || digits > 8 || strchr("\r; \t", from[digits]) == NULL ||
            (from = strstr(from, "\r\n")) == NULL)
            return -1;
        from += 2;
        if (size == 0)
            break;
        if (size > (size_t)(end - from) || strncmp(from + size, "\r\n", 2) != 0)
            return -1;
        memmove(to, from, size);
        to += size;
        from += size + 2;
    }
    *to = '\0';
    return 0;
}

int http_reply_read(char *bytes, size_t length, struct http_reply *reply, struct error *e)
{
    char *body = length == 0 ? NULL : body_of(bytes), *location;
    size_t told, size;

    *reply = (struct http_reply){.status = body == NULL ? -1 : status_of(bytes), .body = body};
    if (reply->status < 0)
        return failed(e, "what came back is not HTTP");
    if (field(bytes, body, "Transfer-Encoding", &size) != NULL) {
        if (join_chunks(body, bytes + length) < 0)
            return failed(e, "chunks that do not fit together");
    } else if (length_told(bytes, body, &told) && told < length - (size_t)(body - bytes))
        body[told] = '\0';
    location = field(bytes, body, "Location", &size);
    if (location != NULL)
        location[size] = '\0';
    reply->location = location;
    return 0;
}

/* --- redirects ---------------------------------------------------------------------------------- */

static const struct scheme {
    const char *prefix;
    bool secure;
    unsigned port;
} schemes[] = {
    {"http://",  false, HTTP_PORT },
    {"https://", true,  HTTPS_PORT}
};

static const struct scheme *scheme_of(const char *url)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncasecmp(url, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
            return &schemes[i];
    return NULL;
}

/* ":8080", or nothing; *at goes past it. */
static int read_port(const char **at, unsigned *port)
{
    size_t digits;

    if (**at != ':')
        return 0;
    digits = strspn(++*at, "0123456789");
    if (digits == 0 || digits > 5)
        return -1;
    *port = (unsigned)strtoul(*at, (char **)at, 10);
    return 0;
}

static int go(struct http_place *place, const struct scheme *scheme, const char *at)
{
    size_t host = strcspn(at, ":/?#");
    unsigned port = scheme->port;
    const char *rest = at + host;

    if (host == 0 || host >= sizeof place->host || read_port(&rest, &port) < 0 ||
        (*rest != '\0' && strchr("/?#", *rest) == NULL))
        return -1;
    memcpy(place->host, at, host);
    place->host[host] = '\0';
    place->port = port;
    place->secure = scheme->secure;
    snprintf(place->path, sizeof place->path, "%s%.*s", *rest == '/' ? "" : "/",
             (int)strcspn(rest, "#"), rest);
    return 0;
}

int http_place_follow(struct http_place *place, const char *url)
{
    const struct scheme *scheme = scheme_of(url);

    if (strlen(url) >= sizeof place->path - 1)
        return -1;
    for (const char *at = url; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == '"' || *at == 0x7f)
            return -1;
    if (scheme != NULL)
        return go(place, scheme, url + strlen(scheme->prefix));
    if (*url != '/' || url[1] == '/')
        return -1;
    snprintf(place->path, sizeof place->path, "%.*s", (int)strcspn(url, "#"), url);
    return 0;
}
