/* Certificates from a template are what certificate_make makes, octet for octet, but for the signature. */
#include "fakeca/template.h"

#include "tests/fakeca/fixture.h"

static EVP_PKEY *key(const char *kind)
{
    struct error e;

    return key_make(key_kind_named(kind, &e), &e);
}

static struct signer issuer_of(const char *kind)
{
    const struct certificate_spec root = {
        .common_name = "Issuer",
        .serial = "01",
        .not_before = NOON - DAY,
        .not_after = NOON + 900 * DAY,
        .ca = true,
        .path_length = -1,
        .key_usage = KU_KEY_CERT_SIGN,
    };
    struct error e;
    struct signer issuer = {.key = key(kind)};

    issuer.certificate = certificate_make(&root, issuer.key, NULL, &e);
    assert_non_null(issuer.certificate);
    return issuer;
}

static void let_go(struct signer issuer)
{
    X509_free(issuer.certificate);
    EVP_PKEY_free(issuer.key);
}

static const char *const server[] = {"serverAuth"}, *const both[] = {"serverAuth", "clientAuth"};
static const char *const shop[] = {"shop.test"};

#define OCSP    .ocsp = "http://ca.test/ocsp"
#define ISSUERS .ca_issuers = "http://ca.test/issuers/1.cer"
#define CRL     .crl = "http://ca.test/crls/1.crl"
#define STAPLE  .must_staple = true

/* The first is what `fakeca serve` issues; each of the others differs in something that a template has. */
/* clang-format off */
static const struct certificate_spec profiles[] = {
    {.names = {shop, 1}, .key_usage = KU_DIGITAL_SIGNATURE, .purposes = {server, 1}, OCSP, ISSUERS, CRL},
    {.names = {shop, 1}, .key_usage = KU_DIGITAL_SIGNATURE, .purposes = {server, 1}, OCSP, ISSUERS, CRL, STAPLE},
    {.names = {shop, 1}, .key_usage = KU_KEY_ENCIPHERMENT, .purposes = {server, 1}, OCSP, ISSUERS, CRL},
    {.names = {shop, 1}, .key_usage = KU_DIGITAL_SIGNATURE, .purposes = {both, 2}, OCSP, ISSUERS, CRL},
    {.names = {shop, 1}, .key_usage = KU_DIGITAL_SIGNATURE, .purposes = {server, 1}, OCSP, ISSUERS},
    {.names = {shop, 1}, .key_usage = KU_DIGITAL_SIGNATURE, .purposes = {server, 1}, OCSP, CRL},
    {.names = {shop, 1}, .key_usage = KU_DIGITAL_SIGNATURE, .purposes = {server, 1}, ISSUERS, CRL},
    {.names = {shop, 1}, .ocsp = "http://ca.test/"},
    {.names = {shop, 1}, CRL},
    {.names = {shop, 1}},
};
/* clang-format on */
#define PROFILES (sizeof profiles / sizeof profiles[0])

/* Without the signature: the algorithm's name stands there twice and must be the same. */
static void assert_same(X509 *one, X509 *other)
{
    unsigned char *a = NULL, *b = NULL;
    int length = i2d_re_X509_tbs(one, &a);
    const X509_ALGOR *outer[2];

    assert_int_equal(i2d_re_X509_tbs(other, &b), length);
    assert_memory_equal(a, b, length);
    X509_get0_signature(NULL, &outer[0], one);
    X509_get0_signature(NULL, &outer[1], other);
    assert_int_equal(X509_ALGOR_cmp(outer[0], outer[1]), 0);
    OPENSSL_free(a);
    OPENSSL_free(b);
}

static X509 *mint(struct template *template, const struct certificate_spec *spec, EVP_PKEY *subject)
{
    struct key_der key_der = encoded(subject);
    unsigned char *der = NULL;
    const unsigned char *at;
    struct error e;
    ssize_t length;
    X509 *certificate;

    length = template_mint(template, spec, key_der, &der, &e);
    if (length < 0)
        fail_msg("%s", e.text);
    at = der;
    certificate = d2i_X509(NULL, &at, length);
    assert_non_null(certificate);
    assert_ptr_equal(at, der + length);
    free(der);
    OPENSSL_free((void *)key_der.octets);
    return certificate;
}

