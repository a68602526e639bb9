/* The words of settings, and what is said of words that are none. */
#include "clients/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct word groups[] = {
    {"X25519", "GROUP-X25519"   },
    {"P-256",  "GROUP-SECP256R1"},
    {"X448",   NULL             },
    {NULL,     NULL             },
};

static void lists_are_translated_in_order(void **state)
{
    char out[64];
    struct error e;

    (void)state;
    assert_int_equal(words_join(groups, "groups", "P-256:X25519", ":+", out, sizeof out, &e), 0);
    assert_string_equal(out, ":+GROUP-SECP256R1:+GROUP-X25519");
    assert_string_equal(word_ours(groups, "group-x25519"), "X25519");
    assert_string_equal(word_ours(groups, "GROUP-NEW"), "GROUP-NEW");
}

static void wrong_words_are_named(void **state)
{
    static const struct {
        const char *list, *said;
    } cases[] = {
        {"P-265",        "groups: 'P-265' is unknown; did you mean P-256?"             },
        {"X25519:",      NULL                                                          },
        {"",             "groups: is empty"                                            },
        {"X25519::X448", "groups: '' is unknown; expected words such as X25519"        },
        {"X448",         "groups: this library does not have X448"                     },
        {"lavender",     "groups: 'lavender' is unknown; expected words such as X25519"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error e = {""};
        int result = words_join(groups, "groups", cases[i].list, ":", out, sizeof out, &e);

        assert_int_equal(result, cases[i].said == NULL ? 0 : -1);
        if (cases[i].said != NULL)
            assert_string_equal(e.text, cases[i].said);
    }
}

static void a_list_too_long_is_refused(void **state)
{
    char out[16];
    struct error e;

    (void)state;
    assert_int_equal(words_join(groups, "groups", "X25519:P-256", ":", out, sizeof out, &e), -1);
    assert_string_equal(e.text, "groups: the list is too long");
}

static void versions_have_an_order(void **state)
{
    struct settings settings = {.min_version = "1.3", .max_version = "1.2"};
    struct error e;

    (void)state;
    assert_int_equal(tls_version(NULL, &e), TLS_AS_LIBRARY);
    assert_int_equal(tls_version("1.2", &e), TLS_1_2);
    assert_int_equal(tls_version("TLS1.2", &e), -1);
    assert_int_equal(settings_words(&settings, &e), -1);
    assert_string_equal(e.text, "min version: 1.3 is newer than the max version, 1.2");
}

static void alpn_goes_onto_the_wire(void **state)
{
    unsigned char out[16];
    struct error e;

    (void)state;
    assert_int_equal(alpn_bytes("h2,http/1.1", out, sizeof out, &e), 12);
    assert_memory_equal(out, "\x02h2\x08http/1.1", 12);
    assert_int_equal(alpn_bytes("", out, sizeof out, &e), -1);
    assert_int_equal(alpn_bytes("h2,,h3", out, sizeof out, &e), -1);
    assert_int_equal(alpn_bytes("much-too-long-for-this", out, sizeof out, &e), -1);
}

static void addresses_are_not_names(void **state)
{
    (void)state;
    assert_true(name_is_address("127.0.0.1"));
    assert_true(name_is_address("::1"));
    assert_false(name_is_address("shop.test"));
    assert_false(name_is_address("127.0.0.1.shop.test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_translated_in_order), cmocka_unit_test(wrong_words_are_named),
        cmocka_unit_test(a_list_too_long_is_refused),    cmocka_unit_test(versions_have_an_order),
        cmocka_unit_test(alpn_goes_onto_the_wire),       cmocka_unit_test(addresses_are_not_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
