/* Every fault changes what it says, and nothing else.
 *
 * The chain before is L I J under the root R: leaf, its issuer, and that one's.  A broken chain
 * is written down as what is sent, then "|" and what is trusted; a certificate that was remade has
 * its changed fields behind it, "+" is one that was not there before. */
#include "tests/fakeca/fixture.h"

#include "fakeca/fault.h"

static const struct expected {
    const char *fault;
    const char *chain;
} expected[] = {
    {"expired-leaf",                  "L(serial begin end) I J | R"                                                 },
    {"expired-intermediate",          "L I(serial end) J | R"                                                       },
    {"expired-root",                  "L I J | R(serial end)"                                                       },
    {"not-yet-valid-leaf",            "L(serial begin) I J | R"                                                     },
    {"not-yet-valid-intermediate",    "L I(serial begin) J | R"                                                     },
    {"not-yet-valid-root",            "L I J | R(serial begin)"                                                     },
    {"beyond-2050",                   "L(serial end) I J | R"                                                       },
    {"year-9999",                     "L(serial end) I J | R"                                                       },
    {"without-intermediate",          "L J | R"                                                                     },
    {"reversed-chain",                "J I L | R"                                                                   },
    {"shuffled-chain",                "L J I | R"                                                                   },
    {"duplicated-intermediate",       "L I J I | R"                                                                 },
    {"root-sent",                     "L I J R | R"                                                                 },
    {"unrelated-certificate",         "L I J + | R"                                                                 },
    {"unrelated-expired-certificate", "L I J + | R"                                                                 },
    {"old-leaf-sent",                 "L I J L(serial begin end) | R"                                               },
    {"expired-cross-sign",            "L I J R(serial issuer end aki) | R +"                                        },
    {"same-name-intermediate",        "L I(serial key ski) J | R"                                                   },
    {"self-signed-leaf",              "L(serial issuer aki) | R"                                                    },
    {"untrusted-root",                "L I J(serial issuer aki) | R"                                                },
    {"untrusted-root-sent",           "L I J(serial issuer aki) + | R"                                              },
    {"path-too-long",                 "L(serial issuer aki) + I(serial) J(serial basic) | R"                        },
    {"long-chain",                    "L(serial issuer aki) + + + + + + + + + + I(serial basic) J(serial basic) | R"},
    {"wrong-name",                    "L(serial subject names) I J | R"                                             },
    {"no-san",                        "L(serial names) I J | R"                                                     },
    {"partial-wildcard",              "L(serial subject names) I J | R"                                             },
    {"deep-wildcard",                 "L(serial subject names) I J | R"                                             },
    {"bare-wildcard",                 "L(serial subject names) I J | R"                                             },
    {"huge-san",                      "L(serial names) I J | R"                                                     },
    {"name-constraint",               "L I(serial constraints) J | R"                                               },
    {"excluded-name",                 "L I(serial constraints) J | R"                                               },
    {"other-key",                     "L I J | R, key"                                                              },
    {"rsa-1024",                      "L(serial key ski) I J | R, key"                                              },
    {"sha1-signature",                "L(serial ecdsa-with-SHA1) I J | R"                                           },
    {"sha1-intermediate",             "L I(serial ecdsa-with-SHA1) J | R"                                           },
    {"md5-signature",                 "L(serial aki RSA-MD5) I(serial key ski) J | R"                               },
    {"bad-leaf-signature",            "L(signature only) I J | R"                                                   },
    {"bad-intermediate-signature",    "L I(signature only) J | R"                                                   },
    {"no-aki",                        "L(serial aki) I J | R"                                                       },
    {"wrong-aki",                     "L(serial aki) I J | R"                                                       },
    {"intermediate-not-ca",           "L I(serial basic) J | R"                                                     },
    {"no-keycertsign",                "L I(serial usage) J | R"                                                     },
    {"no-digital-signature",          "L(serial usage) I J | R"                                                     },
    {"client-only-leaf",              "L(serial purpose) I J | R"                                                   },
    {"client-only-intermediate",      "L I(serial purpose) J | R"                                                   },
    {"unknown-critical-extension",    "L(serial unknown) I J | R"                                                   },
    {"negative-serial",               "L(serial) I J | R"                                                           },
    {"zero-serial",                   "L(serial) I J | R"                                                           },
    {"long-serial",                   "L(serial) I J | R"                                                           },
    {"trailing-bytes",                "L I J | R, bytes"                                                            },
    {"truncated-pem",                 "L I J | R, bytes"                                                            },
    {"truncated-leaf",                "L I J | R, bytes"                                                            },
    {"long-form-length",              "L I J | R, bytes"                                                            },
    {"indefinite-length",             "L I J | R, bytes"                                                            },
    {"must-staple",                   "L(serial staple) I J | R"                                                    },
    {"staple-revoked",                "L I J | R, staple"                                                           },
    {"staple-unknown",                "L I J | R, staple"                                                           },
    {"staple-expired",                "L I J | R, staple"                                                           },
    {"staple-of-another",             "L I J | R, staple"                                                           },
    {"staple-forged",                 "L I J | R, staple"                                                           },
    {"revoked",                       "L I J | R, crl"                                                              },
    {"revoked-intermediate",          "L I J | R, crl"                                                              },
    {"expired-crl",                   "L I J | R, crl"                                                              },
    {"not-yet-valid-crl",             "L I J | R, crl"                                                              },
    {"missing-crl",                   "L I J | R, crl"                                                              },
};
#define EXPECTED (sizeof expected / sizeof expected[0])

