/* Signed requests: what is accepted, and all that is not. */
#include "fakeca/jws.h"

#include "tests/fakeca/jose.h"

static EVP_PKEY *key(const char *kind)
{
    struct error e;

    return key_make(key_kind_named(kind, &e), &e);
}

static json_t *header(const EVP_PKEY *of, const char *algorithm)
{
    return json_pack("{s:s, s:s, s:s, s:o}", "alg", algorithm, "nonce", "n", "url", "u", "jwk",
                     jose_jwk(of));
}

static void a_good_one_is_taken_apart(void **state)
{
    EVP_PKEY *mine = key("p256");
    struct verifier found;
    char *text = jose_sign(mine, header(mine, "ES256"), "{\"a\":1}");
    enum jws_fault fault;
    struct jws jws;
    struct error e;

    (void)state;
    MUST(jws_parse(text, strlen(text), &jws, &fault, &e));
    assert_string_equal(jws.nonce, "n");
    assert_string_equal(jws.url, "u");
    assert_int_equal(json_integer_value(json_object_get(jws.payload, "a")), 1);
    found = (struct verifier){.key = jwk_key(jws.jwk, &e)};
    assert_non_null(found.key);
    assert_int_equal(EVP_PKEY_eq(found.key, mine), 1);
    MUST(jws_verify(&jws, &found, &e));

    jws.signing_input[0] ^= 1;
    assert_int_equal(jws_verify(&jws, &found, &e), -1);
    assert_string_equal(e.text, "the signature does not fit");
    jws.signing_input[0] ^= 1;
    MUST(jws_verify(&jws, &found, &e));
    jws_free(&jws);
    verifier_close(&found);
    EVP_PKEY_free(mine);
    free(text);
}

static void another_key_is_not_the_signer(void **state)
{
    EVP_PKEY *mine = key("p256");
    struct verifier yours = {.key = key("p256")}, other = {.key = key("p384")};
    char *text = jose_sign(mine, header(mine, "ES256"), "");
    enum jws_fault fault;
    struct jws jws;
    struct error e;

    (void)state;
    MUST(jws_parse(text, strlen(text), &jws, &fault, &e));
    assert_null(jws.payload); /* which is POST-as-GET */
    assert_int_equal(jws_verify(&jws, &yours, &e), -1);
    assert_int_equal(jws_verify(&jws, &other, &e), -1);
    assert_string_equal(e.text, "the key is not one for the algorithm ES256");
    jws_free(&jws);
    EVP_PKEY_free(mine);
    verifier_close(&yours);
    verifier_close(&other);
    free(text);
}

static void refused(const char *text, size_t length, enum jws_fault expected, const char *words)
{
    enum jws_fault fault;
    struct jws jws;
    struct error e;

    assert_int_equal(jws_parse(text, length, &jws, &fault, &e), -1);
    jws_free(&jws);
    if (strstr(e.text, words) == NULL)
        fail_msg("expected '%s', got '%s'", words, e.text);
    assert_int_equal(fault, expected);
}

/* {"protected": base64url of `header`, "payload": "", "signature": ""} */
static void refused_header(const char *text, enum jws_fault expected, const char *words)
{
    char *head = jose_text(text, strlen(text)), *jws = NULL;

    assert_true(asprintf(&jws, "{\"protected\":\"%s\",\"payload\":\"\",\"signature\":\"\"}", head) >
                0);
    refused(jws, strlen(jws), expected, words);
    free(head);
    free(jws);
}

static void other_algorithms_are_refused(void **state)
{
    (void)state;
    refused_header("{\"alg\":\"none\",\"kid\":\"k\"}", JWS_ALGORITHM, "'none' is not accepted");
    refused_header("{\"alg\":\"HS256\",\"kid\":\"k\"}", JWS_ALGORITHM, "'HS256' is not accepted");
    refused_header("{\"alg\":\"es256\",\"kid\":\"k\"}", JWS_ALGORITHM, "'es256' is not accepted");
    refused_header("{\"kid\":\"k\"}", JWS_ALGORITHM, "'' is not accepted");
}

