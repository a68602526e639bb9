/* The ACME server without sockets: what an account may do with its own, and with what is not. */
#include "fakeca/acme.h"

#include "tests/fakeca/jose.h"

struct server {
    struct fixture *fixture;
    struct acme *acme;
    struct validator validator;
    struct misbehaviour *misbehaviour;
    struct profiles profiles;
    char nonce[64], location[256];
    int64_t now;
};

struct client {
    EVP_PKEY *key;
    char account[256]; /* its URL; "": none yet */
};

static int64_t now_of(void *context)
{
    return ((struct server *)context)->now;
}

static int server_open(void **state)
{
    struct server *server = calloc(1, sizeof *server);
    struct acme_plan plan = {.now = now_of, .context = server, .profiles = &server->profiles};
    void *fixture = NULL;
    struct error e;

    *state = server;
    if (fixture_open(&fixture) < 0)
        return -1;
    server->fixture = fixture;
    server->now = NOON;
    server->misbehaviour = misbehaviour_new(1);
    server->validator.loop = ev_default_loop(0); /* which nobody runs: nothing is connected to */
    profiles_usual(&server->profiles);
    plan.authority = &server->fixture->authority;
    authority_pause(plan.authority);
    plan.store = store_open(server->fixture->state, &e);
    plan.validator = &server->validator;
    plan.misbehaviour = server->misbehaviour;
    plan.ocsp = plan.ca_issuers = plan.crl = "http://ca.test";
    if (plan.store == NULL || validator_open(&server->validator, &e) < 0)
        return -1;
    server->acme = acme_new(&plan, &e);
    server->validator.context = plan.store; /* for server_close */
    return server->acme == NULL ? -1 : 0;
}

static int server_close(void **state)
{
    struct server *server = *state;
    struct store *store = server->validator.context;
    void *fixture = server->fixture;

    validator_close(&server->validator);
    acme_free(server->acme);
    misbehaviour_free(server->misbehaviour);
    store_close(store);
    free(server);
    return fixture_close(&fixture);
}

static void field(const struct http_answer *answer, const char *name, char *out, size_t room)
{
    const char *at = strstr(answer->fields, name);

    if (at != NULL)
        snprintf(out, room, "%.*s", (int)strcspn(at + strlen(name) + 2, "\r"),
                 at + strlen(name) + 2);
}

/* Sends one request; its status, and its body as JSON (NULL where it is none). */
static int ask(struct server *server, const char *target, const char *body, json_t **out)
{
    struct http_request request = {.body = body, .body_length = strlen(body)};
    struct http_answer answer = {.status = 200};

    snprintf(request.method, sizeof request.method, "%s", *body == '\0' ? "HEAD" : "POST");
    snprintf(request.target, sizeof request.target, "%s", target);
    snprintf(request.host, sizeof request.host, "ca.test");
    snprintf(request.content_type, sizeof request.content_type, "application/jose+json");
    acme_answer(server->acme, &request, &answer);
    field(&answer, "Replay-Nonce", server->nonce, sizeof server->nonce);
    field(&answer, "Location", server->location, sizeof server->location);
    if (out != NULL)
        *out = answer.body == NULL ? NULL : json_loadb(answer.body, answer.length, 0, NULL);
    http_answer_free(&answer);
    return answer.status;
}

static json_t *header(struct server *server, const struct client *client, const char *target)
{
    char url[512];

    snprintf(url, sizeof url, "https://ca.test%s", target);
    if (client->account[0] == '\0')
        return json_pack("{s:s, s:s, s:s, s:o}", "alg", "ES256", "nonce", server->nonce, "url", url,
                         "jwk", jose_jwk(client->key));
    return json_pack("{s:s, s:s, s:s, s:s}", "alg", "ES256", "nonce", server->nonce, "url", url,
                     "kid", client->account);
}

static int post(struct server *server, const struct client *client, const char *target,
                const char *payload, json_t **out)
{
    char *body = jose_sign(client->key, header(server, client, target), payload);
    int status = ask(server, target, body, out);

    free(body);
    return status;
}

static struct client new_client(struct server *server)
{
    struct error e;
    struct client client = {.key = key_make(key_kind_named("p256", &e), &e)};

