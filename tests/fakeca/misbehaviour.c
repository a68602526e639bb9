/* Faults of an authority that serves: where and when they fire. */
#include "fakeca/misbehaviour.h"

#include "tests/fakeca/fixture.h"

static struct misbehaviour *armed_with(const char *order)
{
    struct misbehaviour *misbehaviour = misbehaviour_new(7);
    json_t *parsed = json_loads(order, 0, NULL);
    struct error e;

    MUST(misbehaviour_arm(misbehaviour, parsed, &e));
    json_decref(parsed);
    return misbehaviour;
}

static bool fires(struct misbehaviour *misbehaviour, struct subject subject)
{
    return misbehaviour_choose(misbehaviour, &subject).fault != NULL;
}

/* Which of ten requests a fault hits, as "-x--------". */
static void pattern(const char *order, struct subject subject, char out[11])
{
    struct misbehaviour *misbehaviour = armed_with(order);

    for (int i = 0; i < 10; i++)
        out[i] = fires(misbehaviour, subject) ? 'x' : '-';
    out[10] = '\0';
    misbehaviour_free(misbehaviour);
}

static const struct subject order = {.endpoint = "newOrder", .account = 5, .now = NOON};

static void the_nth_request_is_hit(void **state)
{
    char hits[11];

    (void)state;
    pattern("{\"fault\":\"retry-later\"}", order, hits);
    assert_string_equal(hits, "xxxxxxxxxx");
    pattern("{\"fault\":\"retry-later\",\"nth\":3}", order, hits);
    assert_string_equal(hits, "--xxxxxxxx");
    pattern("{\"fault\":\"retry-later\",\"nth\":3,\"times\":2}", order, hits);
    assert_string_equal(hits, "--xx------");
}

static void a_share_is_the_same_every_time(void **state)
{
    char first[11], second[11];
    struct misbehaviour *misbehaviour = armed_with("{\"fault\":\"bad-nonce\",\"share\":0.05}");
    int count = 0;

    (void)state;
    pattern("{\"fault\":\"retry-later\",\"share\":0.5}", order, first);
    pattern("{\"fault\":\"retry-later\",\"share\":0.5}", order, second);
    assert_string_equal(first, second);
    for (int i = 0; i < 10000; i++)
        count += fires(misbehaviour, order);
    assert_in_range(count, 400, 600);
    misbehaviour_free(misbehaviour);
}

static void it_fires_where_it_is_armed(void **state)
{
    json_t *names = json_pack("[s, s]", "a.test", "shop.test");
    struct subject there = order, elsewhere = order;
    struct misbehaviour *misbehaviour;

    (void)state;
    there.names = names;
    misbehaviour = armed_with(
        "{\"fault\":\"reset\",\"on\":\"newOrder\",\"account\":5,\"identifier\":\"shop.test\"}");
    assert_true(misbehaviour_needs_details(misbehaviour));
    assert_true(fires(misbehaviour, there));
    assert_false(fires(misbehaviour, elsewhere)); /* about no name */
    elsewhere = there;
    elsewhere.account = 6;
    assert_false(fires(misbehaviour, elsewhere));
    elsewhere = there;
    elsewhere.endpoint = "finalize";
    assert_false(fires(misbehaviour, elsewhere));
    misbehaviour_free(misbehaviour);
    json_decref(names);
}

static void it_fires_while_the_calendar_says_so(void **state)
{
    struct misbehaviour *misbehaviour =
        armed_with("{\"fault\":\"reset\",\"from\":1936000000,\"until\":1936000060}");
    struct subject at = order;

    (void)state;
    at.now = NOON - 1;
    assert_false(fires(misbehaviour, at));
    at.now = NOON;
    assert_true(fires(misbehaviour, at));
    at.now = NOON + 60;
    assert_false(fires(misbehaviour, at));
    misbehaviour_free(misbehaviour);
}

