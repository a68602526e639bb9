/* Records that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakeca/dns_answer.h"

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s", e.text);                                                                \
    } while (0)

static int open_zone(void **state)
{
    struct error e;

    *state = dns_zone_new(&e);
    return *state == NULL ? -1 : 0;
}

static int close_zone(void **state)
{
    dns_zone_free(*state);
    return 0;
}

/* How many records a name has. */
static size_t count_of(const struct dns_zone *zone, const char *name)
{
    ldns_rdf *owner = ldns_dname_new_frm_str(name);
    const ldns_rr_list *records = dns_zone_find(zone, owner);

    ldns_rdf_deep_free(owner);
    return records == NULL ? 0 : ldns_rr_list_rr_count(records);
}

static bool exists(const struct dns_zone *zone, const char *name)
{
    ldns_rdf *owner = ldns_dname_new_frm_str(name);
    bool result = dns_zone_exists(zone, owner);

    ldns_rdf_deep_free(owner);
    return result;
}

static void records_are_added_once_and_removed_by_their_type(void **state)
{
    static const char name[] = "_acme-challenge.shop.test";
    struct error e;

    MUST(dns_zone_add(*state, "_acme-challenge.shop.test. TXT \"first\"", &e));
    MUST(dns_zone_add(*state, "_acme-challenge.shop.test. TXT \"second\"", &e));
    MUST(dns_zone_add(*state, "_acme-challenge.shop.test. TXT \"second\"", &e));
    MUST(dns_zone_add(*state, "_acme-challenge.shop.test. A 127.0.0.1", &e));
    assert_int_equal(count_of(*state, name), 3);
    assert_int_equal(dns_zone_remove(*state, name, "TXT", &e), 2);
    assert_int_equal(count_of(*state, name), 1);
    assert_int_equal(dns_zone_remove(*state, name, NULL, &e), 1);
    assert_int_equal(count_of(*state, name), 0);
    assert_false(exists(*state, name));
    assert_int_equal(dns_zone_remove(*state, name, NULL, &e), 0);
}

static void names_have_no_case_and_stay_in_order(void **state)
{
    static const char *const records[] = {"b.test. A 127.0.0.1", "a.b.test. AAAA ::1",
                                          "A.test. A 127.0.0.1", "z.b.test. AAAA ::1",
                                          "b.tesu. A 127.0.0.1"};
    struct error e;

    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        MUST(dns_zone_add(*state, records[i], &e));
    assert_int_equal(count_of(*state, "a.TEST"), 1);
    assert_int_equal(count_of(*state, "Z.B.test."), 1);
    assert_true(exists(*state, "test")); /* names below it do */
    assert_false(exists(*state, "c.test"));
    assert_int_equal(dns_zone_remove(*state, "b.test", "AAAA", &e), 0);
    assert_int_equal(dns_zone_remove(*state, "b.test", "A", &e), 1);
    assert_true(exists(*state, "b.test")); /* a.b.test does */
    assert_int_equal(count_of(*state, "a.b.test"), 1);
}

static void what_is_no_record_is_refused(void **state)
{
    struct error e;

    assert_int_equal(dns_zone_add(*state, "shop.test. A 300.1.1.1", &e), -1);
    assert_int_equal(dns_zone_add(*state, "shop.test. CH TXT \"x\"", &e), -1);
    assert_int_equal(dns_zone_add(*state, "", &e), -1);
    assert_int_equal(dns_zone_add(*state, "a..test. A 127.0.0.1", &e), -1);
    assert_int_equal(dns_zone_remove(*state, "a..test", NULL, &e), -1);
    assert_int_equal(dns_zone_remove(*state, "shop.test", "NOTYPE", &e), -1);
    assert_int_equal(dns_zone_fallback(*state, "nowhere", &e), -1);
    assert_false(exists(*state, "shop.test"));
}

static void check_around(const struct dns_zone *zone, const char *name, const char *before,
                         const char *after)
{
    ldns_rdf *of = ldns_dname_new_frm_str(name);
    const ldns_rdf *found[] = {dns_zone_before(zone, of), dns_zone_after(zone, of)};
    const char *expected[] = {before, after};

    for (int i = 0; i < 2; i++) {
        char *text = found[i] == NULL ? NULL : ldns_rdf2str(found[i]);

        if (expected[i] == NULL)
            assert_null(text);
        else
            assert_string_equal(text, expected[i]);
        free(text);
    }
    ldns_rdf_deep_free(of);
}

static void the_names_around_a_name_are_those_that_have_records(void **state)
{
    struct error e;

    MUST(dns_zone_add(*state, "b.test. TXT x", &e));
    MUST(dns_zone_add(*state, "a.b.test. TXT x", &e));
    MUST(dns_zone_add(*state, "D.test. TXT x", &e));
    check_around(*state, "a.test", NULL, "b.test.");
    check_around(*state, "b.test", NULL, "D.test."); /* what is below it is no neighbour */
    check_around(*state, "c.test", "a.b.test.", "D.test.");
    check_around(*state, "d.test", "a.b.test.", NULL);
    check_around(*state, "test", NULL, NULL);
    check_around(*state, "e.test", "D.test.", NULL);
}

static void a_question_is_told_in_lower_case(void **state)
{
    static const unsigned char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\4SHop\4tesT\0\0\x10\0\1";
    struct dns_question question;

    (void)state;
    assert_true(dns_asked(query, sizeof query - 1, &question));
    assert_string_equal(question.name, "shop.test");
    assert_string_equal(question.type, "TXT");
    assert_false(question.secured);
    for (size_t length = 0; length < sizeof query - 1; length++)
        assert_false(dns_asked(query, length, &question));
}

static void a_delay_is_for_the_caller_to_keep(void **state)
{
    static const unsigned char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\4shop\4test\0\0\1\0\1";
    struct dns_misbehaviour slow = {.delay_ms = 1234};
    struct dns_reply reply;
    struct error e;

    MUST(dns_answer(*state, query, sizeof query - 1, DNS_UDP, (struct dns_signing){0}, &slow,
                    &reply, &e));
    assert_non_null(reply.bytes);
    assert_int_equal(reply.delay_ms, 1234);
    free(reply.bytes);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, open_zone, close_zone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(the_names_around_a_name_are_those_that_have_records),
        FRESH(records_are_added_once_and_removed_by_their_type),
        FRESH(names_have_no_case_and_stay_in_order),
        FRESH(what_is_no_record_is_refused),
        FRESH(a_question_is_told_in_lower_case),
        FRESH(a_delay_is_for_the_caller_to_keep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
