/* An authority: a directory with a root that says what it is, intermediates, and a memory. */
#include "tests/fakeca/fixture.h"

#include <fcntl.h>
#include <openssl/x509_vfy.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "fakeca/files.h"

/* libcrypto's verdict about a chain on a given day: X509_V_OK or another X509_V_... */
static int verdict(const struct chain *chain, int64_t at)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int result;

    for (int i = 0; i < sk_X509_num(chain->trust); i++)
        X509_STORE_add_cert(store, sk_X509_value(chain->trust, i));
    X509_STORE_CTX_init(context, store, sk_X509_value(chain->sent, 0), chain->sent);
    X509_STORE_CTX_set_time(context, 0, (time_t)at);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
    X509_verify_cert(context);
    result = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return result;
}

static void a_fresh_chain_is_valid_from_an_hour_ago_to_its_last_second(void **state)
{
    const struct fixture *it = *state;

    assert_int_equal(verdict(it->chain, NOON), X509_V_OK);
    assert_int_equal(verdict(it->chain, NOON - 3600), X509_V_OK);
    assert_int_equal(verdict(it->chain, NOON - 3601), X509_V_ERR_CERT_NOT_YET_VALID);
    assert_int_equal(verdict(it->chain, NOON + 90 * DAY - 1), X509_V_OK);
    assert_int_equal(verdict(it->chain, NOON + 90 * DAY + 1), X509_V_ERR_CERT_HAS_EXPIRED);
}

static void the_root_says_that_it_is_for_rehearsals_only(void **state)
{
    const struct fixture *it = *state;
    X509 *root = sk_X509_value(it->chain->trust, 0);
    ASN1_OBJECT *mark = OBJ_txt2obj(OID_REHEARSAL, 1);
    int at = X509_get_ext_by_OBJ(root, mark, -1);
    char name[256];

    X509_NAME_oneline(X509_get_subject_name(root), name, sizeof name);
    assert_non_null(strstr(name, "Rehearsal Root "));
    assert_non_null(strstr(name, " - NOT FOR PRODUCTION"));
    assert_true(at >= 0);
    assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(root, at)), 0);
    ASN1_OBJECT_free(mark);
}

static unsigned mode_of(int directory, const char *name)
{
    struct stat about;

    assert_int_equal(fstatat(directory, name, &about, 0), 0);
    return about.st_mode & 07777;
}

static void nobody_else_can_read_its_keys(void **state)
{
    const struct fixture *it = *state;

    assert_int_equal(mode_of(it->authority.directory, "."), 0700);
    assert_int_equal(mode_of(it->authority.directory, "root.key"), 0600);
    assert_int_equal(mode_of(it->authority.directory, "intermediate-2.key"), 0600);
}

static void it_is_not_made_where_something_is(void **state)
{
    struct fixture *it = *state;
    struct authority_plan plan = usual_authority();
    char before[SERIAL_TEXT], after[SERIAL_TEXT];
    struct authority again;
    struct error e;

    certificate_serial(authority_signer(&it->authority, 0, &e)->certificate, before);
    assert_int_equal(authority_create(it->state, &plan, &e), -1);
    assert_non_null(strstr(e.text, "exists already"));

    flock(it->authority.directory, LOCK_UN); /* our own; the next open would wait for it */
    MUST(authority_open(it->state, &again, &e));
    certificate_serial(authority_signer(&again, 0, &e)->certificate, after);
    assert_string_equal(before, after);
    authority_close(&again);
}

static void what_is_damaged_is_named(void **state)
{
    struct fixture *it = *state;
    struct authority again;
    struct error e;

    MUST(file_write(it->authority.directory, "authority.json", 0600, "{}", 2, &e));
    flock(it->authority.directory, LOCK_UN);
    assert_int_equal(authority_open(it->state, &again, &e), -1);
    assert_non_null(strstr(e.text, "authority.json: damaged"));
    assert_non_null(strstr(e.text, it->state));
}