static void who_asks_for_other_records_is_not_meant(void **state)
{
    struct misbehaviour *misbehaviour = armed_with("{\"fault\":\"caa-forbids\",\"nth\":2}");
    struct subject query = {.endpoint = "dns", .now = NOON};
    static const struct {
        const char *type;
        bool fires;
    } rows[] = {
        {"CAA", false},
        {"A",   false},
        {"CAA", true },
        {"TXT", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        query.type = rows[i].type;
        assert_int_equal(fires(misbehaviour, query), rows[i].fires);
    }
    misbehaviour_free(misbehaviour);
}

static void what_there_is_not_cannot_be_wrong(void **state)
{
    static const struct {
        const char *order, *endpoint;
        unsigned traits;
    } rows[] = {
        {"{\"fault\":\"identifiers-reversed\"}", "newOrder",    SEVERAL},
        {"{\"fault\":\"wildcard-unmarked\"}",    "authz",       WILD   },
        {"{\"fault\":\"no-alternates\"}",        "certificate", CROSSED},
        {"{\"fault\":\"chains-turned\"}",        "certificate", CROSSED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct misbehaviour *misbehaviour = armed_with(rows[i].order);
        struct subject request = {.endpoint = rows[i].endpoint, .now = NOON};

        assert_true(misbehaviour_needs_details(misbehaviour));
        assert_false(fires(misbehaviour, request));
        request.traits = rows[i].traits;
        assert_true(fires(misbehaviour, request));
        misbehaviour_free(misbehaviour);
    }
}

static void what_fired_is_counted(void **state)
{
    struct misbehaviour *misbehaviour = armed_with("{\"fault\":\"reset\",\"nth\":2,\"times\":1}");
    struct error e;
    json_t *armed;

    (void)state;
    for (int i = 0; i < 4; i++)
        fires(misbehaviour, order);
    armed = misbehaviour_armed(misbehaviour);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(armed, 0), "requests")), 4);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(armed, 0), "fired")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(armed, 0), "first")), NOON);
    json_decref(armed);
    assert_int_equal(misbehaviour_disarm(misbehaviour, "reset", NULL, &e), 1);
    assert_int_equal(misbehaviour_disarm(misbehaviour, "reset", NULL, &e), -1);
    assert_string_equal(e.text, "reset: is not armed");
    armed = misbehaviour_disarmed(misbehaviour);
    assert_int_equal(json_array_size(armed), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(armed, 0), "fired")), 1);
    json_decref(armed);
    misbehaviour_free(misbehaviour);
}

/* Which of ten connections find the port closed. */
static void refused(const char *given, char out[11])
{
    struct misbehaviour *misbehaviour = armed_with(given);
    struct subject connection = {.endpoint = "acme", .now = NOON};

    for (int i = 0; i < 10; i++) {
        bool closed = misbehaviour_refuses(misbehaviour, "acme", NOON + i);

        out[i] = closed ? 'x' : '-';
        connection.now = NOON + i;
        assert_false(fires(misbehaviour, connection));
    }
    out[10] = '\0';
    misbehaviour_free(misbehaviour);
}

static void a_port_is_closed_before_the_nth(void **state)
{
    char closed[11];

    (void)state;
    refused("{\"fault\":\"connection-refused\",\"nth\":3}", closed);
    assert_string_equal(closed, "--xxxxxxxx");
    refused("{\"fault\":\"connection-refused\",\"from\":1936000002,\"until\":1936000005}", closed);
    assert_string_equal(closed, "--xxx-----");
    refused("{\"fault\":\"connection-refused\",\"on\":\"http\"}", closed);
    assert_string_equal(closed, "----------");
}

