/* HTTP requests out of untrusted bytes. */
#include "fakeca/http_request.h"

#include "tests/fakeca/fixture.h"

#define GOOD_HEAD "POST /acme/new-order HTTP/1.1\r\nHost: ca.test\r\n"

static enum http_progress read_text(const char *text, struct http_request *request, char *bytes)
{
    strcpy(bytes, text);
    return http_request_read(bytes, strlen(text), request);
}

static void a_body_comes_with_its_length(void **state)
{
    static const char text[] = GOOD_HEAD "Content-Type: Application/Jose+JSON; charset=utf-8\r\n"
                                         "Content-Length: 5\r\n\r\nhelloGET /";
    struct http_request request;
    char bytes[1024];

    (void)state;
    assert_int_equal(read_text(text, &request, bytes), HTTP_READY);
    assert_string_equal(request.method, "POST");
    assert_string_equal(request.target, "/acme/new-order");
    assert_string_equal(request.host, "ca.test");
    assert_string_equal(request.content_type, "application/jose+json");
    assert_int_equal(request.body_length, 5);
    assert_memory_equal(request.body, "hello", 5);
    assert_int_equal(request.consumed, strlen(text) - strlen("GET /"));
    assert_true(request.keep_alive);
}

static void a_body_comes_in_chunks(void **state)
{
    static const char text[] = GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n"
                                         "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\nrest";
    struct http_request request;
    char bytes[1024];

    (void)state;
    assert_int_equal(read_text(text, &request, bytes), HTTP_READY);
    assert_int_equal(request.body_length, 5);
    assert_memory_equal(request.body, "hello", 5);
    assert_int_equal(request.consumed, strlen(text) - strlen("rest"));
}

static void trailers_are_passed_over(void **state)
{
    static const char text[] = GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n"
                                         "5\r\nhello\r\n0\r\nDigest: x\r\nHost: y\r\n\r\nrest";
    struct http_request request;
    char bytes[1024];

    (void)state;
    assert_int_equal(read_text(text, &request, bytes), HTTP_READY);
    assert_int_equal(request.body_length, 5);
    assert_string_equal(request.host, "ca.test");
    assert_int_equal(request.consumed, strlen(text) - strlen("rest"));
}

static void an_absolute_target_says_the_host(void **state)
{
    static const char *const targets[] = {"http://ca.test:80/x?y", "HTTPS://ca.test:80/x?y"};
    struct http_request request;
    char text[256], bytes[1024];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n", targets[i]);
        assert_int_equal(read_text(text, &request, bytes), HTTP_READY);
        assert_string_equal(request.host, "ca.test:80");
        assert_string_equal(request.target, "/x?y");
    }
}

static void a_connection_lasts_as_its_options_say(void **state)
{
    static const struct {
        const char *head;
        bool keeps;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: a",                                                true },
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close",                           false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, Close",                       false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: keep-alive", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed,te",                       true },
        {"GET / HTTP/1.0",                                                           false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive, TE",                             true },
    };
    struct http_request request;
    char text[256], bytes[1024];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, "%s\r\n\r\n", rows[i].head);
        assert_int_equal(read_text(text, &request, bytes), HTTP_READY);
        assert_int_equal(request.keep_alive, rows[i].keeps);
    }
}

/* HTTP/1.0 did not know it: RFC 9110 section 10.1.1. */
static void only_http_1_1_waits_for_a_continue(void **state)
{
    struct http_request request;
    char text[256], bytes[1024];

    (void)state;
    for (int minor = 0; minor < 2; minor++) {
        snprintf(text, sizeof text,
                 "POST / HTTP/1.%d\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 9\r\n\r\n",
                 minor);
        assert_int_equal(read_text(text, &request, bytes), HTTP_MORE);
        assert_int_equal(request.expects_continue, minor == 1);
    }
}

/* However it is cut, no prefix of a request is one. */
static void a_part_of_a_request_is_not_one(void **state)
{
    static const char *const texts[] = {
        GOOD_HEAD "Content-Length: 5\r\n\r\nhello",
        GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nDigest: x\r\n\r\n",
    };
    struct http_request request;
    char bytes[1024];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t length = 0; length < strlen(texts[i]); length++) {
            memcpy(bytes, texts[i], length);
            assert_int_equal(http_request_read(bytes, length, &request), HTTP_MORE);
        }
}

static void bad_requests_are_refused(void **state)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"GET\r\n\r\n",                                                            400},
        {"\r\n\r\n",                                                               400},
        {"GET / HTTP/2.0\r\n\r\n",                                                 505},
        {"GET x HTTP/1.1\r\nHost: a\r\n\r\n",                                      400},
        {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",                                   400},
        {"A-METHOD-THAT-NOBODY-KNOWS / HTTP/1.1\r\n\r\n",                          501},
        {GOOD_HEAD "Content-Length: -1\r\n\r\n",                                   400},
        {GOOD_HEAD "Content-Length: 5x\r\n\r\n",                                   400},
        {GOOD_HEAD "Content-Length: 4\r\nContent-Length: 5\r\n\r\nhello",          400},
        {GOOD_HEAD "Content-Length: 99999999\r\n\r\n",                             413},
        {GOOD_HEAD "Content-Length: 99999999999999999999999\r\n\r\n",              413},
        {GOOD_HEAD "Transfer-Encoding: gzip\r\n\r\n",                              501},
        {GOOD_HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello", 400},
        {GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",       413},
        {GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\nx\r\n",                      400},
        {GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n",             400},
        {GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",  400},
        {GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n5g\r\nhello\r\n0\r\n\r\n",   400},
        {GOOD_HEAD " folded: line\r\n\r\n",                                        400},
        {GOOD_HEAD "Space : before\r\n\r\n",                                       400},
        {"GET / HTTP/1.1\r\nHost: a\"b\r\n\r\n",                                   400},
        {"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n",                                  400},
        {GOOD_HEAD "Host: ca.test\r\n\r\n",                                        400},
        {"GET http://a/ HTTP/1.1\r\n\r\n",                                         400},
        {"GET https:///x HTTP/1.1\r\nHost: a\r\n\r\n",                             400},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",         400},
    };
    struct http_request request;
    char bytes[1024];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (read_text(rows[i].text, &request, bytes) != HTTP_BAD ||
            request.status != rows[i].status)
            fail_msg("row %zu: status %d, expected %d", i, request.status, rows[i].status);
    }
}

static void a_head_has_a_limit(void **state)
{
    char *bytes = malloc(HTTP_HEAD_MOST);
    struct http_request request;

    (void)state;
    memset(bytes, 'a', HTTP_HEAD_MOST);
    assert_int_equal(http_request_read(bytes, HTTP_HEAD_MOST - 1, &request), HTTP_MORE);
    assert_int_equal(http_request_read(bytes, HTTP_HEAD_MOST, &request), HTTP_BAD);
    assert_int_equal(request.status, 431);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_comes_with_its_length),
        cmocka_unit_test(a_body_comes_in_chunks),
        cmocka_unit_test(trailers_are_passed_over),
        cmocka_unit_test(an_absolute_target_says_the_host),
        cmocka_unit_test(a_connection_lasts_as_its_options_say),
        cmocka_unit_test(only_http_1_1_waits_for_a_continue),
        cmocka_unit_test(a_part_of_a_request_is_not_one),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(a_head_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