/* A new intermediate of another process's. */
static void what_others_change_is_seen(void **state)
{
    struct fixture *it = *state;
    struct authority other;
    size_t before = authority_issuer(&it->authority);
    struct error e;

    authority_pause(&it->authority);
    MUST(authority_resume(&it->authority, &e));
    assert_int_equal(authority_issuer(&it->authority), before);
    authority_pause(&it->authority);
    MUST(authority_open(it->state, &other, &e));
    MUST(authority_rotate(&other, NOON, NOON + 365 * DAY, &e));
    authority_close(&other);
    MUST(authority_resume(&it->authority, &e));
    assert_int_equal(authority_issuer(&it->authority), before + 1);
}

/* With numbers in reserve, so that nothing else has it read the record again. */
static void what_could_not_be_written_is_forgotten(void **state)
{
    struct fixture *it = *state;
    struct authority *mine = &it->authority, other;
    char serial[SERIAL_TEXT];
    struct error e;

    mine->ahead = 9;
    MUST(authority_serial(mine, serial, &e));
    authority_pause(mine);
    MUST(authority_resume(mine, &e));
    assert_int_equal(mkdirat(mine->directory, "intermediate-3.key", 0700), 0);
    assert_int_equal(authority_rotate(mine, NOON, NOON + 365 * DAY, &e), -1);
    assert_int_equal(unlinkat(mine->directory, "intermediate-3.key", AT_REMOVEDIR), 0);
    authority_pause(mine);
    MUST(authority_resume(mine, &e));
    assert_int_equal(mine->count, 3);

    authority_pause(mine);
    MUST(authority_open(it->state, &other, &e));
    MUST(authority_rotate(&other, NOON, NOON + 365 * DAY, &e));
    authority_pause(&other);
    MUST(authority_resume(mine, &e));
    assert_int_equal(X509_cmp(authority_signer(mine, 3, &e)->certificate,
                              authority_signer(&other, 3, &e)->certificate),
                     0);
    authority_close(&other);
}

#define AT_ONCE 8

/* Each child opens, issues and closes, as two commands at once would. */
static void issue_in_a_child(const struct fixture *it, int out)
{
    struct leaf_plan leaf = usual_leaf();
    struct authority authority;
    char serial[SERIAL_TEXT] = "";
    struct chain *chain;
    struct error e;

    if (authority_open(it->state, &authority, &e) < 0)
        _exit(1);
    chain = authority_issue(&authority, &leaf, &e);
    authority_close(&authority);
    if (chain == NULL)
        _exit(1);
    certificate_serial(sk_X509_value(chain->sent, 0), serial);
    chain_free(chain);
    _exit(write(out, serial, 16) == 16 ? 0 : 1);
}

static void those_who_issue_at_once_get_different_serial_numbers(void **state)
{
    struct fixture *it = *state;
    char serials[AT_ONCE][17] = {""};
    int ends[2];

    flock(it->authority.directory, LOCK_UN);
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < AT_ONCE; i++)
        if (fork() == 0)
            issue_in_a_child(it, ends[1]);
    close(ends[1]);
    for (int i = 0; i < AT_ONCE; i++) {
        assert_int_equal(read(ends[0], serials[i], 16), 16);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(serials[i], serials[j]);
    }
    close(ends[0]);
    for (int i = 0; i < AT_ONCE; i++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
}

static void after_a_rotation_leaves_come_from_a_new_intermediate(void **state)
{
    struct fixture *it = *state;
    struct leaf_plan leaf = usual_leaf();
    const struct signer *before, *after;
    struct chain *chain;
    struct error e;

    MUST(authority_rotate(&it->authority, NOON, NOON + 365 * DAY, &e));
    chain = authority_issue(&it->authority, &leaf, &e);
    assert_non_null(chain);
    assert_int_equal(verdict(chain, NOON), X509_V_OK);
    before = authority_signer_of(&it->authority, sk_X509_value(it->chain->sent, 0), &e);
    after = authority_signer_of(&it->authority, sk_X509_value(chain->sent, 0), &e);
    assert_non_null(before); /* the old key is kept, to break old chains with */
    assert_non_null(after);
    assert_ptr_not_equal(before, after);
    assert_int_equal(EVP_PKEY_eq(before->key, after->key), 0);
    chain_free(chain);
}