struct text {
    char bytes[4096];
    size_t used;
};

static void put(struct text *text, const char *before, const char *word)
{
    text->used += (size_t)snprintf(text->bytes + text->used, sizeof text->bytes - text->used,
                                   "%s%s", before, word);
}

/* --- what differs between two certificates ------------------------------------------------------ */

static void compare(struct text *text, const char *field, bool same, int *count)
{
    if (same)
        return;
    put(text, (*count)++ == 0 ? "(" : " ", field);
}

static bool same_extension(const X509 *one, const X509 *two, int nid)
{
    int a = X509_get_ext_by_NID(one, nid, -1), b = X509_get_ext_by_NID(two, nid, -1);
    X509_EXTENSION *x = X509_get_ext(one, a), *y = X509_get_ext(two, b);

    if (a < 0 || b < 0)
        return a < 0 && b < 0;
    return X509_EXTENSION_get_critical(x) == X509_EXTENSION_get_critical(y) &&
           ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(x), X509_EXTENSION_get_data(y)) == 0;
}

static bool has_unknown(const X509 *certificate)
{
    ASN1_OBJECT *object = OBJ_txt2obj(OID_UNKNOWN, 1);
    int at = X509_get_ext_by_OBJ(certificate, object, -1);

    ASN1_OBJECT_free(object);
    return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(certificate, at));
}

static void put_differences(struct text *text, X509 *before, X509 *after)
{
    static const struct {
        const char *name;
        int nid;
    } extensions[] = {
        {"basic",       NID_basic_constraints       },
        {"usage",       NID_key_usage               },
        {"purpose",     NID_ext_key_usage           },
        {"ski",         NID_subject_key_identifier  },
        {"aki",         NID_authority_key_identifier},
        {"names",       NID_subject_alt_name        },
        {"constraints", NID_name_constraints        },
        {"staple",      NID_tlsfeature              },
    };
    const ASN1_BIT_STRING *signature, *other;
    bool resigned;
    int count = 0;

    X509_get0_signature(&signature, NULL, before);
    X509_get0_signature(&other, NULL, after);
    resigned = ASN1_STRING_cmp(signature, other) != 0;
    compare(text, "serial",
            ASN1_INTEGER_cmp(X509_get0_serialNumber(before), X509_get0_serialNumber(after)) == 0,
            &count);
    compare(text, "issuer",
            X509_NAME_cmp(X509_get_issuer_name(before), X509_get_issuer_name(after)) == 0, &count);
    compare(text, "begin", certificate_not_before(before) == certificate_not_before(after), &count);
    compare(text, "end", certificate_not_after(before) == certificate_not_after(after), &count);
    compare(text, "subject",
            X509_NAME_cmp(X509_get_subject_name(before), X509_get_subject_name(after)) == 0,
            &count);
    compare(text, "key", EVP_PKEY_eq(X509_get0_pubkey(before), X509_get0_pubkey(after)) == 1,
            &count);
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++)
        compare(text, extensions[i].name, same_extension(before, after, extensions[i].nid), &count);
    compare(text, "unknown", has_unknown(before) == has_unknown(after), &count);
    compare(text, OBJ_nid2sn(X509_get_signature_nid(after)),
            X509_get_signature_nid(before) == X509_get_signature_nid(after), &count);
    compare(text, "signature only", count > 0 || !resigned, &count);
    put(text, count > 0 ? ")" : "", "");
}

