/* Certificate requests with every kind of key, and such as must not be believed. */
#include "fakeca/request.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tests/fakeca/fixture.h"

static X509_REQ *asking(EVP_PKEY *key, const char *names)
{
    X509_REQ *request = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();

    sk_X509_EXTENSION_push(extensions,
                           X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names));
    assert_int_equal(X509_REQ_add_extensions(request, extensions), 1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
                               (const unsigned char *)"www.shop.test", -1, -1, 0);
    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    return request;
}

/* The request in DER, signed; to be freed with OPENSSL_free. */
static unsigned char *signed_for(const char *names, EVP_PKEY *key, EVP_PKEY *signer, size_t *length)
{
    X509_REQ *request = asking(key, names);
    unsigned char *der = NULL;
    bool edwards = EVP_PKEY_is_a(signer, "ED25519");

    assert_true(X509_REQ_sign(request, signer, edwards ? NULL : EVP_sha256()) > 0);
    *length = (size_t)i2d_X509_REQ(request, &der);
    X509_REQ_free(request);
    return der;
}

static unsigned char *signed_by(EVP_PKEY *key, EVP_PKEY *signer, size_t *length)
{
    return signed_for("DNS:Shop.test,IP:127.0.0.1", key, signer, length);
}

static EVP_PKEY *key_of(const char *kind)
{
    struct error e;

    return key_make(key_kind_named(kind, &e), &e);
}

static void every_kind_of_key_is_read(void **state)
{
    static const char *const kinds[] = {"p256", "p384", "rsa2048", "ed25519"};
    struct error e;

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        EVP_PKEY *key = key_of(kinds[i]);
        struct key_der right = encoded(key);
        struct request request;
        size_t length;
        unsigned char *der = signed_by(key, key, &length);

        MUST(request_read(der, length, &request, &e));
        assert_string_equal(request.kind->name, kinds[i]);
        assert_int_equal(EVP_PKEY_eq(request.key, key), 1);
        assert_int_equal(request.encoded.length, right.length);
        assert_memory_equal(request.encoded.octets, right.octets, right.length);
        assert_int_equal(json_array_size(request.names), 3);
        assert_string_equal(json_string_value(json_array_get(request.names, 1)), "shop.test");
        request_free(&request);
        OPENSSL_free((void *)right.octets);
        OPENSSL_free(der);
        EVP_PKEY_free(key);
    }
}

static void read_for(EVP_PKEY *key, struct request *request)
{
    struct error e;
    size_t length;
    unsigned char *der = signed_by(key, key, &length);

    MUST(request_read(der, length, request, &e));
    OPENSSL_free(der);
}

/* Each is of its own key, be it the next of many or one beside another. */
static void requests_come_one_after_the_other_and_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        EVP_PKEY *one = key_of("p256"), *other = key_of("p256");
        struct request first, second;

        read_for(one, &first);
        read_for(other, &second);
        assert_int_equal(EVP_PKEY_eq(first.key, one), 1);
        assert_int_equal(EVP_PKEY_eq(second.key, other), 1);
        request_free(&first);
        request_free(&second);
        EVP_PKEY_free(one);
        EVP_PKEY_free(other);
    }
}

static void assert_refused(const unsigned char *der, size_t length, const char *why)
{
    struct request request;
    struct error e = {""};

    assert_int_equal(request_read(der, length, &request, &e), -1);
    if (strstr(e.text, why) == NULL)
        fail_msg("'%s' lacks '%s'", e.text, why);
    assert_int_equal(ERR_peek_error(), 0);
    request_free(&request);
}

static void what_somebody_else_signed_is_refused(void **state)
{
    EVP_PKEY *key = key_of("p256"), *other = key_of("p256"), *weak = key_of("rsa1024");
    size_t length;
    unsigned char *der = signed_by(key, other, &length);

    (void)state;
    assert_refused(der, length, "signature");
    assert_refused(der, length - 1, "PKCS#10");
    OPENSSL_free(der);
    der = signed_by(weak, weak, &length);
    assert_refused(der, length, "key is none of");
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    EVP_PKEY_free(weak);
}

static void a_key_that_is_no_point_is_refused(void **state)
{
    EVP_PKEY *key = key_of("p256");
    struct key_der right = encoded(key);
    size_t length;
    unsigned char *der = signed_by(key, key, &length);
    unsigned char *point = memmem(der, length, right.octets, right.length);

    (void)state;
    assert_non_null(point);
    point[right.length - 1] ^= 1;
    assert_refused(der, length, "key is none of");
    point[right.length - 1] ^= 1;
    point[right.length - 2 * 32 - 1] = 5; /* where 4 says that both coordinates follow */
    assert_refused(der, length, "key is none of");
    OPENSSL_free((void *)right.octets);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}

/* RFC 8738 section 3: each kind of identifier has its own kind of name. */
static void an_address_is_no_dns_name(void **state)
{
    static const char *const names[] = {"DNS:127.0.0.1", "DNS:shop.test,DNS:192.0.2.1"};
    EVP_PKEY *key = key_of("p256");
    size_t length;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsigned char *der = signed_for(names[i], key, key, &length);

        assert_refused(der, length, "as a DNS name");
        OPENSSL_free(der);
    }
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_key_is_read),
        cmocka_unit_test(requests_come_one_after_the_other_and_at_once),
        cmocka_unit_test(what_somebody_else_signed_is_refused),
        cmocka_unit_test(a_key_that_is_no_point_is_refused),
        cmocka_unit_test(an_address_is_no_dns_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
