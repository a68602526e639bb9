/* One certificate: what was asked for is what its encoding says. */
#include "tests/fakeca/fixture.h"

#include "fakeca/certificate.h"

static X509 *make(const struct certificate_spec *spec, const char *kind)
{
    struct error e;
    EVP_PKEY *key = key_make(key_kind_named(kind, &e), &e);
    X509 *certificate = certificate_make(spec, key, NULL, &e);

    if (certificate == NULL)
        fail_msg("%s", e.text);
    assert_int_equal(X509_verify(certificate, key), 1);
    EVP_PKEY_free(key);
    return certificate;
}

static const char *const names[] = {"shop.test", "*.shop.test", "192.0.2.1", "2001:db8::1"};

static struct certificate_spec leaf(void)
{
    return (struct certificate_spec){
        .common_name = names[0],
        .serial = "0a1b2c",
        .not_before = NOON,
        .not_after = NOON + DAY,
        .names = {names, 4},
        .key_usage = KU_DIGITAL_SIGNATURE,
    };
}

static void assert_extension(X509 *certificate, int nid, bool critical, const char *expected)
{
    int at = X509_get_ext_by_NID(certificate, nid, -1);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text, *said;
    long length;

    assert_true(at >= 0);
    assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(certificate, at)), critical);
    X509V3_EXT_print(bio, X509_get_ext(certificate, at), 0, 0);
    length = BIO_get_mem_data(bio, &text);
    said = strndup(text, (size_t)length);
    if (strstr(said, expected) == NULL)
        fail_msg("'%s' is not in '%s'", expected, said);
    free(said);
    BIO_free(bio);
}

static void every_kind_of_key_signs_and_is_known_again(void **state)
{
    static const char *const kinds[] = {"p256", "p384", "rsa2048", "rsa3072", "rsa4096", "ed25519"};
    struct certificate_spec spec = leaf();

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        X509 *certificate = make(&spec, kinds[i]);

        assert_string_equal(key_kind_of(X509_get0_pubkey(certificate))->name, kinds[i]);
        X509_free(certificate);
    }
}

static void addresses_become_addresses_and_names_names(void **state)
{
    struct certificate_spec spec = leaf();
    X509 *certificate = make(&spec, "p256");

    (void)state;
    assert_extension(certificate, NID_subject_alt_name, false,
                     "DNS:shop.test, DNS:*.shop.test, IP Address:192.0.2.1, "
                     "IP Address:2001:DB8:0:0:0:0:0:1");
    X509_free(certificate);
}

static void what_a_leaf_can_hold(void **state)
{
    static const char *const purposes[] = {"serverAuth", "clientAuth"};
    struct certificate_spec spec = leaf();
    X509 *certificate;

    (void)state;
    spec.purposes = (struct words){purposes, 2};
    spec.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    spec.ca_issuers = "http://ca.test/issuer.der";
    spec.ocsp = "http://ca.test/ocsp";
    spec.crl = "http://ca.test/crl";
    spec.must_staple = true;
    certificate = make(&spec, "p256");
    assert_extension(certificate, NID_basic_constraints, true, "CA:FALSE");
    assert_extension(certificate, NID_key_usage, true, "Digital Signature, Key Encipherment");
    assert_extension(certificate, NID_ext_key_usage, false,
                     "TLS Web Server Authentication, TLS Web Client Authentication");
    assert_extension(certificate, NID_info_access, false,
                     "OCSP - URI:http://ca.test/ocsp\nCA Issuers - URI:http://ca.test/issuer.der");
    assert_extension(certificate, NID_crl_distribution_points, false, "URI:http://ca.test/crl");
    assert_extension(certificate, NID_tlsfeature, false, "status_request");
    X509_free(certificate);
}

static void what_a_ca_can_hold(void **state)
{
    static const char *const permitted[] = {"shop.test"}, *const excluded[] = {"bad.shop.test"};
    struct certificate_spec spec = leaf();
    X509 *certificate;

    (void)state;
    spec.ca = true;
    spec.path_length = 3;
    spec.names = (struct words){0};
    spec.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    spec.permitted = (struct words){permitted, 1};
    spec.excluded = (struct words){excluded, 1};
    certificate = make(&spec, "p256");
    assert_extension(certificate, NID_basic_constraints, true, "CA:TRUE, pathlen:3");
    assert_extension(certificate, NID_key_usage, true, "Certificate Sign, CRL Sign");
    assert_extension(certificate, NID_name_constraints, true,
                     "Permitted:\n  DNS:shop.test\nExcluded:\n  DNS:bad.shop.test");
    assert_int_equal(X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1), -1);
    assert_int_equal(X509_get_ext_by_NID(certificate, NID_authority_key_identifier, -1), -1);
    X509_free(certificate);
}

