/* Keys that are kept are the keys of their accounts, also after a change. */
#include "fakeca/keyring.h"

#include "tests/fakeca/jose.h"

static struct keyring ring;

static json_t *new_jwk(void)
{
    struct error e;
    EVP_PKEY *key = key_make(key_kind_named("p256", &e), &e);
    json_t *jwk = jose_jwk(key);

    EVP_PKEY_free(key);
    return jwk;
}

/* The keyring's key is the one that the JWK says. */
static void assert_right(int64_t account, json_t *jwk)
{
    struct error e;
    struct verifier *kept = keyring_key(&ring, account, jwk, &e);
    EVP_PKEY *right = jwk_key(jwk, &e);

    assert_non_null(kept);
    assert_int_equal(EVP_PKEY_eq(kept->key, right), 1);
    EVP_PKEY_free(right);
}

static void a_key_is_made_once(void **state)
{
    json_t *jwk = new_jwk();
    struct error e;
    struct verifier *kept = keyring_key(&ring, 1, jwk, &e);
    EVP_PKEY *first;

    (void)state;
    assert_non_null(kept);
    first = kept->key;
    assert_ptr_equal(keyring_key(&ring, 1, jwk, &e)->key, first);
    assert_right(1, jwk);
    json_decref(jwk);
    keyring_clear(&ring);
}

static void a_changed_key_is_another(void **state)
{
    json_t *before = new_jwk(), *after = new_jwk();

    (void)state;
    assert_right(7, before);
    assert_right(7, after);
    assert_right(7, before);
    json_decref(before);
    json_decref(after);
    keyring_clear(&ring);
}

/* Those that fall on the same place among them. */
static void accounts_do_not_share(void **state)
{
    json_t *jwks[2] = {new_jwk(), new_jwk()};

    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_right(5, jwks[0]);
        assert_right(5 + KEYRING_MOST, jwks[1]);
        assert_right(6, jwks[1]);
    }
    json_decref(jwks[0]);
    json_decref(jwks[1]);
    keyring_clear(&ring);
}

static void what_is_no_key_is_not_kept(void **state)
{
    json_t *bad = json_pack("{s:s}", "kty", "EC"), *good = new_jwk();
    struct error e;

    (void)state;
    assert_right(3, good);
    assert_null(keyring_key(&ring, 3, bad, &e));
    assert_null(keyring_key(&ring, 3, NULL, &e));
    assert_right(3, good);
    json_decref(bad);
    json_decref(good);
    keyring_clear(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_made_once),
        cmocka_unit_test(a_changed_key_is_another),
        cmocka_unit_test(accounts_do_not_share),
        cmocka_unit_test(what_is_no_key_is_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
