/* OCSP responses and CRLs: signed by the issuer, with the dates that were given. */
#include "tests/fakeca/fixture.h"

#include <openssl/ocsp.h>

#include "fakeca/files.h"
#include "fakeca/ledger.h"
#include "fakeca/revocation.h"

static const struct validity week = {NOON, NOON + 7 * DAY};

static X509 *leaf_of(const struct fixture *it)
{
    return sk_X509_value(it->chain->sent, 0);
}

static OCSP_BASICRESP *respond(struct fixture *it, int status, const struct revoked *revoked)
{
    struct error e;
    const struct signer *issuer = authority_signer_of(&it->authority, leaf_of(it), &e);
    struct standing standing = {.status = status};
    struct blob der = {0};
    const unsigned char *at;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;

    if (revoked != NULL)
        standing.revoked = *revoked;
    MUST(ocsp_respond(leaf_of(it), issuer, &standing, week, &der, &e));
    at = der.bytes;
    response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.length);
    basic = OCSP_response_get1_basic(response);
    assert_non_null(basic);
    OCSP_RESPONSE_free(response);
    free(der.bytes);
    return basic;
}

/* What a response says of the fixture's leaf: V_OCSP_CERTSTATUS_..., or -1 for nothing. */
static int status_in(struct fixture *it, OCSP_BASICRESP *basic, int *reason, int64_t *at)
{
    struct error e;
    const struct signer *issuer = authority_signer_of(&it->authority, leaf_of(it), &e);
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, leaf_of(it), issuer->certificate);
    ASN1_GENERALIZEDTIME *when = NULL, *from, *until;
    int status = -1;

    OCSP_resp_find_status(basic, id, &status, reason, &when, &from, &until);
    OCSP_CERTID_free(id);
    assert_int_equal(time_of(from), week.from);
    assert_int_equal(time_of(until), week.until);
    assert_int_equal(time_of(OCSP_resp_get0_produced_at(basic)), week.from);
    *at = when == NULL ? 0 : time_of(when);
    return status;
}

static void a_good_response_verifies_and_has_no_date_but_ours(void **state)
{
    struct fixture *it = *state;
    OCSP_BASICRESP *basic = respond(it, V_OCSP_CERTSTATUS_GOOD, NULL);
    X509_STORE *store = X509_STORE_new();
    int reason;
    int64_t at;

    assert_int_equal(status_in(it, basic, &reason, &at), V_OCSP_CERTSTATUS_GOOD);
    X509_STORE_add_cert(store, sk_X509_value(it->chain->trust, 0));
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), NOON);
    assert_int_equal(OCSP_basic_verify(basic, it->chain->sent, store, 0), 1);
    X509_STORE_free(store);
    OCSP_BASICRESP_free(basic);
}

static void a_revoked_response_says_when_and_why(void **state)
{
    struct fixture *it = *state;
    struct revoked revoked = {.at = NOON - DAY, .reason = CRL_REASON_KEY_COMPROMISE};
    OCSP_BASICRESP *basic = respond(it, V_OCSP_CERTSTATUS_REVOKED, &revoked);
    int reason;
    int64_t at;

    assert_int_equal(status_in(it, basic, &reason, &at), V_OCSP_CERTSTATUS_REVOKED);
    assert_int_equal(reason, CRL_REASON_KEY_COMPROMISE);
    assert_int_equal(at, NOON - DAY);
    OCSP_BASICRESP_free(basic);
}

static void an_unknown_response_is_one(void **state)
{
    struct fixture *it = *state;
    OCSP_BASICRESP *basic = respond(it, V_OCSP_CERTSTATUS_UNKNOWN, NULL);
    int reason;
    int64_t at;

    assert_int_equal(status_in(it, basic, &reason, &at), V_OCSP_CERTSTATUS_UNKNOWN);
    OCSP_BASICRESP_free(basic);
}

static void what_is_revoked_is_in_the_crl_of_its_issuer_and_no_other(void **state)
{
    struct fixture *it = *state;
    struct ledger ledger;
    struct revoked how;
    struct error e;

    MUST(ledger_open(&it->authority, &ledger, &e));
    assert_false(ledger_find(&ledger, leaf_of(it), &how));
    MUST(ledger_revoke(&ledger, leaf_of(it), NOON, CRL_REASON_SUPERSEDED, &e));
    ledger_close(&ledger);

    MUST(ledger_open(&it->authority, &ledger, &e)); /* it is on disk by now */
    assert_true(ledger_find(&ledger, leaf_of(it), &how));
    assert_int_equal(how.at, NOON);
    assert_int_equal(how.reason, CRL_REASON_SUPERSEDED);
    for (size_t i = 0; i < it->authority.count; i++) {
        X509_CRL *crl = ledger_crl(&ledger, i, NOON, week, 0, &e);
        const struct signer *issuer = authority_signer(&it->authority, i, &e);
        X509_REVOKED *entry = NULL;

        assert_non_null(crl);
        assert_int_equal(X509_CRL_verify(crl, issuer->key), 1);
        assert_int_equal(time_of(X509_CRL_get0_lastUpdate(crl)), week.from);
        assert_int_equal(time_of(X509_CRL_get0_nextUpdate(crl)), week.until);
        X509_CRL_get0_by_cert(crl, &entry, leaf_of(it));
        assert_int_equal(entry != NULL, i == 2); /* 0 root, 1, 2 intermediates */
        X509_CRL_free(crl);
    }
    ledger_close(&ledger);
}

static void strangers_certificates_are_not_revoked(void **state)
{
    struct fixture *it = *state;
    void *another = another_fixture();
    struct ledger ledger;
    struct error e;

    MUST(ledger_open(&it->authority, &ledger, &e));
    assert_int_equal(ledger_revoke(&ledger, leaf_of(another), NOON, -1, &e), -1);
    assert_non_null(strstr(e.text, "has not issued"));
    ledger_close(&ledger);
    fixture_close(&another);
}

static void a_damaged_ledger_names_the_line(void **state)
{
    struct fixture *it = *state;
    struct ledger ledger;
    struct error e;

    MUST(ledger_open(&it->authority, &ledger, &e));
    MUST(ledger_revoke(&ledger, leaf_of(it), NOON, -1, &e));
    ledger_close(&ledger);
    MUST(file_append(it->authority.directory, "revoked.jsonl", 0600, "{\"serial\":", &e));
    assert_int_equal(ledger_open(&it->authority, &ledger, &e), -1);
    assert_non_null(strstr(e.text, "line 2"));
}

static void words_that_mean_nothing_are_refused(void **state)
{
    struct error e;
    int value;

    (void)state;
    assert_int_equal(status_named("revoekd", &value, &e), -1);
    assert_non_null(strstr(e.text, "good, revoked, unknown"));
    assert_int_equal(reason_named("because", &value, &e), -1);
    assert_non_null(strstr(e.text, "keyCompromise"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(a_good_response_verifies_and_has_no_date_but_ours),
        FRESH(a_revoked_response_says_when_and_why),
        FRESH(an_unknown_response_is_one),
        FRESH(what_is_revoked_is_in_the_crl_of_its_issuer_and_no_other),
        FRESH(strangers_certificates_are_not_revoked),
        FRESH(a_damaged_ledger_names_the_line),
        cmocka_unit_test(words_that_mean_nothing_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