static void dates_are_encoded_as_rfc_5280_wants_them(void **state)
{
    struct certificate_spec spec = leaf();
    X509 *certificate;

    (void)state;
    spec.not_before = INT64_C(2524607999); /* 2049-12-31T23:59:59Z */
    spec.not_after = INT64_C(2524608000);  /* 2050-01-01T00:00:00Z */
    certificate = make(&spec, "p256");
    assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(certificate)), V_ASN1_UTCTIME);
    assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(certificate)), V_ASN1_GENERALIZEDTIME);
    assert_int_equal(certificate_not_before(certificate), spec.not_before);
    assert_int_equal(certificate_not_after(certificate), spec.not_after);
    X509_free(certificate);
}

static void dates_that_no_certificate_can_hold_are_refused(void **state)
{
    struct certificate_spec spec = leaf();
    struct error e;
    EVP_PKEY *key = key_make(key_kind_named("p256", &e), &e);

    (void)state;
    spec.not_after = INT64_C(253402300800); /* 10000-01-01 */
    assert_null(certificate_make(&spec, key, NULL, &e));
    assert_non_null(strstr(e.text, "dates"));
    EVP_PKEY_free(key);
}

static void serial_numbers_are_read_as_they_were_given(void **state)
{
    static const char *const serials[] = {"00", "0a1b2c", "80", "-80",
                                          "7fffffffffffffffffffffffffffffffffffffff"};
    struct certificate_spec spec = leaf();

    (void)state;
    for (size_t i = 0; i < sizeof serials / sizeof serials[0]; i++) {
        char said[SERIAL_TEXT];
        X509 *certificate;

        spec.serial = serials[i];
        certificate = make(&spec, "ed25519");
        certificate_serial(certificate, said);
        assert_string_equal(said, serials[i]);
        X509_free(certificate);
    }
}

static void a_name_too_long_for_a_common_name_is_in_the_san_only(void **state)
{
    static const char name[] =
        "a-label-of-thirty-letters-xxxx.another-of-thirty-letters-xxxx.shop.test";
    const char *const one[] = {name};
    struct certificate_spec spec = leaf();
    X509 *certificate;

    (void)state;
    spec.common_name = name;
    spec.names = (struct words){one, 1};
    certificate = make(&spec, "p256");
    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(certificate)), 0);
    assert_extension(certificate, NID_subject_alt_name, true, name);
    X509_free(certificate);
}

static void words_that_mean_nothing_are_refused(void **state)
{
    static const char *const usages[] = {"digitalSignatur"}, *const purposes[] = {"serverAut"};
    struct error e;
    unsigned bits;

    (void)state;
    assert_int_equal(key_usage_parse((struct words){usages, 1}, &bits, &e), -1);
    assert_non_null(strstr(e.text, "digitalSignature"));
    assert_int_equal(purposes_check((struct words){purposes, 1}, &e), -1);
    assert_int_equal(name_check("shop..test", &e), -1);
    assert_int_equal(name_check("shop test", &e), -1);
    assert_int_equal(name_check("", &e), -1);
    assert_int_equal(name_check("::1", &e), 0);
    assert_int_equal(name_check("*.shop.test", &e), 0);
    assert_null(key_kind_named("p265", &e));
    assert_non_null(strstr(e.text, "p256"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_key_signs_and_is_known_again),
        cmocka_unit_test(addresses_become_addresses_and_names_names),
        cmocka_unit_test(what_a_leaf_can_hold),
        cmocka_unit_test(what_a_ca_can_hold),
        cmocka_unit_test(dates_are_encoded_as_rfc_5280_wants_them),
        cmocka_unit_test(dates_that_no_certificate_can_hold_are_refused),
        cmocka_unit_test(serial_numbers_are_read_as_they_were_given),
        cmocka_unit_test(a_name_too_long_for_a_common_name_is_in_the_san_only),
        cmocka_unit_test(words_that_mean_nothing_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
