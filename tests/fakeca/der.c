/* DER written backwards is DER. */
#include "fakeca/der.h"

#include <openssl/asn1.h>

#include "tests/fakeca/fixture.h"

static void a_length_is_as_short_as_it_can_be(void **state)
{
    static const size_t lengths[] = {0,     1,      0x7f,    0x80,     0xff,
                                     0x100, 0xffff, 0x10000, 0xffffff, 0x1000000};
    unsigned char bytes[16], right[16];

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct der der = {.at = bytes + sizeof bytes};
        unsigned char *end = right;

        der_header(&der, TAG_SEQUENCE, lengths[i]);
        ASN1_put_object(&end, 1, (int)lengths[i], V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
        assert_int_equal(bytes + sizeof bytes - der.at, end - right);
        assert_memory_equal(der.at, right, end - right);
    }
}

static void what_is_put_stands_before_what_was(void **state)
{
    static const unsigned char right[] = {TAG_SEQUENCE, 5, TAG_INTEGER, 1, 7, 'a', 'b'};
    unsigned char bytes[16];
    struct der der = {.at = bytes + sizeof bytes};
    unsigned char *inner;

    (void)state;
    der_put(&der, "ab", 2);
    inner = der.at;
    der_octet(&der, 7);
    der_wrap(&der, TAG_INTEGER, inner);
    der_wrap(&der, TAG_SEQUENCE, bytes + sizeof bytes);
    assert_int_equal(bytes + sizeof bytes - der.at, sizeof right);
    assert_memory_equal(der.at, right, sizeof right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_is_as_short_as_it_can_be),
        cmocka_unit_test(what_is_put_stands_before_what_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
