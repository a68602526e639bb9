/* Leaves minted as text are the leaves that authority_issue makes. */
#include "fakeca/mint.h"

#include "tests/fakeca/fixture.h"

static struct key_der public_key(const char *kind)
{
    struct error e;
    EVP_PKEY *key = key_make(key_kind_named(kind, &e), &e);
    struct key_der out = encoded(key);

    EVP_PKEY_free(key);
    return out;
}

static char *file_of(const struct fixture *fixture, const char *name)
{
    char path[128], *text = calloc(1, 65536);
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", fixture->state, name);
    file = fopen(path, "r");
    if (file != NULL) {
        assert_true(fread(text, 1, 65535, file) < 65535);
        fclose(file);
    }
    return text;
}

static void assert_same_but_serial(const struct minted *minted, const struct chain *chain)
{
    struct error e;
    STACK_OF(X509) *sent = certificates_parse(minted->pem, &e);
    unsigned char *a = NULL, *b = NULL;
    int length;

    assert_non_null(sent);
    assert_int_equal(sk_X509_num(sent), sk_X509_num(chain->sent));
    for (int i = 1; i < sk_X509_num(sent); i++)
        assert_int_equal(X509_cmp(sk_X509_value(sent, i), sk_X509_value(chain->sent, i)), 0);
    MUST(certificate_set_serial(sk_X509_value(sent, 0), "01", &e));
    MUST(certificate_set_serial(sk_X509_value(chain->sent, 0), "01", &e));
    length = i2d_re_X509_tbs(sk_X509_value(sent, 0), &a);
    assert_int_equal(i2d_re_X509_tbs(sk_X509_value(chain->sent, 0), &b), length);
    assert_memory_equal(a, b, length);
    OPENSSL_free(a);
    OPENSSL_free(b);
    sk_X509_pop_free(sent, X509_free);
}

/* Mints and issues the same, and compares all that is said of both. */
static void compare(struct fixture *fixture, struct mint *mint, struct leaf_plan plan,
                    struct key_der key)
{
    struct minted minted, issued;
    struct chain *chain;
    struct error e;
    STACK_OF(X509) * sent;

    MUST(mint_leaf(mint, &plan, key, &minted, &e));
    sent = certificates_parse(minted.pem, &e);
    MUST(minted_from(&(struct chain){.sent = sent}, &issued, &e));
    assert_string_equal(minted.pem, issued.pem);
    assert_string_equal(minted.serial, issued.serial);
    assert_string_equal(minted.id, issued.id);
    assert_memory_equal(minted.digest, issued.digest, DIGEST_OCTETS);
    assert_int_equal(minted.not_before, issued.not_before);
    assert_int_equal(minted.not_after, issued.not_after);
    sk_X509_pop_free(sent, X509_free);

    plan.public_key = key_decode(key, &e);
    chain = authority_issue(&fixture->authority, &plan, &e);
    assert_non_null(chain);
    assert_same_but_serial(&minted, chain);
    chain_free(chain);
    EVP_PKEY_free(plan.public_key);
    minted_free(&minted);
    minted_free(&issued);
}

static void what_is_minted_is_what_is_issued(void **state)
{
    static const char *const kinds[] = {"p256", "rsa2048", "ed25519"};
    struct fixture *fixture = *state;
    struct error e;
    struct mint *mint = mint_new(&fixture->authority, &e);
    struct leaf_plan plan = usual_leaf();

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct key_der key = public_key(kinds[i]);

        plan.kind = key_kind_named(kinds[i], &e);
        for (int turn = 0; turn < 8; turn++) {
            plan.no_common_name = turn & 1;
            plan.must_staple = turn & 2;
            plan.ocsp = plan.crl = turn & 4 ? "http://ca.test/x" : NULL;
            compare(fixture, mint, plan, key);
        }
        OPENSSL_free((void *)key.octets);
    }
    mint_free(mint);
}

static void after_a_rotation_it_comes_from_the_new_issuer(void **state)
{
    struct fixture *fixture = *state;
    struct error e;
    struct mint *mint = mint_new(&fixture->authority, &e);
    struct key_der key = public_key("p256");

    compare(fixture, mint, usual_leaf(), key);
    MUST(authority_rotate(&fixture->authority, NOON, NOON + 900 * DAY, &e));
    compare(fixture, mint, usual_leaf(), key);
    OPENSSL_free((void *)key.octets);
    mint_free(mint);
}