/* --- a chain as text ---------------------------------------------------------------------------- */

static bool is_like(X509 *one, X509 *two)
{
    return EVP_PKEY_eq(X509_get0_pubkey(one), X509_get0_pubkey(two)) == 1 ||
           X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(two)) == 0;
}

static void put_certificate(struct text *text, const struct chain *before, X509 *certificate)
{
    static const char *const labels[] = {"L", "I", "J", "R"};

    for (int i = 0; i < 4; i++) {
        X509 *known = i < 3 ? sk_X509_value(before->sent, i) : sk_X509_value(before->trust, 0);

        if (is_like(known, certificate)) {
            put(text, "", labels[i]);
            put_differences(text, known, certificate);
            put(text, " ", "");
            return;
        }
    }
    put(text, "+ ", "");
}

static void write_down(struct text *text, const struct chain *before, const struct chain *after)
{
    for (int i = 0; i < sk_X509_num(after->sent); i++)
        put_certificate(text, before, sk_X509_value(after->sent, i));
    put(text, "| ", "");
    for (int i = 0; i < sk_X509_num(after->trust); i++)
        put_certificate(text, before, sk_X509_value(after->trust, i));
    while (text->bytes[text->used - 1] == ' ')
        text->bytes[--text->used] = '\0';
    if (EVP_PKEY_eq(before->key, after->key) != 1)
        put(text, ", ", "key");
    if (after->staple.bytes != NULL)
        put(text, ", ", "staple");
    if (sk_X509_CRL_num(after->crls) > 0)
        put(text, ", ", "crl");
    if (after->pem != NULL)
        put(text, ", ", "bytes");
}

static const char *expectation_for(const char *fault)
{
    for (size_t i = 0; i < EXPECTED; i++)
        if (strcmp(expected[i].fault, fault) == 0)
            return expected[i].chain;
    return "(no line in the table above)";
}