static void without_intermediates_the_root_issues_and_cannot_rotate(void **state)
{
    struct fixture *it = *state;
    struct authority_plan plan = usual_authority();
    struct leaf_plan leaf = usual_leaf();
    struct authority flat;
    struct chain *chain;
    struct error e;

    plan.intermediates = 0;
    MUST(authority_create(it->bundle, &plan, &e));
    MUST(authority_open(it->bundle, &flat, &e));
    chain = authority_issue(&flat, &leaf, &e);
    assert_int_equal(sk_X509_num(chain->sent), 1);
    assert_int_equal(verdict(chain, NOON), X509_V_OK);
    assert_int_equal(authority_rotate(&flat, NOON, NOON + DAY, &e), -1);
    assert_non_null(strstr(e.text, "no intermediate to rotate"));
    chain_free(chain);
    authority_close(&flat);
}

static void a_cross_sign_lets_those_in_who_trust_the_old_root_only(void **state)
{
    struct fixture *it = *state;
    struct authority_plan plan = usual_authority();
    struct leaf_plan leaf = usual_leaf();
    struct authority old;
    struct chain *chain;
    struct error e;

    leaf.cross = true;
    assert_null(authority_issue(&it->authority, &leaf, &e)); /* there is none yet */
    assert_non_null(strstr(e.text, "cross-sign"));

    MUST(authority_create(it->bundle, &plan, &e));
    MUST(authority_open(it->bundle, &old, &e));
    MUST(authority_cross_sign(&it->authority, &old, NOON, NOON + 365 * DAY, &e));
    chain = authority_issue(&it->authority, &leaf, &e);
    assert_non_null(chain);
    assert_int_equal(sk_X509_num(chain->sent), 4);
    assert_int_equal(sk_X509_num(chain->trust), 2);
    X509_free(sk_X509_shift(chain->trust)); /* our own root */
    assert_int_equal(verdict(chain, NOON), X509_V_OK);
    chain_free(chain);
    authority_close(&old);
}

static void rsa_keys_come_from_a_pool_and_go_round(void **state)
{
    struct fixture *it = *state;
    const struct key_kind *kind;
    EVP_PKEY *keys[POOL_KEYS + 1];
    struct error e;

    kind = key_kind_named("rsa1024", &e); /* the quickest to find */
    for (unsigned long turn = 0; turn <= POOL_KEYS; turn++) {
        keys[turn] = key_from_pool(it->authority.directory, kind, turn, &e);
        assert_non_null(keys[turn]);
        assert_int_equal(EVP_PKEY_eq(keys[turn], keys[0]), turn == 0 || turn == POOL_KEYS);
    }
    assert_int_equal(mode_of(it->authority.directory, "pool"), 0700);
    assert_int_equal(mode_of(it->authority.directory, "pool/rsa1024-0.pem"), 0600);
    for (int i = 0; i <= POOL_KEYS; i++)
        EVP_PKEY_free(keys[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(a_fresh_chain_is_valid_from_an_hour_ago_to_its_last_second),
        FRESH(the_root_says_that_it_is_for_rehearsals_only),
        FRESH(nobody_else_can_read_its_keys),
        FRESH(it_is_not_made_where_something_is),
        FRESH(what_is_damaged_is_named),
        FRESH(what_others_change_is_seen),
        FRESH(what_could_not_be_written_is_forgotten),
        FRESH(those_who_issue_at_once_get_different_serial_numbers),
        FRESH(after_a_rotation_leaves_come_from_a_new_intermediate),
        FRESH(without_intermediates_the_root_issues_and_cannot_rotate),
        FRESH(a_cross_sign_lets_those_in_who_trust_the_old_root_only),
        FRESH(rsa_keys_come_from_a_pool_and_go_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
