#include "fakeca/http_request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The head while it is read. */
struct head {
    bool old;      /* HTTP/1.0 */
    bool absolute; /* the target says which host, and Host does not count */
    bool has_host;
    bool closes, keeps; /* the connection */
    bool chunked;
    bool has_length;
    size_t length;
};

static int bad(struct http_request *request, int status)
{
    request->status = status;
    return -1;
}

/* Copies a part of a line; -1 where it does not fit or is empty. */
static int copy(char *out, size_t room, const char *from, size_t length)
{
    if (length == 0 || length >= room)
        return -1;
    memcpy(out, from, length);
    out[length] = '\0';
    return 0;
}

static int take_host(struct http_request *request, const char *from, size_t length)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-._:[]";

    return copy(request->host, sizeof request->host, from, length) == 0 &&
                   request->host[strspn(request->host, allowed)] == '\0'
               ? 0
               : bad(request, 400);
}

/* --- the request line --------------------------------------------------------------------------- */

/* How much of a target comes before its host; 0: it has none. */
static size_t scheme_of(const char *target, size_t length)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (length > strlen(schemes[i]) && strncasecmp(target, schemes[i], strlen(schemes[i])) == 0)
            return strlen(schemes[i]);
    return 0;
}

static int read_target(struct http_request *request, struct head *head, const char *from,
                       size_t length)
{
    size_t scheme = scheme_of(from, length);

    for (size_t i = 0; i < length; i++)
        if (from[i] <= ' ' || from[i] == 0x7f)
            return bad(request, 400);
    if (scheme > 0) { /* absolute, as to a proxy: RFC 9112 section 3.2.2 */
        const char *host = from + scheme, *path = memchr(host, '/', length - scheme);

        if (path == NULL || take_host(request, host, (size_t)(path - host)) < 0)
            return bad(request, 400);
        head->absolute = true;
        length -= (size_t)(path - from);
        from = path;
    }
    if (length == 0 || *from != '/')
        return bad(request, 400);
    return copy(request->target, sizeof request->target, from, length) < 0 ? bad(request, 414) : 0;
}

static int read_request_line(struct http_request *request, struct head *head, const char *line,
                             size_t length)
{
    const char *end = line + length;
    const char *first = memchr(line, ' ', length);
    const char *second = first == NULL ? NULL : memchr(first + 1, ' ', (size_t)(end - first - 1));

    if (second == NULL || end - second != 9)
        return bad(request, 400);
    if (copy(request->method, sizeof request->method, line, (size_t)(first - line)) < 0)
        return bad(request, 501);
    if (memcmp(second, " HTTP/1.", 8) != 0 || (second[8] != '0' && second[8] != '1'))
        return bad(request, 505);
    head->old = second[8] == '0';
    return read_target(request, head, first + 1, (size_t)(second - first - 1));
}

/* --- header fields ------------------------------------------------------------------------------ */

static int field_length(struct http_request *request, struct head *head, const char *value)
{
    char *end;
    unsigned long length = strtoul(value, &end, 10);

    if (!isdigit((unsigned char)*value) || *end != '\0')
        return bad(request, 400);
    if (head->has_length && head->length != length)
        return bad(request, 400);
    head->has_length = true;
    head->length = length;
    return length > HTTP_BODY_MOST ? bad(request, 413) : 0;
}

static int field_encoding(struct http_request *request, struct head *head, const char *value)
{
    head->chunked = strcasecmp(value, "chunked") == 0;
    return head->chunked ? 0 : bad(request, 501);
}

static int field_type(struct http_request *request, struct head *head, const char *value)
{
    size_t length = strcspn(value, "; \t");

    (void)head;
    if (copy(request->content_type, sizeof request->content_type, value, length) < 0)
        return bad(request, 400);
    for (char *at = request->content_type; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return 0;
}

static int field_host(struct http_request *request, struct head *head, const char *value)
{
    if (head->has_host)
        return bad(request, 400);
    head->has_host = true;
    return head->absolute ? 0 : take_host(request, value, strlen(value));
}

static bool is_among(const char *option, const char *list)
{
    for (size_t size; *list != '\0'; list += size + strspn(list + size, ", \t")) {
        size = strcspn(list, ", \t");
        if (size == strlen(option) && strncasecmp(list, option, size) == 0)
            return true;
    }
    return false;
}

static int field_connection(struct http_request *request, struct head *head, const char *value)
{
    (void)request;
    head->closes |= is_among("close", value);
    head->keeps |= is_among("keep-alive", value);
    return 0;
}

static int field_expect(struct http_request *request, struct head *head, const char *value)
{
    request->expects_continue = !head->old && strcasecmp(value, "100-continue") == 0;
    return 0;
}

static const struct field {
    const char *name;
    int (*read)(struct http_request *request, struct head *head, const char *value);
} fields[] = {
    {"Content-Length",    field_length    },
    {"Transfer-Encoding", field_encoding  },
    {"Content-Type",      field_type      },
    {"Host",              field_host      },
    {"Connection",        field_connection},
    {"Expect",            field_expect    },
};

static int read_field(struct http_request *request, struct head *head, const char *line,
                      size_t length)
{
    const char *colon = memchr(line, ':', length);
    char value[512];

    if (colon == NULL || colon == line || *line == ' ' || *line == '\t' || colon[-1] == ' ')
        return bad(request, 400);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *from = colon + 1, *end = line + length;

        if (strlen(fields[i].name) != (size_t)(colon - line) ||
            strncasecmp(fields[i].name, line, (size_t)(colon - line)) != 0)
            continue;
        while (from < end && (*from == ' ' || *from == '\t'))
            from++;
        while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        if (copy(value, sizeof value, from, (size_t)(end - from)) < 0)
            return bad(request, 400);
        return fields[i].read(request, head, value);
    }
    return 0;
}