/* Mints and makes the same, and compares. */
static void compare(struct template *template, const struct certificate_spec *spec,
                    EVP_PKEY *subject, const struct signer *issuer)
{
    struct error e;
    X509 *minted = mint(template, spec, subject);
    X509 *made = certificate_make(spec, subject, issuer, &e);

    assert_non_null(made);
    assert_same(minted, made);
    assert_int_equal(X509_verify(minted, issuer->key), 1);
    X509_free(made);
    X509_free(minted);
}

static struct template *template_of(const struct certificate_spec *spec,
                                    const struct signer *issuer)
{
    struct certificate_spec sample = *spec;
    struct error e;
    struct template *template;

    sample.serial = "01";
    template = template_new(&sample, issuer, &e);
    if (template == NULL)
        fail_msg("%s", e.text);
    return template;
}

static void every_profile_issuer_and_key(void **state)
{
    static const char *const issuers[] = {"p256", "p384", "rsa2048"};
    static const char *const subjects[] = {"p256", "p384", "rsa2048", "ed25519"};
    EVP_PKEY *keys[4];

    (void)state;
    for (size_t k = 0; k < 4; k++)
        keys[k] = key(subjects[k]);
    for (size_t i = 0; i < 3; i++) {
        struct signer issuer = issuer_of(issuers[i]);

        for (size_t p = 0; p < PROFILES; p++) {
            struct template *template = template_of(&profiles[p], &issuer);
            struct certificate_spec spec = profiles[p];

            spec.serial = "4a5b6c7d00000001";
            spec.common_name = p % 2 == 0 ? "shop.test" : NULL;
            spec.not_before = NOON;
            spec.not_after = NOON + 90 * DAY - 1;
            for (size_t k = 0; k < 4; k++)
                compare(template, &spec, keys[k], &issuer);
            template_free(template);
        }
        let_go(issuer);
    }
    for (size_t k = 0; k < 4; k++)
        EVP_PKEY_free(keys[k]);
}

static void names_of_every_kind_and_number(void **state)
{
    struct signer issuer = issuer_of("p256");
    struct template *template = template_of(&profiles[0], &issuer);
    struct certificate_spec spec = profiles[0];
    char texts[100][256];
    const char *all[100] = {"192.0.2.1", "2001:db8::1", "*.shop.test", "x.test", "_dmarc.A-B.test"};

    (void)state;
    spec.serial = "40000001";
    /* labels of 60 letters: at each count another length of the lengths */
    for (int i = 5; i < 100; i++) {
        snprintf(texts[i], sizeof texts[i], "n%02d.%060d.%060d.%060d.%0*d", i, 0, 0, 0, i % 60 + 1,
                 0);
        all[i] = texts[i];
    }
    for (size_t count = 1; count <= 100; count++) {
        spec.names = (struct words){all, count};
        compare(template, &spec, issuer.key, &issuer);
        spec.names = (struct words){all + count - 1, 1};
        spec.common_name = all[count - 1]; /* left out where it is too long */
        compare(template, &spec, issuer.key, &issuer);
    }
    for (int length = 60; length < 68; length++) {
        snprintf(texts[0], sizeof texts[0], "%062d.%0*d", 0, length - 59, 0);
        texts[0][length] = '\0';
        spec.common_name = texts[0];
        compare(template, &spec, issuer.key, &issuer);
    }
    template_free(template);
    let_go(issuer);
}

