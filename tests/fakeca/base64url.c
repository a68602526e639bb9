/* Every byte string has one spelling, and what is no such spelling is refused. */
#include "fakeca/base64url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void it_comes_back(void **state)
{
    unsigned char bytes[64], again[64];
    char text[BASE64URL_TEXT(64)];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37 + 200);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        base64url(bytes, length, text);
        assert_int_equal(base64url_decode(text, strlen(text), again, length), length);
        assert_memory_equal(again, bytes, length);
        if (length > 0)
            assert_int_equal(base64url_decode(text, strlen(text), again, length - 1), -1);
    }
}

static void another_character_is_refused_wherever_it_stands(void **state)
{
    static const char others[] = "=+/ \n.\x80";
    unsigned char out[16];

    (void)state;
    for (size_t at = 0; at < 11; at++)
        for (size_t i = 0; i < sizeof others; i++) { /* the NUL, too */
            char text[] = "AAAABBBBAAA";

            text[at] = others[i];
            assert_int_equal(base64url_decode(text, strlen("AAAABBBBAAA"), out, sizeof out), -1);
        }
}

static void bits_that_stand_for_nothing_are_refused(void **state)
{
    unsigned char out[16];

    (void)state;
    assert_int_equal(base64url_decode("AAAAA", 5, out, sizeof out), -1);
    assert_int_equal(base64url_decode("AAAAAB", 6, out, sizeof out), -1);
    assert_int_equal(base64url_decode("AAAAAAB", 7, out, sizeof out), -1);
    assert_int_equal(base64url_decode("AAAAAAA", 7, out, sizeof out), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back),
        cmocka_unit_test(another_character_is_refused_wherever_it_stands),
        cmocka_unit_test(bits_that_stand_for_nothing_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
