/* HOST:PORT as users write it, and what is not one. */
#include "testbed/wire/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text, *host, *port;
    bool loopback;
} good[] = {
    {"127.0.0.1:443",      "127.0.0.1",       "443",   true },
    {"127.8.9.10:0",       "127.8.9.10",      "0",     true },
    {"shop.test:443",      "shop.test",       "443",   false},
    {"localhost:65535",    "localhost",       "65535", true },
    {"localhost.evil:1",   "localhost.evil",  "1",     false},
    {"[::1]:443",          "::1",             "443",   true },
    {"[2001:db8::2]:80",   "2001:db8::2",     "80",    false},
    {"[::]:80",            "::",              "80",    false},
    {"0.0.0.0:80",         "0.0.0.0",         "80",    false},
    {"10.127.0.1:80",      "10.127.0.1",      "80",    false},
    {"127.0.0.1.evil:80",  "127.0.0.1.evil",  "80",    false},
    {"under_score-1.x:80", "under_score-1.x", "80",    false},
};

static void addresses_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct address address;
        struct error e;

        if (address_parse(good[i].text, &address, &e) < 0)
            fail_msg("%s: %s", good[i].text, e.text);
        assert_string_equal(address.host, good[i].host);
        assert_string_equal(address.port, good[i].port);
        assert_int_equal(address_is_loopback(&address), good[i].loopback);
    }
}

static void everything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        ":",
        "shop.test",
        "shop.test:",
        ":443",
        "shop.test:https",
        "host:-1",
        "host:65536",
        "host:123456",
        "host:+1",
        "host: 80",
        "host:80 ",
        "::1:443",
        "[::1]",
        "[::1]443",
        "[]:443",
        "[shop.test]:443",
        "[::1:443",
        "::1]:443",
        "a:b:443",
        "http://x:80",
        "x/y:80",
        "a b:80",
        "-x:80",
        "x\n:80",
        "x\x1b[m:80",
        "user@host:80",
        "[[::1]]:443",
        "*:443",
        "host:٣",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct address address = {.host = "untouched"};
        struct error e;

        if (address_parse(bad[i], &address, &e) == 0)
            fail_msg("'%s' was understood as '%s' port '%s'", bad[i], address.host, address.port);
        assert_non_null(strstr(e.text, "is not an address; expected HOST:PORT"));
        assert_string_equal(address.host, "untouched");
    }
}

static void the_longest_host_fits_and_a_longer_one_is_refused(void **state)
{
    char text[300];
    struct address address;
    struct error e;

    (void)state;
    memset(text, 'a', sizeof text);
    strcpy(text + 255, ":443");
    assert_int_equal(address_parse(text, &address, &e), 0);
    assert_int_equal(strlen(address.host), 255);
    memset(text, 'a', sizeof text);
    strcpy(text + 256, ":443");
    assert_int_equal(address_parse(text, &address, &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_understood),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(the_longest_host_fits_and_a_longer_one_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
