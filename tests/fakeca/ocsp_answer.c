/* The responder's answers from store, whom it asks about a certificate, and requests in paths. */
#include "tests/fakeca/fixture.h"

#include "fakeca/ocsp_answer.h"

#define WEEK (7 * DAY)

/* A responder, and what it is told about every certificate. */
struct desk {
    struct ocsp_responder *responder;
    struct standing standing;
    size_t asked; /* how often it wanted to know */
};

static void stand(void *context, size_t issuer, const char *serial, struct standing *out)
{
    struct desk *desk = context;

    (void)issuer;
    (void)serial;
    desk->asked++;
    *out = desk->standing;
}

static void desk_open(struct fixture *it, struct desk *desk, int64_t reuse)
{
    const struct ocsp_plan plan = {.authority = &it->authority,
                                   .standing = stand,
                                   .context = desk,
                                   .lifetime = WEEK,
                                   .reuse = reuse};
    struct error e;

    *desk = (struct desk){.standing = {.status = V_OCSP_CERTSTATUS_GOOD}};
    desk->responder = ocsp_responder_new(&plan, &e);
    assert_non_null(desk->responder);
}

/* A request about the fixture's leaf. */
static struct blob request_for(struct fixture *it, bool nonce)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    struct blob out = {0};
    int length;

    OCSP_request_add0_id(request, OCSP_cert_to_id(EVP_sha256(), sk_X509_value(it->chain->sent, 0),
                                                  sk_X509_value(it->chain->sent, 1)));
    if (nonce)
        OCSP_request_add1_nonce(request, NULL, 16);
    length = i2d_OCSP_REQUEST(request, &out.bytes);
    OCSP_REQUEST_free(request);
    assert_true(length > 0);
    out.length = (size_t)length;
    return out;
}

/* When an answer at `at` says it was produced. */
static int64_t produced_at(struct desk *desk, struct blob request, int64_t at)
{
    struct blob out;
    struct error e;
    const unsigned char *der;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;
    int64_t produced;

    MUST(ocsp_answer(desk->responder, request.bytes, request.length, at, NULL, &out, &e));
    der = out.bytes;
    response = d2i_OCSP_RESPONSE(NULL, &der, (long)out.length);
    basic = OCSP_response_get1_basic(response);
    assert_non_null(basic);
    produced = time_of(OCSP_resp_get0_produced_at(basic));
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    free(out.bytes);
    return produced;
}

static void an_answer_is_given_again_until_it_is_too_old(void **state)
{
    struct desk desk;
    struct blob request = request_for(*state, false);

    desk_open(*state, &desk, 3600);
    assert_int_equal(produced_at(&desk, request, NOON), NOON);
    assert_int_equal(produced_at(&desk, request, NOON + 3599), NOON);
    assert_int_equal(produced_at(&desk, request, NOON + 3600), NOON + 3600);
    ocsp_responder_free(desk.responder);
    OPENSSL_free(request.bytes);
}

static void time_that_runs_backwards_gets_a_new_answer(void **state)
{
    struct desk desk;
    struct blob request = request_for(*state, false);

    desk_open(*state, &desk, 3600);
    assert_int_equal(produced_at(&desk, request, NOON), NOON);
    assert_int_equal(produced_at(&desk, request, NOON - 1), NOON - 1);
    ocsp_responder_free(desk.responder);
    OPENSSL_free(request.bytes);
}

static void nothing_is_given_again_past_its_next_update(void **state)
{
    struct desk desk;
    struct blob request = request_for(*state, false);

    desk_open(*state, &desk, 100 * DAY);
    assert_int_equal(produced_at(&desk, request, NOON), NOON);
    assert_int_equal(produced_at(&desk, request, NOON + WEEK), NOON + WEEK);
    ocsp_responder_free(desk.responder);
    OPENSSL_free(request.bytes);
}