static void bad_orders_are_refused(void **state)
{
    /* clang-format off */
    static const struct {
        const char *order, *words;
    } rows[] = {
        {"{}", "expected the name"},
        {"{\"fault\":\"resett\"}", "did you mean reset"},
        {"{\"fault\":\"reset\",\"on\":\"dns\"}", "not on 'dns'"},
        {"{\"fault\":\"reset\",\"on\":\"newOdrer\"}", "did you mean newOrder"},
        {"{\"fault\":\"eab-required\",\"on\":\"finalize\"}", "expected one of: newAccount"},
        {"{\"fault\":\"reset\",\"nht\":1}", "did you mean \"nth\"?"},
        {"{\"fault\":\"reset\",\"after\":\"1\"}", "takes no \"after\""},
        {"{\"fault\":\"reset\",\"nth\":\"1\"}", "wrong type, expected a whole number"},
        {"{\"fault\":\"reset\",\"nth\":0}", "\"nth\" counts from 1"},
        {"{\"fault\":\"reset\",\"share\":0}", "more than 0"},
        {"{\"fault\":\"reset\",\"from\":7,\"until\":7}", "is not after"},
        {"{\"fault\":\"connection-refused\",\"times\":1}", "nobody sees"},
        {"{\"fault\":\"retry-later\",\"status\":99}", "200 to 599"},
        {"{\"fault\":\"retry-later\",\"after\":\"1\",\"after_date\":1}", "not both"},
        {"{\"fault\":\"perspectives-disagree\",\"perspectives\":8}", "besides the first are 1 to 7"},
        {"{\"fault\":\"clock-wrong\",\"skew\":0}", "a second or more, either way"},
        {"{\"fault\":\"clock-wrong\",\"skew\":-315360001}", "at most ten years"},
        {"{\"fault\":\"ocsp-stale\",\"skew\":60}", "takes no \"skew\""},
        {"{\"fault\":\"reset\",\"account\":-1}", "\"account\" counts from 1"},
        {"{\"fault\":\"reset\",\"serial\":\"12:ab\"}", "no serial number"},
        {"{\"fault\":\"reset\",\"on\":\"ocsp\",\"identifier\":\"shop.test\"}", "never fire"},
        {"{\"fault\":\"ocsp-stale\",\"account\":1}", "never fire"},
        {"{\"fault\":\"bad-nonce\",\"on\":\"newOrder\",\"serial\":\"01\"}", "never fire"},
        {"{\"fault\":\"broken-chain\"}", "needs a \"chain\""},
        {"{\"fault\":\"broken-chain\",\"chain\":\"expired-leav\"}", "did you mean expired-leaf"},
        {"{\"fault\":\"broken-chain\",\"chain\":\"staple-forged\"}", "is not in the chain"},
        {"{\"fault\":\"broken-chain\",\"chain\":\"self-signed-leaf\"}", "private key"},
        {"{\"fault\":\"api-broken-chain\",\"chain\":\"truncated-leaf\"}", "TLS library"},
        {"{\"fault\":\"retry-later\",\"on\":\"newOrder\"}", "armed there already"},
    };
    /* clang-format on */
    struct misbehaviour *misbehaviour =
        armed_with("{\"fault\":\"retry-later\",\"on\":\"newOrder\"}");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *parsed = json_loads(rows[i].order, 0, NULL);
        struct error e;

        assert_int_equal(misbehaviour_arm(misbehaviour, parsed, &e), -1);
        if (strstr(e.text, rows[i].words) == NULL)
            fail_msg("%s: expected '%s', got '%s'", rows[i].order, rows[i].words, e.text);
        json_decref(parsed);
    }
    misbehaviour_free(misbehaviour);
}

/* The table is what docs are made of, and names are how faults are told apart. */
static void the_table_is_whole(void **state)
{
    size_t count;
    const struct serve_fault *rows = serve_faults(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(rows[i].what) > 0 && strlen(rows[i].replays) > 0);
        assert_true(strlen(rows[i].on) > 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(rows[i].name, rows[k].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_request_is_hit),
        cmocka_unit_test(a_share_is_the_same_every_time),
        cmocka_unit_test(it_fires_where_it_is_armed),
        cmocka_unit_test(it_fires_while_the_calendar_says_so),
        cmocka_unit_test(who_asks_for_other_records_is_not_meant),
        cmocka_unit_test(what_there_is_not_cannot_be_wrong),
        cmocka_unit_test(what_fired_is_counted),
        cmocka_unit_test(a_port_is_closed_before_the_nth),
        cmocka_unit_test(bad_orders_are_refused),
        cmocka_unit_test(the_table_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
