/* Whatever bytes come over a connection: requests that lie inside them, in one way only however the
 * bytes arrive, or a refusal. */
#include "fakeca/http_request.h"

#include <string.h>

#include "tests/fuzz/must.h"

static enum http_progress read_copy(const char *bytes, size_t length, char *copy,
                                    struct http_request *request)
{
    memcpy(copy, bytes, length);
    return http_request_read(copy, length, request);
}

static void check_ready(const struct http_request *request, const char *copy, size_t length)
{
    must(request->consumed <= length, "a request longer than its bytes");
    must(request->body_length <= HTTP_BODY_MOST, "a body longer than allowed");
    must(request->body >= copy && request->body + request->body_length <= copy + request->consumed,
         "a body outside its request");
    must(*request->target == '/', "a target that is no path");
    must(*request->method != '\0', "no method");
}

static void check_bad(const struct http_request *request)
{
    static const int statuses[] = {400, 413, 414, 431, 501, 505};

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (request->status == statuses[i])
            return;
    must(false, "a refusal with a status of its own");
}

/* With a byte fewer, a whole request is not whole; and what is refused stays refused with more. */
static void check_cut(const char *bytes, size_t consumed)
{
    char *copy = malloc(consumed);
    struct http_request request;

    must(read_copy(bytes, consumed - 1, copy, &request) == HTTP_MORE, "a request without its end");
    free(copy);
}

/* The first request in the bytes: how many it took, or 0. */
static size_t take(const char *bytes, size_t length)
{
    char *copy =
        malloc(length == 0 ? 1 : length); /* of its own, so that a byte beyond is noticed */
    struct http_request request;
    enum http_progress progress = read_copy(bytes, length, copy, &request);
    size_t consumed = progress == HTTP_READY ? request.consumed : 0;

    if (progress == HTTP_READY)
        check_ready(&request, copy, length);
    if (progress == HTTP_BAD)
        check_bad(&request);
    free(copy);
    if (consumed > 0)
        check_cut(bytes, consumed);
    return consumed;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const char *bytes = (const char *)data;
    size_t consumed = size > HTTP_REQUEST_MOST ? 0 : take(bytes, size);

    while (consumed > 0 && size > consumed) {
        bytes += consumed;
        size -= consumed;
        consumed = take(bytes, size);
    }
    return 0;
}