static void a_revocation_shows_at_once(void **state)
{
    struct desk desk;
    struct blob request = request_for(*state, false);

    desk_open(*state, &desk, 3600);
    assert_int_equal(produced_at(&desk, request, NOON), NOON);
    desk.standing.status = V_OCSP_CERTSTATUS_REVOKED;
    desk.standing.revoked.at = NOON;
    assert_int_equal(produced_at(&desk, request, NOON + 1), NOON + 1);
    desk.standing.revoked.reason = CRL_REASON_SUPERSEDED;
    assert_int_equal(produced_at(&desk, request, NOON + 2), NOON + 2);
    assert_int_equal(desk.asked, 5); /* each time, and twice where the store was out of date */
    ocsp_responder_free(desk.responder);
    OPENSSL_free(request.bytes);
}

static void a_nonce_always_gets_a_new_answer(void **state)
{
    struct desk desk;
    struct blob request = request_for(*state, true);

    desk_open(*state, &desk, 3600);
    assert_int_equal(produced_at(&desk, request, NOON), NOON);
    assert_int_equal(produced_at(&desk, request, NOON + 1), NOON + 1);
    ocsp_responder_free(desk.responder);
    OPENSSL_free(request.bytes);
}

static void a_question_names_issuer_and_serial(void **state)
{
    struct fixture *it = *state;
    void *another = another_fixture();
    struct desk desk;
    struct blob ours = request_for(it, false), theirs = request_for(another, false);
    struct ocsp_question question;
    char serial[SERIAL_TEXT];

    desk_open(it, &desk, 0);
    certificate_serial(sk_X509_value(it->chain->sent, 0), serial);
    assert_true(ocsp_asked(desk.responder, ours.bytes, ours.length, &question));
    assert_int_equal(question.issuer, 2);
    assert_string_equal(question.serial, serial);
    assert_false(ocsp_asked(desk.responder, theirs.bytes, theirs.length, &question));
    assert_false(ocsp_asked(desk.responder, ours.bytes, ours.length - 1, &question));
    ocsp_responder_free(desk.responder);
    OPENSSL_free(ours.bytes);
    OPENSSL_free(theirs.bytes);
    fixture_close(&another);
}

static void an_issuer_of_after_a_rotation_is_known(void **state)
{
    struct fixture *it = *state;
    struct leaf_plan plan = usual_leaf();
    struct desk desk;
    struct blob before = request_for(it, false), after;
    struct ocsp_question question;
    struct error e;

    desk_open(it, &desk, 0);
    assert_true(ocsp_asked(desk.responder, before.bytes, before.length, &question));
    MUST(authority_rotate(&it->authority, NOON, NOON + 1825 * DAY, &e));
    chain_free(it->chain);
    it->chain = authority_issue(&it->authority, &plan, &e);
    assert_non_null(it->chain);
    after = request_for(it, false);
    assert_true(ocsp_asked(desk.responder, after.bytes, after.length, &question));
    assert_int_equal(question.issuer, 3);
    ocsp_responder_free(desk.responder);
    OPENSSL_free(before.bytes);
    OPENSSL_free(after.bytes);
}

static void a_responder_without_its_key_says_internal_error(void **state)
{
    static const unsigned char internal_error[] = {0x30, 3, 0x0a, 1, 2};
    struct fixture *it = *state;
    struct desk desk;
    struct blob request = request_for(it, false), out;
    struct error e;

    desk_open(it, &desk, 0);
    assert_int_equal(unlinkat(it->authority.directory, "root.key", 0), 0);
    authority_close(&it->authority);
    MUST(authority_open(it->state, &it->authority, &e));
    assert_int_equal(
        ocsp_answer(desk.responder, request.bytes, request.length, NOON, NULL, &out, &e), -1);
    assert_non_null(strstr(e.text, "root.key"));
    assert_int_equal(out.length, sizeof internal_error);
    assert_memory_equal(out.bytes, internal_error, sizeof internal_error);
    free(out.bytes);
    ocsp_responder_free(desk.responder);
    OPENSSL_free(request.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(an_answer_is_given_again_until_it_is_too_old),
        FRESH(time_that_runs_backwards_gets_a_new_answer),
        FRESH(nothing_is_given_again_past_its_next_update),
        FRESH(a_revocation_shows_at_once),
        FRESH(a_nonce_always_gets_a_new_answer),
        FRESH(a_question_names_issuer_and_serial),
        FRESH(an_issuer_of_after_a_rotation_is_known),
        FRESH(a_responder_without_its_key_says_internal_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