    ask(server, "/acme/new-nonce", "", NULL);
    assert_int_equal(
        post(server, &client, "/acme/new-account", "{\"termsOfServiceAgreed\":true}", NULL), 201);
    strcpy(client.account, server->location);
    return client;
}

static const char *path_of(const char *url)
{
    return url + strlen("https://ca.test");
}

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Refused with the problem that is named. */
static void refused(int status, int expected, json_t **out, const char *urn)
{
    json_t *problem = *out;
    const char *type = text(problem, "type");

    assert_int_equal(status, expected);
    assert_non_null(type);
    assert_string_equal(strrchr(type, ':') + 1, urn);
    json_decref(problem);
}

static const char *const shop = "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"Shop.test\"}]}";

/* pending -> ready -> valid; and nothing is issued before its time, or for another key's names. */
static void an_order_goes_its_way(void **state)
{
    struct server *server = *state;
    struct client client = new_client(server);
    char order[256], finalize[256];
    json_t *body;
    long long authz;

    assert_int_equal(post(server, &client, "/acme/new-order", shop, &body), 201);
    assert_string_equal(text(body, "status"), "pending");
    assert_string_equal(text(json_array_get(json_object_get(body, "identifiers"), 0), "value"),
                        "shop.test");
    snprintf(order, sizeof order, "%s", path_of(server->location));
    snprintf(finalize, sizeof finalize, "%s", path_of(text(body, "finalize")));
    authz = strtoll(
        strrchr(json_string_value(json_array_get(json_object_get(body, "authorizations"), 0)),
                '/') +
            1,
        NULL, 10);
    json_decref(body);

    refused(post(server, &client, finalize, "{\"csr\":\"AA\"}", &body), 403, &body,
            "orderNotReady");

    char challenge[256];
    snprintf(challenge, sizeof challenge, "/acme/challenge/%lld/http-01", authz);
    assert_int_equal(post(server, &client, challenge, "{}", &body), 200);
    assert_string_equal(text(body, "status"), "processing");
    json_decref(body);
    acme_validated(server->acme, authz, VALIDATION_GOOD, "good");
    assert_int_equal(post(server, &client, order, "", &body), 200);
    assert_string_equal(text(body, "status"), "ready");
    json_decref(body);

    refused(post(server, &client, finalize, "{\"csr\":\"AA\"}", &body), 400, &body, "badCSR");
    refused(post(server, &client, finalize, "{}", &body), 400, &body, "badCSR");

    server->now += 8 * DAY; /* beyond what an order lives */
    assert_int_equal(post(server, &client, order, "", &body), 200);
    assert_string_equal(text(body, "status"), "invalid");
    json_decref(body);
    EVP_PKEY_free(client.key);
}

static void a_failed_validation_ends_an_order(void **state)
{
    struct server *server = *state;
    struct client client = new_client(server);
    char order[256], challenge[256];
    json_t *body;
    long long authz;

    assert_int_equal(post(server, &client, "/acme/new-order", shop, &body), 201);
    snprintf(order, sizeof order, "%s", path_of(server->location));
    authz = strtoll(
        strrchr(json_string_value(json_array_get(json_object_get(body, "authorizations"), 0)),
                '/') +
            1,
        NULL, 10);
    json_decref(body);
    acme_validated(server->acme, authz, VALIDATION_GOOD,
                   "nobody asked for it"); /* changes nothing */
    snprintf(challenge, sizeof challenge, "/acme/challenge/%lld/http-01", authz);
    post(server, &client, challenge, "{}", NULL);
    acme_validated(server->acme, authz, UNAUTHORIZED, "the answer was wrong");
    acme_validated(server->acme, authz, VALIDATION_GOOD, "too late");
    assert_int_equal(post(server, &client, order, "", &body), 200);
    assert_string_equal(text(body, "status"), "invalid");
    assert_string_equal(text(json_object_get(body, "error"), "detail"), "the answer was wrong");
    json_decref(body);
    EVP_PKEY_free(client.key);
}