static void every_fault_changes_what_it_says_and_nothing_else(void **state)
{
    struct fixture *it = *state;
    int wrong = 0;

    for (size_t i = 0; i < fault_count; i++) {
        struct text text = {0};
        struct error e;
        struct chain *broken = fault_apply(&fault_table[i], it->chain, &it->authority, NOON, &e);

        if (broken == NULL) {
            fail_msg("%s", e.text);
            continue;
        }
        write_down(&text, it->chain, broken);
        if (strcmp(text.bytes, expectation_for(fault_table[i].name)) != 0) {
            print_message("# %s\n#      got: %s\n# expected: %s\n", fault_table[i].name, text.bytes,
                          expectation_for(fault_table[i].name));
            wrong++;
        }
        assert_string_equal(broken->fault, fault_table[i].name);
        chain_free(broken);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(EXPECTED, fault_count);
}

static X509 *leaf_after(struct fixture *it, const char *fault, struct chain **broken)
{
    struct error e;

    *broken = fault_apply(fault_named(fault, &e), it->chain, &it->authority, NOON, &e);
    assert_non_null(*broken);
    return sk_X509_value((*broken)->sent, 0);
}

static void dates_are_a_day_off(void **state)
{
    struct fixture *it = *state;
    struct chain *broken;
    X509 *leaf = leaf_after(it, "expired-leaf", &broken);

    assert_int_equal(certificate_not_after(leaf), NOON - DAY);
    assert_true(certificate_not_before(leaf) < NOON - DAY);
    chain_free(broken);
    leaf = leaf_after(it, "not-yet-valid-leaf", &broken);
    assert_int_equal(certificate_not_before(leaf), NOON + DAY);
    chain_free(broken);
    leaf = leaf_after(it, "year-9999", &broken);
    assert_int_equal(certificate_not_after(leaf), INT64_C(253402300799));
    chain_free(broken);
}

static void serial_numbers_are_as_wrong_as_promised(void **state)
{
    struct fixture *it = *state;
    struct chain *broken;
    char serial[SERIAL_TEXT];

    certificate_serial(leaf_after(it, "negative-serial", &broken), serial);
    assert_true(serial[0] == '-');
    chain_free(broken);
    certificate_serial(leaf_after(it, "zero-serial", &broken), serial);
    assert_string_equal(serial, "00");
    chain_free(broken);
    certificate_serial(leaf_after(it, "long-serial", &broken), serial);
    assert_int_equal(strlen(serial), 2 * 21);
    chain_free(broken);
}

static void what_was_given_stays_as_it_was(void **state)
{
    struct fixture *it = *state;
    struct error e;
    struct text text = {0};
    struct chain *before = chain_copy(it->chain, &e);
    int64_t serial = json_integer_value(json_object_get(it->authority.record, "serial"));

    for (size_t i = 0; i < fault_count; i++)
        chain_free(fault_apply(&fault_table[i], it->chain, &it->authority, NOON, &e));
    write_down(&text, before, it->chain);
    assert_string_equal(text.bytes, "L I J | R");
    assert_int_equal(json_integer_value(json_object_get(it->authority.record, "serial")), serial);
    chain_free(before);
}

static void a_remade_leaf_has_a_serial_number_that_depends_on_nothing_but_its_past(void **state)
{
    struct fixture *it = *state;
    struct error e;
    const struct fault *expired = fault_named("expired-leaf", &e);
    const struct fault *early = fault_named("not-yet-valid-leaf", &e);
    struct chain *once = fault_apply(expired, it->chain, &it->authority, NOON, &e);
    struct chain *again = fault_apply(expired, it->chain, &it->authority, NOON, &e);
    struct chain *otherwise = fault_apply(early, it->chain, &it->authority, NOON, &e);
    char one[SERIAL_TEXT], two[SERIAL_TEXT], three[SERIAL_TEXT];

    certificate_serial(sk_X509_value(once->sent, 0), one);
    certificate_serial(sk_X509_value(again->sent, 0), two);
    certificate_serial(sk_X509_value(otherwise->sent, 0), three);
    assert_string_equal(one, two);
    assert_string_not_equal(one, three);
    chain_free(once);
    chain_free(again);
    chain_free(otherwise);
}

static void faults_add_up(void **state)
{
    struct fixture *it = *state;
    struct error e;
    struct chain *one =
        fault_apply(fault_named("without-intermediate", &e), it->chain, &it->authority, NOON, &e);
    struct chain *both =
        fault_apply(fault_named("expired-leaf", &e), one, &it->authority, NOON, &e);

    assert_non_null(both);
    assert_int_equal(sk_X509_num(both->sent), 2);
    assert_true(certificate_not_after(sk_X509_value(both->sent, 0)) < NOON);
    chain_free(one);
    chain_free(both);
}

static void a_chain_too_short_for_a_fault_is_refused(void **state)
{
    struct fixture *it = *state;
    struct error e;

    X509_free(sk_X509_pop(it->chain->sent));
    assert_null(
        fault_apply(fault_named("shuffled-chain", &e), it->chain, &it->authority, NOON, &e));
    assert_string_equal(e.text,
                        "shuffled-chain: expected at least 2 intermediates in the chain, found 1");
}

static void a_chain_of_another_authority_is_refused(void **state)
{
    struct fixture *it = *state;
    void *another = another_fixture();
    struct error e;

    assert_null(fault_apply(fault_named("expired-leaf", &e), ((struct fixture *)another)->chain,
                            &it->authority, NOON, &e));
    assert_non_null(strstr(e.text, "has not issued"));
    fixture_close(&another);
}

static void a_wrong_name_gets_the_nearest_right_one(void **state)
{
    struct error e;

    (void)state;
    assert_null(fault_named("expired-laef", &e));
    assert_string_equal(e.text, "unknown fault 'expired-laef'; did you mean expired-leaf?");
    assert_null(fault_named("entirely different words", &e));
    assert_non_null(strstr(e.text, "`fakeca faults`"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(every_fault_changes_what_it_says_and_nothing_else),
        FRESH(dates_are_a_day_off),
        FRESH(serial_numbers_are_as_wrong_as_promised),
        FRESH(what_was_given_stays_as_it_was),
        FRESH(a_remade_leaf_has_a_serial_number_that_depends_on_nothing_but_its_past),
        FRESH(faults_add_up),
        FRESH(a_chain_too_short_for_a_fault_is_refused),
        FRESH(a_chain_of_another_authority_is_refused),
        cmocka_unit_test(a_wrong_name_gets_the_nearest_right_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
