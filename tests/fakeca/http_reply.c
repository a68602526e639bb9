/* What web servers answer to a validator, and where they send it: RFC 9112, RFC 8555 section 8.3. */
#include "fakeca/http_reply.h"

#include "tests/fakeca/fixture.h"

/* Reads a copy, which is given back to be freed. */
static char *read_text(const char *text, struct http_reply *reply, bool *good)
{
    char *copy = strdup(text);
    struct error e;

    *good = http_reply_read(copy, strlen(copy), reply, &e) == 0;
    return copy;
}

static void bodies(void **state)
{
    /* clang-format off */
    static const struct {
        const char *text, *body;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\n\r\ntoken", "token"},
        {"HTTP/1.0 200\r\nX: y\r\n\r\ntoken\r\n", "token\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntoken and more", "token"},
        {"HTTP/1.1 200 OK\r\ncontent-length:3\r\n\r\ntok", "tok"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\ntoken", "token"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntok\r\n2;x=y\r\nen\r\n0\r\n\r\n", "token"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_reply reply;
        bool good;
        char *copy = read_text(rows[i].text, &reply, &good);

        assert_true(good);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body, rows[i].body);
        free(copy);
    }
}

static void what_is_no_reply(void **state)
{
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const char *const heads[] = {
        "",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 -20 OK\r\n\r\n",
    };
    static const char *const chunks[] = {
        "",
        "x",
        "5\r\ntok",
        "0x3\r\ntok\r\n0\r\n",
        "-1\r\ntok\r\n",
        "3\r\ntoken\r\n0\r\n",
        "fffffffff\r\ntok\r\n0\r\n",
    };
    struct http_reply reply;
    char text[128];
    bool good;

    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        free(read_text(heads[i], &reply, &good));
        assert_false(good);
    }
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        snprintf(text, sizeof text, "%s%s", chunked, chunks[i]);
        free(read_text(text, &reply, &good));
        assert_false(good);
    }
}

static void wholeness(void **state)
{
    static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntoke";
    static const char whole[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntoken";
    static const char endless[] = "HTTP/1.1 200 OK\r\n\r\ntoken";

    (void)state;
    assert_false(http_reply_whole("", 0));
    assert_false(http_reply_whole(half, sizeof half - 1));
    assert_true(http_reply_whole(whole, sizeof whole - 1));
    assert_false(http_reply_whole(endless, sizeof endless - 1));
}

static void redirects(void **state)
{
    /* clang-format off */
    static const struct {
        const char *url, *place; /* NULL: nowhere */
    } rows[] = {
        {"/elsewhere?a=b#c", "http shop.test 53 /elsewhere?a=b"},
        {"http://www.shop.test", "http www.shop.test 80 /"},
        {"HTTPS://www.shop.test/x", "https www.shop.test 443 /x"},
        {"http://www.shop.test:53?x", "http www.shop.test 53 /?x"},
        {"http://www.shop.test#x", "http www.shop.test 80 /"},
        {"//www.shop.test/", NULL},
        {"elsewhere", NULL},
        {"ftp://shop.test/", NULL},
        {"http://", NULL},
        {"http://:80/", NULL},
        {"http://shop.test:/", NULL},
        {"http://shop.test:80x/", NULL},
        {"http://shop.test:-80/", NULL},
        {"http://shop.test:655360/", NULL},
        {"http://[::1]/", NULL},
        {"http://shop.test/a b", NULL},
        {"http://shop.test/\x01", NULL},
        {"", NULL},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_place place = {.port = 53, .host = "shop.test", .path = "/"};
        int status = http_place_follow(&place, rows[i].url);
        char told[2400];

        snprintf(told, sizeof told, "%s %s %u %s", place.secure ? "https" : "http", place.host,
                 place.port, place.path);
        assert_int_equal(status, rows[i].place == NULL ? -1 : 0);
        assert_string_equal(told, rows[i].place == NULL ? "http shop.test 53 /" : rows[i].place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(what_is_no_reply),
        cmocka_unit_test(wholeness),
        cmocka_unit_test(redirects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