static void what_is_anothers_is_refused(void **state)
{
    struct server *server = *state;
    struct client mine = new_client(server), yours = new_client(server);
    char order[256];
    json_t *body;

    assert_int_equal(post(server, &mine, "/acme/new-order", shop, NULL), 201);
    snprintf(order, sizeof order, "%s", path_of(server->location));
    refused(post(server, &yours, order, "", &body), 403, &body, "unauthorized");
    refused(post(server, &yours, path_of(mine.account), "{\"status\":\"deactivated\"}", &body), 403,
            &body, "unauthorized");
    strcpy(yours.account, mine.account); /* by its name, with another key */
    refused(post(server, &yours, order, "", &body), 400, &body, "malformed");
    assert_int_equal(post(server, &mine, order, "", NULL), 200);
    EVP_PKEY_free(mine.key);
    EVP_PKEY_free(yours.key);
}

static void a_nonce_is_good_once(void **state)
{
    struct server *server = *state;
    struct client client = new_client(server);
    char *body = jose_sign(client.key, header(server, &client, "/acme/new-order"), shop);
    json_t *problem;

    assert_int_equal(ask(server, "/acme/new-order", body, NULL), 201);
    refused(ask(server, "/acme/new-order", body, &problem), 400, &problem, "badNonce");
    refused(ask(server, "/acme/key-change", body, &problem), 403, &problem, "unauthorized");
    free(body);
    EVP_PKEY_free(client.key);
}

static void a_deactivated_account_may_nothing(void **state)
{
    struct server *server = *state;
    struct client client = new_client(server);
    json_t *body;

    assert_int_equal(
        post(server, &client, path_of(client.account), "{\"status\":\"deactivated\"}", NULL), 200);
    refused(post(server, &client, "/acme/new-order", shop, &body), 403, &body, "unauthorized");
    client.account[0] = '\0';
    refused(post(server, &client, "/acme/new-account", "{}", &body), 403, &body, "unauthorized");
    EVP_PKEY_free(client.key);
}

static void bad_orders_are_refused(void **state)
{
    static const struct {
        const char *payload, *urn;
    } rows[] = {
        {"{}",                                                                               "malformed"            },
        {"{\"identifiers\":[]}",                                                             "malformed"            },
        {"{\"identifiers\":[1]}",                                                            "malformed"            },
        {"{\"identifiers\":[{\"type\":\"mail\",\"value\":\"a@b\"}]}",                        "unsupportedIdentifier"},
        {"{\"identifiers\":[{\"type\":\"dns\",\"value\":\"10.0.0.1\"}]}",                    "rejectedIdentifier"   },
        {"{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.*.test\"}]}",                    "rejectedIdentifier"   },
        {"{\"identifiers\":[{\"type\":\"dns\",\"value\":\"shop test\"}]}",                   "rejectedIdentifier"   },
        {"{\"identifiers\":[{\"type\":\"dns\",\"value\":\"../../x\"}]}",                     "rejectedIdentifier"   },
        {"{\"identifiers\":[{\"type\":\"ip\",\"value\":\"300.0.0.1\"}]}",                    "rejectedIdentifier"   },
        {"{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.test\"}],\"profile\":\"x\"}",
         "invalidProfile"                                                                                           },
        {"{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.test\"}],\"notAfter\":\"x\"}",
         "malformed"                                                                                                },
        {"{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.test\"}],\"replaces\":\"x.y\"}",
         "malformed"                                                                                                },
    };
    struct server *server = *state;
    struct client client = new_client(server);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *body;

        refused(post(server, &client, "/acme/new-order", rows[i].payload, &body), 400, &body,
                rows[i].urn);
    }
    EVP_PKEY_free(client.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_order_goes_its_way, server_open, server_close),
        cmocka_unit_test_setup_teardown(a_failed_validation_ends_an_order, server_open,
                                        server_close),
        cmocka_unit_test_setup_teardown(what_is_anothers_is_refused, server_open, server_close),
        cmocka_unit_test_setup_teardown(a_nonce_is_good_once, server_open, server_close),
        cmocka_unit_test_setup_teardown(a_deactivated_account_may_nothing, server_open,
                                        server_close),
        cmocka_unit_test_setup_teardown(bad_orders_are_refused, server_open, server_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
