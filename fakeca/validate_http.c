/* http-01: RFC 8555 section 8.3. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakeca/extension.h"
#include "fakeca/validate_parts.h"

#define REDIRECTS_MOST 10

void http_01_ask(struct attempt *attempt)
{
    const char *bracket = strchr(attempt->host, ':') == NULL ? "" : "[";

    attempt->length =
        (size_t)snprintf(attempt->request, sizeof attempt->request,
                         "GET %s HTTP/1.1\r\nHost: %s%s%s\r\n"
                         "User-Agent: fakeca (validation of a rehearsal CA)\r\n"
                         "Accept: */*\r\nConnection: close\r\n\r\n",
                         attempt->path, bracket, attempt->host, *bracket == '\0' ? "" : "]");
}

/* The value of a header field of the reply, or NULL; `*length` of it. */
static const char *field(const struct attempt *attempt, const char *name, size_t *length)
{
    const char *end = strstr(attempt->reply, "\r\n\r\n");
    const char *line = attempt->reply;

    while (end != NULL && (line = strstr(line, "\r\n")) != NULL && line < end) {
        line += 2;
        if (strncasecmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ':')
            continue;
        line += strlen(name) + 1;
        line += strspn(line, " \t");
        *length = strcspn(line, "\r\n");
        return line;
    }
    return NULL;
}

bool http_01_whole(const struct attempt *attempt)
{
    const char *end = attempt->got == 0 ? NULL : strstr(attempt->reply, "\r\n\r\n");
    size_t length;
    const char *value = end == NULL ? NULL : field(attempt, "Content-Length", &length);

    return value != NULL &&
           attempt->got - (size_t)(end + 4 - attempt->reply) >= strtoul(value, NULL, 10);
}

/* Joins the chunks of a body in place; -1 where they are none. */
static int join_chunks(char *body)
{
    char *to = body, *from = body, *end = body + strlen(body);

    for (;;) {
        char *after;
        unsigned long size = strtoul(from, &after, 16);

        if (after == from || (after = strstr(after, "\r\n")) == NULL)
            return -1;
        from = after + 2;
        if (size == 0)
            break;
        if (size > (unsigned long)(end - from))
            return -1;
        memmove(to, from, size);
        to += size;
        from += size;
        if (strncmp(from, "\r\n", 2) != 0)
            return -1;
        from += 2;
    }
    *to = '\0';
    return 0;
}

/* --- redirects ---------------------------------------------------------------------------------- */

static const struct scheme {
    const char *prefix;
    bool secure;
    unsigned port;
} schemes[] = {
    {"http://",  false, 80 },
    {"https://", true,  443}
};

/* Takes a URL apart into where to go next; -1 where that is not allowed. */
static int follow(struct attempt *attempt, const char *url)
{
    const struct validator *validator = attempt->validator;

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        const struct scheme *scheme = &schemes[i];
        unsigned real = scheme->secure ? validator->tls_port : validator->http_port;
        size_t length = strlen(scheme->prefix), host;
        const char *at = url + length;
        unsigned long port = scheme->port;

        if (strncasecmp(url, scheme->prefix, length) != 0)
            continue;
        host = strcspn(at, ":/?#");
        if (host == 0 || host >= sizeof attempt->host)
            return -1;
        memcpy(attempt->host, at, host);
        attempt->host[host] = '\0';
        at += host;
        if (*at == ':')
            port = strtoul(at + 1, (char **)&at, 10);
        if (port != scheme->port && port != real)
            return -1;
        attempt->port = real;
        attempt->secure = scheme->secure;
        snprintf(attempt->path, sizeof attempt->path, "%s%.*s", *at == '/' ? "" : "/",
                 (int)strcspn(at, "#"), at);
        return 0;
    }
    if (*url != '/' || url[1] == '/')
        return -1;
    snprintf(attempt->path, sizeof attempt->path, "%.*s", (int)strcspn(url, "#"), url);
    return 0;
}

static void redirect(struct attempt *attempt, int status)
{
    size_t length = 0;
    const char *value = field(attempt, "Location", &length);
    char url[2048];

    if (value == NULL || length == 0 || length >= sizeof url) {
        attempt_end(attempt, CONNECTION_FAILED, "status %d without a proper Location", status);
        return;
    }
    memcpy(url, value, length);
    url[length] = '\0';
    if (++attempt->redirects > REDIRECTS_MOST) {
        attempt_end(attempt, CONNECTION_FAILED, "more than %d redirects", REDIRECTS_MOST);
        return;
    }
    if (strcspn(url, " \t\"") != length || follow(attempt, url) < 0) {
        attempt_end(attempt, CONNECTION_FAILED,
                    "a redirect to '%.200s', expected http or https on the usual port", url);
        return;
    }
    attempt_connect(attempt);
}

/* "HTTP/1.1 200 OK": 200; -1 where it begins otherwise. */
static int status_of(const char *reply)
{
    char *end;
    long status;

    if (strncmp(reply, "HTTP/1.0 ", 9) != 0 && strncmp(reply, "HTTP/1.1 ", 9) != 0)
        return -1;
    status = strtol(reply + 9, &end, 10);
    return end == reply + 9 || status < 100 || status > 999 ? -1 : (int)status;
}

void http_01_judge(struct attempt *attempt)
{
    char *body = attempt->got == 0 ? NULL : strstr(attempt->reply, "\r\n\r\n");
    const char *encoding;
    size_t length = 0;
    int status;

    status = body == NULL ? -1 : status_of(attempt->reply);
    if (status < 0) {
        attempt_end(attempt, CONNECTION_FAILED, "%s, port %u: what came back is not HTTP",
                    attempt->host, attempt->port);
        return;
    }
    body += 4;
    if (status >= 301 && status <= 308 && status != 304 && status != 305) {
        redirect(attempt, status);
        return;
    }
    if (status != 200) {
        attempt_end(attempt, UNAUTHORIZED, "status %d from %s, port %u; expected 200", status,
                    attempt->host, attempt->port);
        return;
    }
    encoding = field(attempt, "Transfer-Encoding", &length);
    if (encoding != NULL && join_chunks(body) < 0) {
        attempt_end(attempt, CONNECTION_FAILED, "chunks that do not fit together");
        return;
    }
    for (char *end = body + strlen(body); end > body && isspace((unsigned char)end[-1]);)
        *--end = '\0';
    if (strcmp(body, attempt->key_authorization) == 0)
        attempt_end(attempt, VALIDATION_GOOD, "good");
    else
        attempt_end(attempt, UNAUTHORIZED, "the answer was '%.80s', expected '%s'", body,
                    attempt->key_authorization);
}
