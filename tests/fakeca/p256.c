/* A key's table judges signatures as libcrypto judges them. */
#include "fakeca/p256.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/sha.h>

#include "tests/fakeca/fixture.h"

#define TURNS 100

/* The order of the group: SEC 2 section 2.4.2. */
static const char order[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";

static EVP_PKEY *key_of(const char *kind)
{
    struct error e;

    return key_make(key_kind_named(kind, &e), &e);
}

static const struct p256_table *table_of(EVP_PKEY *key)
{
    for (int i = 0; i < P256_OFTEN; i++)
        assert_null(p256_table_of(key));
    return p256_table_of(key);
}

struct signature {
    unsigned char digest[32], pair[64];
};

static void sign_digest(EVP_PKEY *key, struct signature *out)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    unsigned char der[128];
    const unsigned char *at = der;
    size_t length = sizeof der;
    ECDSA_SIG *parts;

    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_sign(context, der, &length, out->digest, sizeof out->digest), 1);
    parts = d2i_ECDSA_SIG(NULL, &at, (long)length);
    BN_bn2binpad(ECDSA_SIG_get0_r(parts), out->pair, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts), out->pair + 32, 32);
    ECDSA_SIG_free(parts);
    EVP_PKEY_CTX_free(context);
}

static struct signature sign(EVP_PKEY *key, unsigned what)
{
    struct signature out;

    SHA256((const unsigned char *)&what, sizeof what, out.digest);
    sign_digest(key, &out);
    return out;
}

static bool libcrypto_says(EVP_PKEY *key, const struct signature *s)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    ECDSA_SIG *parts = ECDSA_SIG_new();
    unsigned char *der = NULL;
    bool good;
    int length;

    ECDSA_SIG_set0(parts, BN_bin2bn(s->pair, 32, NULL), BN_bin2bn(s->pair + 32, 32, NULL));
    length = i2d_ECDSA_SIG(parts, &der);
    assert_int_equal(EVP_PKEY_verify_init(context), 1);
    good = EVP_PKEY_verify(context, der, (size_t)length, s->digest, sizeof s->digest) == 1;
    OPENSSL_free(der);
    ECDSA_SIG_free(parts);
    EVP_PKEY_CTX_free(context);
    return good;
}

static void what_libcrypto_accepts_is_accepted_and_nothing_else(void **state)
{
    EVP_PKEY *key = key_of("p256");
    const struct p256_table *table = table_of(key);

    (void)state;
    assert_non_null(table);
    for (unsigned i = 0; i < TURNS; i++) {
        struct signature s = sign(key, i);

        assert_true(p256_verified(table, s.digest, s.pair));
        (i % 2 == 0 ? s.digest : s.pair)[i % 32] ^= (unsigned char)(1 << i % 8);
        assert_int_equal(p256_verified(table, s.digest, s.pair), libcrypto_says(key, &s));
    }
    EVP_PKEY_free(key);
}

static void a_key_judges_its_own_signatures_only(void **state)
{
    EVP_PKEY *key = key_of("p256"), *other = key_of("p256");
    struct signature s = sign(other, 1);

    (void)state;
    assert_false(p256_verified(table_of(key), s.digest, s.pair));
    assert_true(p256_verified(table_of(other), s.digest, s.pair));
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

/* r and s from 0 on and from the order on. */
static void numbers_out_of_range_are_refused(void **state)
{
    EVP_PKEY *key = key_of("p256");
    const struct p256_table *table = table_of(key);
    BIGNUM *n = NULL;

    (void)state;
    BN_hex2bn(&n, order);
    for (int half = 0; half < 2; half++) {
        struct signature s = sign(key, 1);

        memset(s.pair + 32 * half, 0, 32);
        assert_false(p256_verified(table, s.digest, s.pair));
        BN_bn2binpad(n, s.pair + 32 * half, 32);
        assert_false(p256_verified(table, s.digest, s.pair));
        memset(s.pair + 32 * half, 0xff, 32);
        assert_false(p256_verified(table, s.digest, s.pair));
    }
    BN_free(n);
    EVP_PKEY_free(key);
}

/* Of a digest of 0: then u is 0, and one of the two products is the point at infinity. */
static void nothing_to_multiply_is_no_accident(void **state)
{
    EVP_PKEY *key = key_of("p256");
    struct signature s = {{0}, {0}};

    (void)state;
    sign_digest(key, &s);
    assert_true(libcrypto_says(key, &s));
    assert_true(p256_verified(table_of(key), s.digest, s.pair));
    EVP_PKEY_free(key);
}

static void other_keys_have_none(void **state)
{
    static const char *const kinds[] = {"p384", "rsa2048", "ed25519"};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        EVP_PKEY *key = key_of(kinds[i]);

        assert_null(table_of(key));
        EVP_PKEY_free(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_libcrypto_accepts_is_accepted_and_nothing_else),
        cmocka_unit_test(a_key_judges_its_own_signatures_only),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(nothing_to_multiply_is_no_accident),
        cmocka_unit_test(other_keys_have_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