static void serial_numbers_and_dates_to_their_limits(void **state)
{
    static const char *const serials[] = {"00",
                                          "01",
                                          "7f",
                                          "80",
                                          "ff",
                                          "0100",
                                          "7fff",
                                          "8000",
                                          "0080",
                                          "00000000",
                                          "abcde",
                                          "4A5B6C7D00000001",
                                          "7fffffffffffffffffffffffffffffffffffffff"};
    static const int64_t dates[] = {FIRST_MOMENT,
                                    INT64_C(-631152001), /* 1949-12-31T23:59:59Z */
                                    INT64_C(-631152000),
                                    -1,
                                    0,
                                    INT64_C(951782400), /* 2000-02-29 */
                                    NOON,
                                    INT64_C(2524607999), /* 2049-12-31T23:59:59Z */
                                    INT64_C(2524608000),
                                    LAST_MOMENT};
    struct signer issuer = issuer_of("p256");
    struct template *template = template_of(&profiles[0], &issuer);
    struct certificate_spec spec = profiles[0];

    (void)state;
    for (size_t i = 0; i < sizeof serials / sizeof serials[0]; i++) {
        spec.serial = serials[i];
        compare(template, &spec, issuer.key, &issuer);
    }
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++)
        for (size_t k = 0; k < sizeof dates / sizeof dates[0]; k++) {
            spec.not_before = dates[i];
            spec.not_after = dates[k];
            compare(template, &spec, issuer.key, &issuer);
        }
    template_free(template);
    let_go(issuer);
}

static void a_template_knows_what_it_is_for(void **state)
{
    struct signer issuer = issuer_of("p256"), other = issuer_of("p256");

    (void)state;
    for (size_t i = 0; i < PROFILES; i++) {
        struct template *template = template_of(&profiles[i], &issuer);

        for (size_t k = 0; k < PROFILES; k++)
            assert_int_equal(template_fits(template, &profiles[k], &issuer), i == k);
        assert_false(template_fits(template, &profiles[i], &other));
        template_free(template);
    }
    let_go(issuer);
    let_go(other);
}

static void refuses(struct certificate_spec spec, const struct signer *issuer)
{
    struct template *template = template_of(&profiles[0], issuer);
    struct error e;

    assert_false(template_fits(template, &spec, issuer));
    spec.serial = "01";
    assert_null(template_new(&spec, issuer, &e));
    assert_string_equal(e.text, "there is no template for such certificates");
    template_free(template);
}

static void there_is_none_for_other_certificates(void **state)
{
    struct signer issuer = issuer_of("p256"), edwards = issuer_of("ed25519");
    struct certificate_spec spec = profiles[0];
    struct error e;

    (void)state;
    spec.ca = true;
    refuses(spec, &issuer);
    spec = profiles[0];
    spec.organization = "Shop";
    refuses(spec, &issuer);
    spec = profiles[0];
    spec.rehearsal = true;
    refuses(spec, &issuer);
    spec = profiles[0];
    spec.permitted = spec.names;
    refuses(spec, &issuer);
    spec = profiles[0];
    spec.names.count = 0;
    refuses(spec, &issuer);
    spec = profiles[0];
    spec.serial = "01";
    assert_null(template_new(&spec, &edwards, &e));
    let_go(issuer);
    let_go(edwards);
}

static void what_no_certificate_can_hold_is_refused(void **state)
{
    static const char *const bad[] = {"no name", "caf\xc3\xa9.test"};
    struct signer issuer = issuer_of("p256");
    struct template *template = template_of(&profiles[0], &issuer);
    struct certificate_spec right = profiles[0], specs[6];
    struct key_der key_der = encoded(issuer.key);
    unsigned char *der = NULL;
    struct error e;

    (void)state;
    right.serial = "01";
    for (size_t i = 0; i < 6; i++)
        specs[i] = right;
    specs[0].serial = "";
    specs[1].serial = "-01";
    specs[2].names.items = bad;
    specs[3].common_name = bad[1];
    specs[4].not_after = LAST_MOMENT + 1;
    specs[5].not_before = FIRST_MOMENT - 1;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(template_mint(template, &specs[i], key_der, &der, &e), -1);
    OPENSSL_free((void *)key_der.octets);
    template_free(template);
    let_go(issuer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_issuer_and_key),
        cmocka_unit_test(names_of_every_kind_and_number),
        cmocka_unit_test(serial_numbers_and_dates_to_their_limits),
        cmocka_unit_test(a_template_knows_what_it_is_for),
        cmocka_unit_test(there_is_none_for_other_certificates),
        cmocka_unit_test(what_no_certificate_can_hold_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
