/* http-01: RFC 8555 section 8.3. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "fakeca/validate_parts.h"

#define REDIRECTS_MOST 10

void http_01_ask(struct attempt *attempt)
{
    const char *bracket = strchr(attempt->at.host, ':') == NULL ? "" : "[";

    attempt->length =
        (size_t)snprintf(attempt->request, sizeof attempt->request,
                         "GET %s HTTP/1.1\r\nHost: %s%s%s\r\n"
                         "User-Agent: fakeca (validation of a rehearsal CA)\r\n"
                         "Accept: */*\r\nConnection: close\r\n\r\n",
                         attempt->at.path, bracket, attempt->at.host, *bracket == '\0' ? "" : "]");
}

/* To the two configured ports only, which stand for the usual ones; -1 where that is not so. */
static int follow(struct attempt *attempt, const char *url)
{
    const struct validator *validator = attempt->validator;
    struct http_place to = attempt->at;
    unsigned real;

    if (http_place_follow(&to, url) < 0)
        return -1;
    real = to.secure ? validator->tls_port : validator->http_port;
    if (to.port != (to.secure ? HTTPS_PORT : HTTP_PORT) && to.port != real)
        return -1;
    to.port = real;
    attempt->at = to;
    return 0;
}

static void redirect(struct attempt *attempt, const struct http_reply *reply)
{
    if (reply->location == NULL || *reply->location == '\0')
        attempt_end(attempt, CONNECTION_FAILED, "status %d without a proper Location",
                    reply->status);
    else if (++attempt->redirects > REDIRECTS_MOST)
        attempt_end(attempt, CONNECTION_FAILED, "more than %d redirects", REDIRECTS_MOST);
    else if (follow(attempt, reply->location) < 0)
        attempt_end(attempt, CONNECTION_FAILED,
                    "a redirect to '%.200s', expected http or https on the usual port",
                    reply->location);
    else
        attempt_connect(attempt);
}

/* White space at its end does not count. */
static bool is_answer(const char *body, const char *expected)
{
    size_t length = strlen(body);

    while (length > 0 && isspace((unsigned char)body[length - 1]))
        length--;
    return length == strlen(expected) && memcmp(body, expected, length) == 0;
}

void http_01_judge(struct attempt *attempt)
{
    struct http_reply reply;
    struct error e;

    if (http_reply_read(attempt->reply, attempt->got, &reply, &e) < 0)
        attempt_end(attempt, CONNECTION_FAILED, "%s, port %u: %s", attempt->at.host,
                    attempt->at.port, e.text);
    else if (reply.status >= 301 && reply.status <= 308 && reply.status != 304 &&
             reply.status != 305)
        redirect(attempt, &reply);
    else if (reply.status != 200)
        attempt_end(attempt, UNAUTHORIZED, "status %d from %s, port %u; expected 200", reply.status,
                    attempt->at.host, attempt->at.port);
    else if (is_answer(reply.body, attempt->key_authorization))
        attempt_end(attempt, VALIDATION_GOOD, "good");
    else
        attempt_end(attempt, UNAUTHORIZED, "the answer was '%.80s', expected '%s'", reply.body,
                    attempt->key_authorization);
}