/* No template is for those: the long way is taken, and nobody sees it. */
static void where_there_is_no_template_it_is_issued_as_ever(void **state)
{
    struct fixture *fixture = *state, *edwards;
    struct authority_plan plan = usual_authority();
    struct error e;
    struct mint *mint = mint_new(&fixture->authority, &e);
    struct key_der key = public_key("p256");
    struct leaf_plan many = usual_leaf();
    const char *purposes[] = {"1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.3.4", "1.2.3.5",
                              "1.2.3.6", "1.2.3.7", "1.2.3.8", "1.2.3.9"};

    many.purposes = (struct words){purposes, 9};
    compare(fixture, mint, many, key);
    mint_free(mint);

    edwards = another_fixture();
    authority_close(&edwards->authority);
    snprintf(edwards->state, sizeof edwards->state, "%s/edwards", edwards->directory);
    plan.kind = key_kind_named("ed25519", &e);
    MUST(authority_create(edwards->state, &plan, &e));
    MUST(authority_open(edwards->state, &edwards->authority, &e));
    mint = mint_new(&edwards->authority, &e);
    compare(edwards, mint, usual_leaf(), key);
    mint_free(mint);
    OPENSSL_free((void *)key.octets);
    fixture_close((void **)&edwards);
}

static void it_is_written_down(void **state)
{
    struct fixture *fixture = *state;
    struct error e;
    struct mint *mint = mint_new(&fixture->authority, &e);
    struct key_der key = public_key("p256");
    struct leaf_plan plan = usual_leaf();
    struct minted minted;
    char *lines;

    MUST(mint_leaf(mint, &plan, key, &minted, &e));
    lines = file_of(fixture, "issued.jsonl");
    assert_non_null(strstr(lines, minted.serial));
    free(lines);
    minted_free(&minted);
    OPENSSL_free((void *)key.octets);
    mint_free(mint);
}

/* Somebody else takes so many numbers while we pause. */
static void others_take(const struct fixture *fixture, char serials[][SERIAL_TEXT], int count)
{
    struct authority other;
    struct error e;

    MUST(authority_open(fixture->state, &other, &e));
    for (int i = 0; i < count; i++)
        MUST(authority_serial(&other, serials[i], &e));
    authority_close(&other);
}

static void assert_all_differ(char serials[][SERIAL_TEXT], int count)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(serials[i], serials[k]);
}

/* Numbers that are reserved are given once, by one process or another, also after one that was killed. */
static void a_reserved_number_is_nobody_elses(void **state)
{
    struct fixture *fixture = *state;
    struct authority *mine = &fixture->authority;
    char serials[6][SERIAL_TEXT];
    struct error e;

    mine->ahead = 9;
    MUST(authority_serial(mine, serials[0], &e));
    authority_pause(mine);
    others_take(fixture, serials + 1, 1);
    MUST(authority_resume(mine, &e));
    MUST(authority_serial(mine, serials[2], &e));
    MUST(authority_serial(mine, serials[3], &e));
    authority_pause(mine);
    others_take(fixture, serials + 4, 2);
    MUST(authority_resume(mine, &e));
    assert_all_differ(serials, 6);
}

static void identifiers_are_those_of_the_rfc(void **state)
{
    /* the example of RFC 9773 section 4.1 */
    static const unsigned char issuer[] = {0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40,
                                           0x41, 0xe1, 0xb3, 0x7b, 0x84, 0x7b, 0xa0,
                                           0xae, 0x2c, 0xde, 0x01, 0xc8, 0xd4};
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    char id[CERT_ID_TEXT], serial[SERIAL_TEXT];

    (void)state;
    ASN1_OCTET_STRING_set(octets, issuer, sizeof issuer);
    assert_int_equal(cert_id(octets, "8765432100", id), 0);
    assert_string_equal(id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyEA");
    assert_int_equal(cert_id(octets, "87654321", id), 0);
    assert_string_equal(id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
    assert_int_equal(cert_id_serial(id, serial), 0);
    assert_string_equal(serial, "87654321");
    assert_int_equal(cert_id_serial("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AA", serial), 0);
    assert_string_equal(serial, "00");
    assert_int_equal(cert_id_serial("aYhba4dGQEHhs3uEe6CuLN4ByNQ", serial), -1);
    assert_int_equal(cert_id_serial("a.", serial), -1);
    assert_int_equal(cert_id_serial("a.!!", serial), -1);
    assert_int_equal(cert_id(octets, "-01", id), -1);
    assert_int_equal(cert_id(octets, "", id), -1);
    assert_int_equal(cert_id(NULL, "01", id), -1);
    ASN1_OCTET_STRING_free(octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(what_is_minted_is_what_is_issued),
        FRESH(after_a_rotation_it_comes_from_the_new_issuer),
        FRESH(where_there_is_no_template_it_is_issued_as_ever),
        FRESH(it_is_written_down),
        FRESH(a_reserved_number_is_nobody_elses),
        cmocka_unit_test(identifiers_are_those_of_the_rfc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
