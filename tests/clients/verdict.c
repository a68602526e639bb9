/* A chain is remembered by its serials, whatever the bytes. */
#include "clients/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

static void assert_serial(const char *expected, const void *der, size_t length)
{
    struct verdict verdict;
    unsigned char *exact = malloc(length + 1); /* so that a byte read too far is noticed */

    verdict_begin(&verdict);
    memcpy(exact, der, length);
    verdict_add_certificate(&verdict, exact, length);
    assert_int_equal(verdict.chain_count, 1);
    assert_string_equal(verdict.chain[0], expected);
    verdict_free(&verdict);
    free(exact);
}

#define assert_serial_of(expected, text) assert_serial(expected, text, sizeof(text) - 1)

static void serials_are_lower_case_hex(void **state)
{
    (void)state;
    assert_serial_of("0a1b2c", "\x30\x0c\x30\x0a\xa0\x03\x02\x01\x02\x02\x03\x0a\x1b\x2c");
    assert_serial_of("01", "\x30\x0a\x30\x08\xa0\x03\x02\x01\x02\x02\x01\x01");
    assert_serial_of("00", "\x30\x0a\x30\x08\xa0\x03\x02\x01\x02\x02\x01\x00");
}

static void a_sign_byte_is_no_part_of_the_number(void **state)
{
    (void)state;
    assert_serial_of("ff01", "\x30\x0c\x30\x0a\xa0\x03\x02\x01\x02\x02\x03\x00\xff\x01");
}

static void negative_serials_have_a_sign(void **state)
{
    (void)state;
    assert_serial_of("-01", "\x30\x0a\x30\x08\xa0\x03\x02\x01\x02\x02\x01\xff");
    assert_serial_of("-80", "\x30\x0a\x30\x08\xa0\x03\x02\x01\x02\x02\x01\x80");
}

static void version_1_has_no_version(void **state)
{
    (void)state;
    assert_serial_of("05", "\x30\x05\x30\x03\x02\x01\x05");
}

static void lengths_in_other_forms_are_read(void **state)
{
    (void)state;
    assert_serial_of("05", "\x30\x81\x07\x30\x82\x00\x03\x02\x01\x05");
    assert_serial_of("05", "\x30\x80\x30\x80\x02\x01\x05\x00\x00\x00\x00");
}

static void bytes_that_are_no_certificate_have_no_serial(void **state)
{
    (void)state;
    assert_serial_of("?", "");
    assert_serial_of("?", "\x30");
    assert_serial_of("?", "\x30\x84\xff\xff\xff\xff");
    assert_serial_of("?", "\x30\x89\x01\x01\x01\x01\x01\x01\x01\x01\x01");
    assert_serial_of("?", "\x30\x05\x30\x7f\x02\x01\x05");
    assert_serial_of("?", "\x30\x05\x30\x03\x02\x7f\x05");
    assert_serial_of("?", "\x30\x04\x30\x02\x02\x00");
    assert_serial_of("?", "not a certificate");
}

/* Every beginning of a good one, byte by byte. */
static void a_certificate_cut_anywhere_is_survived(void **state)
{
    static const char whole[] = "\x30\x0c\x30\x0a\xa0\x03\x02\x01\x02\x02\x03\x0a\x1b\x2c";

    (void)state;
    for (size_t length = 0; length < sizeof whole - 1; length++)
        assert_serial("?", whole, length);
}

static void a_serial_has_an_end(void **state)
{
    unsigned char der[4 + 4 + 4 + 200] = "\x30\x81\xce\x30\x81\xcb\x02\x81\xc8";
    char expected[SERIAL_MAX * 2 + 4] = "";

    (void)state;
    memset(der + 9, 0x11, 200);
    memset(expected, '1', SERIAL_MAX * 2);
    strcat(expected, "...");
    assert_serial(expected, der, 9 + 200);
}

/* A version 1 certificate with serial 5, whose dates are `from` and `until`, each a whole element. */
static int64_t until_of(const char *from, const char *until)
{
    struct verdict verdict;
    unsigned char der[128];
    size_t dates = strlen(from) + strlen(until), tbs = 3 + 2 + 2 + 2 + dates;
    int64_t found;
    int used = sprintf((char *)der, "0%c0%c\x02\x01\x05", (int)(tbs + 2), (int)tbs);

    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): it is no text */
    memcpy(der + used, "0\0000\0000", 5); /* an algorithm and an issuer, both empty */
    used += 4;
    der[used++] = '0';
    used += sprintf((char *)der + used, "%c%s%s", (int)dates, from, until);
    verdict_begin(&verdict);
    verdict_add_certificate(&verdict, der, (size_t)used);
    found = verdict.until;
    verdict_free(&verdict);
    return found;
}

static void the_first_certificate_has_an_end(void **state)
{
    (void)state;
    assert_int_equal(until_of("\x17\x0d"
                              "261121000000Z",
                              "\x17\x0d"
                              "270219050251Z"),
                     1803013371);
    assert_int_equal(until_of("\x18\x0f"
                              "20261121000000Z",
                              "\x18\x0f"
                              "20510219050251Z"),
                     2560395771);
    assert_int_equal(until_of("\x17\x0d"
                              "500101000000Z",
                              "\x17\x0d"
                              "700101000001Z"),
                     1);
    assert_int_equal(until_of("\x17\x0d"
                              "261121000000Z",
                              "\x17\x0d"
                              "27021905025xZ"),
                     UNTIL_UNKNOWN);
    assert_int_equal(until_of("\x17\x0d"
                              "261121000000Z",
                              "\x17\x03"
                              "27Z"),
                     UNTIL_UNKNOWN);
    assert_int_equal(until_of("\x17\x0d"
                              "261121000000Z",
                              ""),
                     UNTIL_UNKNOWN);
}

static void a_chain_has_an_end(void **state)
{
    struct verdict verdict;

    (void)state;
    verdict_begin(&verdict);
    for (int i = 0; i < CHAIN_MAX * 2; i++)
        verdict_add_certificate(&verdict, (const unsigned char *)"\x30\x05\x30\x03\x02\x01\x05", 7);
    assert_int_equal(verdict.chain_count, CHAIN_MAX);
    verdict_free(&verdict);
}

static void long_texts_are_cut(void **state)
{
    struct verdict verdict;
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    verdict_begin(&verdict);
    verdict_set(&verdict, OUTCOME_OTHER, 0, text, text);
    assert_int_equal(strlen(verdict.code), sizeof verdict.code - 1);
    assert_int_equal(strlen(verdict.words), sizeof verdict.words - 1);
    verdict_set(&verdict, OUTCOME_OK, DEPTH_UNKNOWN, NULL, NULL);
    assert_string_equal(verdict.words, "");
    verdict_free(&verdict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serials_are_lower_case_hex),
        cmocka_unit_test(a_sign_byte_is_no_part_of_the_number),
        cmocka_unit_test(negative_serials_have_a_sign),
        cmocka_unit_test(version_1_has_no_version),
        cmocka_unit_test(lengths_in_other_forms_are_read),
        cmocka_unit_test(bytes_that_are_no_certificate_have_no_serial),
        cmocka_unit_test(the_first_certificate_has_an_end),
        cmocka_unit_test(a_certificate_cut_anywhere_is_survived),
        cmocka_unit_test(a_serial_has_an_end),
        cmocka_unit_test(a_chain_has_an_end),
        cmocka_unit_test(long_texts_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
