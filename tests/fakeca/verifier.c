/* Signatures: each algorithm with its own kind of key, one after the other with the same one. */
#include "fakeca/verifier.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include "tests/fakeca/fixture.h"

static EVP_PKEY *p256(void)
{
    return EVP_EC_gen("P-256");
}

static EVP_PKEY *p384(void)
{
    return EVP_EC_gen("P-384");
}

static EVP_PKEY *p521(void)
{
    return EVP_EC_gen("P-521");
}

static EVP_PKEY *rsa(void)
{
    return EVP_RSA_gen(2048);
}

static EVP_PKEY *edwards(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static const struct {
    const char *name;
    EVP_PKEY *(*make)(void);
    const char *digest;
    size_t octets; /* of each half of the signature, where it has halves */
} algorithms[] = {
    {"ES256", p256,    "SHA256", 32},
    {"ES384", p384,    "SHA384", 48},
    {"ES512", p521,    "SHA512", 66},
    {"RS256", rsa,     "SHA256", 0 },
    {"RS384", rsa,     "SHA384", 0 },
    {"RS512", rsa,     "SHA512", 0 },
    {"EdDSA", edwards, NULL,     0 },
};
#define ALGORITHMS (sizeof algorithms / sizeof algorithms[0])

/* RFC 7518 section 3.4 has r and s side by side, where libcrypto has DER. */
static size_t halves(unsigned char *out, size_t length, size_t octets)
{
    const unsigned char *at = out;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)length);

    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, (int)octets);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + octets, (int)octets);
    ECDSA_SIG_free(pair);
    return 2 * octets;
}

static size_t sign(size_t i, EVP_PKEY *key, const char *text, unsigned char out[512])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t length = 512;

    assert_int_equal(
        EVP_DigestSignInit_ex(context, NULL, algorithms[i].digest, NULL, NULL, key, NULL), 1);
    assert_int_equal(
        EVP_DigestSign(context, out, &length, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
    return algorithms[i].octets == 0 ? length : halves(out, length, algorithms[i].octets);
}

static int check(struct verifier *verifier, size_t i, const char *text,
                 const unsigned char *signature, size_t length, struct error *e)
{
    return verifier_check(verifier, algorithms[i].name, text, strlen(text), signature, length, e);
}

/* A key is good for as many as come, and one that does not fit spoils nothing for the next. */
static void a_key_checks_one_after_the_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALGORITHMS; i++) {
        struct verifier verifier = {.key = algorithms[i].make()};
        unsigned char one[512], other[512];
        size_t length = sign(i, verifier.key, "one", one);
        size_t other_length = sign(i, verifier.key, "other", other);
        struct error e;

        MUST(check(&verifier, i, "one", one, length, &e));
        assert_int_equal(check(&verifier, i, "other", one, length, &e), -1);
        MUST(check(&verifier, i, "other", other, other_length, &e));
        one[length - 1] ^= 1;
        assert_int_equal(check(&verifier, i, "one", one, length, &e), -1);
        assert_int_equal(check(&verifier, i, "one", one, length - 1, &e), -1);
        MUST(check(&verifier, i, "other", other, other_length, &e));
        verifier_close(&verifier);
    }
}

static void nobody_signs_for_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALGORITHMS; i++) {
        struct verifier mine = {.key = algorithms[i].make()}, yours = {.key = algorithms[i].make()};
        unsigned char signature[512];
        size_t length = sign(i, mine.key, "text", signature);
        struct error e;

        assert_int_equal(check(&yours, i, "text", signature, length, &e), -1);
        assert_string_equal(e.text, "the signature does not fit");
        verifier_close(&mine);
        verifier_close(&yours);
    }
}

/* Of the algorithms of RSA each is one for an RSA key, also by turns. */
static void an_algorithm_has_one_kind_of_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALGORITHMS; i++) {
        struct verifier verifier = {.key = algorithms[i].make()};

        for (size_t k = 0; k < ALGORITHMS; k++) {
            bool fits = algorithms[k].make == algorithms[i].make;
            unsigned char signature[512] = {0};
            size_t length = fits ? sign(k, verifier.key, "text", signature) : 64;
            struct error e = {0};

            assert_int_equal(check(&verifier, k, "text", signature, length, &e), fits ? 0 : -1);
            if (!fits)
                assert_non_null(strstr(e.text, "the key is not one for the algorithm"));
        }
        verifier_close(&verifier);
    }
}

static void no_secret_is_shared(void **state)
{
    (void)state;
    assert_true(algorithm_known("ES256"));
    assert_false(algorithm_known("HS256"));
    assert_false(algorithm_known("none"));
    assert_false(algorithm_known(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_checks_one_after_the_other),
        cmocka_unit_test(nobody_signs_for_another),
        cmocka_unit_test(an_algorithm_has_one_kind_of_key),
        cmocka_unit_test(no_secret_is_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