static void keys_are_named_in_one_way(void **state)
{
    (void)state;
    refused_header("{\"alg\":\"ES256\"}", JWS_MALFORMED, "exactly one");
    refused_header("{\"alg\":\"ES256\",\"kid\":\"k\",\"jwk\":{}}", JWS_MALFORMED, "exactly one");
    refused_header("{\"alg\":\"ES256\",\"jwk\":\"k\"}", JWS_MALFORMED, "not an object");
    refused_header("{\"alg\":\"ES256\",\"kid\":\"k\",\"crit\":[]}", JWS_MALFORMED, "extension");
    refused_header("{\"alg\":\"ES256\",\"alg\":\"none\",\"kid\":\"k\"}", JWS_MALFORMED, "not JSON");
}

static void what_is_no_jws_is_refused(void **state)
{
    static const char twice[] = "{\"protected\":\"e30\",\"protected\":\"e30\",\"signature\":\"\"}";
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"protected\":1}",
        "{\"protected\":\"e30\"}",
        "{\"protected\":\"e30\",\"payload\":\"!\",\"signature\":\"\"}",
        "{\"protected\":\"e31\",\"payload\":\"\",\"signature\":\"\"}",
        "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"\"",
        "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"\"}}",
        "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"",
        "{\"signatures\":[]}",
        "{\"header\":{}}"};
    char *deep = malloc(JWS_MOST_BYTES + 1);

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refused(texts[i], strlen(texts[i]), JWS_MALFORMED, "");
    refused(twice, strlen(twice), JWS_MALFORMED, "duplicate object key");
    memset(deep, '[', JWS_MOST_BYTES + 1);
    refused(deep, JWS_MOST_BYTES, JWS_MALFORMED, "nested deeper than 16");
    refused(deep, JWS_MOST_BYTES + 1, JWS_MALFORMED, "at most 131072 bytes");
    free(deep);
}

/* Members in another order, spaces, escapes, and what is not known: RFC 7515 section 7.2.2. */
static void however_it_is_written(void **state)
{
    static const char head[] = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ"; /* {"alg":"ES256","kid":"k"} */
    static const char *const forms[] = {
        "{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"AAAA\"}",
        "{\"signature\":\"AAAA\",\"payload\":\"e30\",\"protected\":\"%s\"}",
        " {\n\t\"protected\" : \"%s\" ,\r\n \"payload\": \"e30\",\"signature\": \"AAAA\" } \n",
        "{\"\\u0070rotected\":\"%s\",\"payload\":\"e3\\u0030\",\"signature\":\"AAAA\"}",
        "{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"AAAA\",\"more\":[{}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        enum jws_fault fault;
        struct jws jws;
        struct error e;
        char *text = NULL;

        assert_true(asprintf(&text, forms[i], head) > 0);
        MUST(jws_parse(text, strlen(text), &jws, &fault, &e));
        assert_string_equal(jws.kid, "k");
        assert_string_equal(jws.payload_text, "{}");
        assert_int_equal(jws.signature_length, 3);
        assert_int_equal(jws.signing_length, strlen(head) + strlen(".e30"));
        assert_memory_equal(jws.signing_input, head, strlen(head));
        assert_memory_equal(jws.signing_input + strlen(head), ".e30", 4);
        jws_free(&jws);
        free(text);
    }
}

/* RFC 7638 section 3.1 */
static void a_thumbprint_is_that_of_the_rfc(void **state)
{
    static const char text[] =
        "{\"kty\":\"RSA\",\"n\":"
        "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aP"
        "FFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_"
        "RN5w6Cf0h4QyQ5v-65"
        "YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
        "bFTWhAI4"
        "vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":"
        "\"AQAB\","
        "\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}";
    json_t *jwk = json_loads(text, 0, NULL);
    char thumbprint[THUMBPRINT_TEXT];
    struct error e;

    (void)state;
    MUST(jwk_thumbprint(jwk, thumbprint, &e));
    assert_string_equal(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    json_decref(jwk);
}

static void bad_keys_are_refused(void **state)
{
    static const char *const texts[] = {
        "{}",
        "{\"kty\":\"oct\",\"k\":\"AA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
        ("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
         "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}"};
    struct error e;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *jwk = json_loads(texts[i], 0, NULL);

        assert_null(jwk_key(jwk, &e));
        json_decref(jwk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one_is_taken_apart),
        cmocka_unit_test(another_key_is_not_the_signer),
        cmocka_unit_test(other_algorithms_are_refused),
        cmocka_unit_test(keys_are_named_in_one_way),
        cmocka_unit_test(what_is_no_jws_is_refused),
        cmocka_unit_test(however_it_is_written),
        cmocka_unit_test(a_thumbprint_is_that_of_the_rfc),
        cmocka_unit_test(bad_keys_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