static int read_head(struct http_request *request, struct head *head, const char *bytes,
                     size_t length)
{
    const char *line = bytes, *end = bytes + length;

    do { /* a head that is empty has a request line, too: a bad one */
        const char *stop = memmem(line, (size_t)(end - line), "\r\n", 2);
        size_t size = (size_t)((stop == NULL ? end : stop) - line);

        if (memchr(line, '\0', size) != NULL || memchr(line, '\n', size) != NULL)
            return bad(request, 400);
        if ((line == bytes ? read_request_line(request, head, line, size)
                           : read_field(request, head, line, size)) < 0)
            return -1;
        line += size + 2;
    } while (line < end);
    if (!head->old && !head->has_host)
        return bad(request, 400);
    request->keep_alive = !head->closes && (!head->old || head->keeps); /* RFC 9112 section 9.3 */
    /* a request that two readers could frame in two ways: RFC 9112 section 6.3 */
    return head->chunked && (head->has_length || head->old) ? bad(request, 400) : 0;
}

/* --- the body ----------------------------------------------------------------------------------- */

/* One chunk's size line at `*at`; moves past it.  1 read, 0 not yet whole, negative where it is bad: the status to
 * answer with. */
static int chunk_size(const char *bytes, size_t length, size_t *at, size_t *size)
{
    const char *stop = memmem(bytes + *at, length - *at, "\r\n", 2);
    char *end;

    if (stop == NULL)
        return length - *at > 64 ? -400 : 0;
    /* strtoul would take a sign, a space or "0x", where other readers see an end or a 0 */
    if (!isxdigit((unsigned char)bytes[*at]) || tolower((unsigned char)bytes[*at + 1]) == 'x' ||
        stop - (bytes + *at) > 64)
        return -400;
    *size = strtoul(bytes + *at, &end, 16);
    if (*end != '\r' && *end != ';')
        return -400;
    if (*size > HTTP_BODY_MOST)
        return -413;
    *at = (size_t)(stop - bytes) + 2;
    return 1;
}

/* Walks over the chunks, and joins them where `join` is set; trailers are passed over.  1 whole, 0 not yet, else as
 * chunk_size. */
static int chunks(char *bytes, size_t length, bool join, size_t *body, size_t *consumed)
{
    size_t at = 0, total = 0, size = 0;
    const char *end;

    for (;;) {
        int status = chunk_size(bytes, length, &at, &size);

        if (status <= 0)
            return status;
        if (size == 0)
            break;
        if (total + size > HTTP_BODY_MOST)
            return -413;
        if (length - at < size + 2)
            return 0;
        if (bytes[at + size] != '\r' || bytes[at + size + 1] != '\n')
            return -400;
        if (join)
            memmove(bytes + total, bytes + at, size);
        total += size;
        at += size + 2;
    }
    end = memmem(bytes + at - 2, length - at + 2, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    *body = total;
    *consumed = (size_t)(end - bytes) + 4;
    return 1;
}

static enum http_progress read_chunks(char *bytes, size_t length, struct http_request *request)
{
    size_t consumed = 0;
    int status = chunks(bytes, length, false, &request->body_length, &consumed);

    if (status < 0)
        request->status = -status;
    if (status <= 0)
        return status < 0 ? HTTP_BAD : HTTP_MORE;
    chunks(bytes, length, true, &request->body_length, &consumed);
    request->consumed += consumed;
    return HTTP_READY;
}

enum http_progress http_request_read(char *bytes, size_t length, struct http_request *request)
{
    const char *end =
        memmem(bytes, length < HTTP_HEAD_MOST ? length : HTTP_HEAD_MOST, "\r\n\r\n", 4);
    struct head head = {0};
    size_t size;

    *request = (struct http_request){.status = 400};
    if (end == NULL) {
        request->status = 431;
        return length < HTTP_HEAD_MOST ? HTTP_MORE : HTTP_BAD;
    }
    size = (size_t)(end - bytes);
    if (read_head(request, &head, bytes, size) < 0)
        return HTTP_BAD;
    request->body = bytes + size + 4;
    request->consumed = size + 4;
    if (head.chunked)
        return read_chunks(bytes + size + 4, length - size - 4, request);
    if (length - request->consumed < head.length)
        return HTTP_MORE;
    request->body_length = head.length;
    request->consumed += head.length;
    return HTTP_READY;
}
