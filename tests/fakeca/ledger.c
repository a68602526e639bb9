/* What the ledger has to say of a serial number under each issuer. */
#include "tests/fakeca/fixture.h"

#include "fakeca/files.h"
#include "fakeca/ledger.h"

static int status_of(const struct ledger *ledger, size_t issuer, const char *serial)
{
    struct standing standing;

    ledger_standing(ledger, issuer, serial, &standing);
    return standing.status;
}

static void a_leaf_is_good_by_its_issuer_and_unknown_to_others(void **state)
{
    struct fixture *it = *state;
    struct ledger ledger;
    char serial[SERIAL_TEXT];
    struct error e;

    certificate_serial(sk_X509_value(it->chain->sent, 0), serial);
    MUST(ledger_open(&it->authority, &ledger, &e));
    assert_int_equal(status_of(&ledger, 2, serial), V_OCSP_CERTSTATUS_UNKNOWN); /* not read yet */
    MUST(ledger_read_issued(&ledger, &e));
    assert_int_equal(status_of(&ledger, 2, serial), V_OCSP_CERTSTATUS_GOOD);
    assert_int_equal(status_of(&ledger, 1, serial), V_OCSP_CERTSTATUS_UNKNOWN);
    assert_int_equal(status_of(&ledger, 2, "4711"), V_OCSP_CERTSTATUS_UNKNOWN);
    ledger_close(&ledger);
}

static void the_signers_own_certificates_are_good(void **state)
{
    struct fixture *it = *state;
    struct ledger ledger;
    char serial[SERIAL_TEXT];
    struct error e;

    certificate_serial(sk_X509_value(it->chain->sent, 1), serial); /* number 2, by number 1 */
    MUST(ledger_open(&it->authority, &ledger, &e));
    assert_int_equal(status_of(&ledger, 1, serial), V_OCSP_CERTSTATUS_GOOD);
    assert_int_equal(status_of(&ledger, 0, serial), V_OCSP_CERTSTATUS_UNKNOWN);
    ledger_close(&ledger);
}

static void what_is_noted_is_good_until_it_is_revoked(void **state)
{
    struct fixture *it = *state;
    X509 *leaf = sk_X509_value(it->chain->sent, 0);
    struct ledger ledger;
    struct standing standing;
    char serial[SERIAL_TEXT];
    struct error e;

    certificate_serial(leaf, serial);
    MUST(ledger_open(&it->authority, &ledger, &e));
    MUST(ledger_note(&ledger, 2, serial, &e));
    assert_int_equal(status_of(&ledger, 2, serial), V_OCSP_CERTSTATUS_GOOD);
    MUST(ledger_revoke(&ledger, leaf, NOON, CRL_REASON_SUPERSEDED, &e));
    MUST(ledger_revoke(&ledger, leaf, NOON + DAY, CRL_REASON_KEY_COMPROMISE, &e));
    ledger_standing(&ledger, 2, serial, &standing);
    assert_int_equal(standing.status, V_OCSP_CERTSTATUS_REVOKED);
    assert_int_equal(standing.revoked.at, NOON);
    assert_int_equal(standing.revoked.reason, CRL_REASON_SUPERSEDED);
    assert_int_equal(status_of(&ledger, 1, serial), V_OCSP_CERTSTATUS_UNKNOWN);
    ledger_close(&ledger);
}

static void what_cannot_be_written_down_is_not_revoked(void **state)
{
    struct fixture *it = *state;
    X509 *leaf = sk_X509_value(it->chain->sent, 0);
    struct ledger ledger;
    struct revoked how;
    struct error e;

    MUST(ledger_open(&it->authority, &ledger, &e));
    assert_int_equal(mkdirat(it->authority.directory, "revoked.jsonl", 0700), 0);
    assert_int_equal(ledger_revoke(&ledger, leaf, NOON, -1, &e), -1);
    assert_false(ledger_find(&ledger, leaf, &how));
    ledger_close(&ledger);
}

static void a_damaged_list_of_leaves_names_the_line(void **state)
{
    struct fixture *it = *state;
    struct ledger ledger;
    struct error e;

    MUST(file_append(it->authority.directory, "issued.jsonl", 0600, "{\"serial\":7}", &e));
    MUST(ledger_open(&it->authority, &ledger, &e));
    assert_int_equal(ledger_read_issued(&ledger, &e), -1);
    assert_non_null(strstr(e.text, "line 2 is not a leaf"));
    ledger_close(&ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(a_leaf_is_good_by_its_issuer_and_unknown_to_others),
        FRESH(the_signers_own_certificates_are_good),
        FRESH(what_is_noted_is_good_until_it_is_revoked),
        FRESH(what_cannot_be_written_down_is_not_revoked),
        FRESH(a_damaged_list_of_leaves_names_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
