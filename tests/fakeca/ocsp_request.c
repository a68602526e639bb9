/* Requests in the path of a GET, and nonces of every length. */
#include "tests/fakeca/fixture.h"

#include <openssl/objects.h>

#include "fakeca/ocsp_request.h"

static void reads(const char *path, const char *bytes)
{
    struct blob out;
    struct error e;

    MUST(ocsp_request_of_path(path, &out, &e));
    assert_int_equal(out.length, strlen(bytes));
    assert_memory_equal(out.bytes, bytes, out.length);
    free(out.bytes);
}

static void refuses(const char *path, const char *why)
{
    struct blob out;
    struct error e;

    assert_int_equal(ocsp_request_of_path(path, &out, &e), -1);
    assert_non_null(strstr(e.text, why));
    assert_null(out.bytes);
}

static void a_path_is_base64_in_percent_encoding(void **state)
{
    (void)state;
    reads("AQID", "\1\2\3");
    reads("/AQID", "\1\2\3");
    reads("/AQI%3D", "\1\2");
    reads("/AQ%3d%3D", "\1");
    reads("AQ==", "\1");
    reads("%2F%2f%2b%2B", "\377\377\276");
    reads("///8B", "\377\377\1"); /* only the first is the path's */
}

static void what_is_none_is_refused(void **state)
{
    char *long_one = calloc(1, OCSP_REQUEST_MOST * 4 + 2);

    (void)state;
    refuses("", "not base64");
    refuses("/", "not base64");
    refuses("AQI", "not base64");
    refuses("A===", "not base64");
    refuses("AQ=I", "not base64");
    refuses("AQ_-", "not base64");
    refuses("AQ I", "not base64");
    refuses("AQI%", "two hexadecimal digits");
    refuses("AQI%3", "two hexadecimal digits");
    refuses("AQI%3g", "two hexadecimal digits");
    refuses("AQI%00", "not base64");
    memset(long_one, 'A', OCSP_REQUEST_MOST * 4 + 1);
    refuses(long_one, "longer than");
    free(long_one);
}

/* Whether a request with a nonce of that many octets parses. */
static bool parses(X509 *leaf, X509 *issuer, int nonce)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    struct ocsp_request parsed;
    X509_EXTENSION *extension;
    unsigned char zeros[256] = {0}, *der = NULL;
    int length;
    bool result;

    OCSP_request_add0_id(request, OCSP_cert_to_id(NULL, leaf, issuer));
    ASN1_OCTET_STRING_set(octets, zeros, nonce);
    /* an OCTET STRING in that of the extension */
    length = i2d_ASN1_OCTET_STRING(octets, &der);
    ASN1_OCTET_STRING_set(octets, der, length);
    OPENSSL_free(der);
    der = NULL;
    extension = X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_Nonce, 0, octets);
    OCSP_REQUEST_add_ext(request, extension, -1);
    X509_EXTENSION_free(extension);
    length = i2d_OCSP_REQUEST(request, &der);
    result = ocsp_request_parse(der, (size_t)length, &parsed) != NULL;
    assert_int_equal(result, parsed.nonce != NULL);
    OCSP_REQUEST_free(parsed.parsed);
    ASN1_OCTET_STRING_free(octets);
    OCSP_REQUEST_free(request);
    OPENSSL_free(der);
    return result;
}

static void a_nonce_has_1_to_128_octets(void **state)
{
    struct fixture *it = *state;
    X509 *leaf = sk_X509_value(it->chain->sent, 0), *issuer = sk_X509_value(it->chain->sent, 1);

    assert_false(parses(leaf, issuer, 0));
    assert_true(parses(leaf, issuer, 1));
    assert_true(parses(leaf, issuer, 128));
    assert_false(parses(leaf, issuer, 129));
}

/* Whether a request about that many certificates parses. */
static bool parses_many(X509 *leaf, X509 *issuer, int count)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    struct ocsp_request parsed;
    unsigned char *der = NULL;
    int length;
    bool result;

    for (int i = 0; i < count; i++)
        OCSP_request_add0_id(request, OCSP_cert_to_id(NULL, leaf, issuer));
    length = i2d_OCSP_REQUEST(request, &der);
    result = ocsp_request_parse(der, (size_t)length, &parsed) != NULL;
    assert_int_equal(parsed.count, result ? count : 0);
    OCSP_REQUEST_free(parsed.parsed);
    OCSP_REQUEST_free(request);
    OPENSSL_free(der);
    return result;
}

static void a_request_is_about_1_to_256_certificates(void **state)
{
    struct fixture *it = *state;
    X509 *leaf = sk_X509_value(it->chain->sent, 0), *issuer = sk_X509_value(it->chain->sent, 1);

    assert_false(parses_many(leaf, issuer, 0));
    assert_true(parses_many(leaf, issuer, 1));
    assert_true(parses_many(leaf, issuer, OCSP_IDS_MOST));
    assert_false(parses_many(leaf, issuer, OCSP_IDS_MOST + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_base64_in_percent_encoding),
        cmocka_unit_test(what_is_none_is_refused),
        FRESH(a_nonce_has_1_to_128_octets),
        FRESH(a_request_is_about_1_to_256_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
