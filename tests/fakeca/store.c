/* What the store gives back is what was last committed, whoever asks and however often. */
#include "fakeca/store.h"

#include <sqlite3.h>
#include <sys/wait.h>

#include "tests/fakeca/fixture.h"

#define MANY 1000 /* more things than are kept in memory */

static struct store *opened(const struct fixture *fixture)
{
    struct error e;
    struct store *store = store_open(fixture->state, &e);

    assert_non_null(store);
    return store;
}

static void assert_says(struct store *store, const char *kind, int64_t number, int said)
{
    json_t *body = store_get(store, kind, number);

    assert_non_null(body);
    assert_int_equal(json_integer_value(json_object_get(body, "said")), said);
    json_decref(body);
}

static int64_t add(struct store *store, const char *name, int said)
{
    struct error e;
    json_t *body = json_pack("{s:i}", "said", said);
    int64_t number = store_add(store, "thing", name, body, &e);

    assert_true(number > 0);
    json_decref(body);
    return number;
}

static void put(struct store *store, int64_t number, int said)
{
    struct error e;
    json_t *body = json_pack("{s:i}", "said", said);

    MUST(store_put(store, "thing", number, body, &e));
    json_decref(body);
}

static void what_is_rolled_back_was_never_there(void **state)
{
    struct store *store = opened(*state);
    struct error e;
    int64_t first, second;

    store_begin(store);
    first = add(store, NULL, 1);
    MUST(store_commit(store, &e));
    store_begin(store);
    put(store, first, 2);
    second = add(store, NULL, 3);
    assert_says(store, "thing", first, 2);
    assert_says(store, "thing", second, 3);
    store_rollback(store);
    assert_says(store, "thing", first, 1);
    assert_null(store_get(store, "thing", second));
    store_close(store);
}

static void a_change_that_is_rolled_back_is_forgotten(void **state)
{
    struct store *store = opened(*state);
    int64_t number = add(store, NULL, 1);
    json_t *body;

    store_begin(store);
    body = store_get(store, "thing", number);
    json_object_set_new(body, "said", json_integer(2));
    store_rollback(store);
    assert_says(store, "thing", number, 1);
    json_decref(body);
    store_close(store);
}

static void a_body_may_be_put_back_as_it_was_got(void **state)
{
    struct store *store = opened(*state);
    struct error e;
    int64_t number = add(store, NULL, 1);
    json_t *body = store_get(store, "thing", number);

    json_object_set_new(body, "said", json_integer(2));
    MUST(store_put(store, "thing", number, body, &e));
    json_decref(body);
    assert_says(store, "thing", number, 2);
    store_close(store);
    store = opened(*state);
    assert_says(store, "thing", number, 2);
    store_close(store);
}

static void a_step_that_is_taken_back_takes_no_other_along(void **state)
{
    struct store *store = opened(*state);
    struct error e;
    int64_t first, second;

    store_begin(store);
    first = add(store, NULL, 1);
    MUST(store_done(store, &e));
    assert_true(store_waits(store));
    store_begin(store);
    put(store, first, 2);
    second = add(store, NULL, 3);
    store_rollback(store);
    assert_says(store, "thing", first, 1);
    assert_null(store_get(store, "thing", second));
    store_begin(store);
    second = add(store, NULL, 4);
    MUST(store_done(store, &e));
    MUST(store_flush(store, &e));
    assert_false(store_waits(store));
    store_close(store);
    store = opened(*state);
    assert_says(store, "thing", first, 1);
    assert_says(store, "thing", second, 4);
    store_close(store);
}

/* In a process that ends as if it had been killed: one thing is committed, and one waits for that. */
static int64_t write_and_die(const struct fixture *fixture, bool more)
{
    struct error e;
    int ends[2], status;
    int64_t numbers[2] = {0};
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        struct store *store = opened(fixture);

        for (int i = 0; i < 2; i++) {
            store_begin(store);
            numbers[i] = add(store, NULL, i);
            if (store_done(store, &e) < 0 || (i == 0 && store_flush(store, &e) < 0))
                _exit(1);
        }
        if (more)
            add(store, NULL, 2); /* outside a step */
        _exit(write(ends[1], numbers, sizeof numbers) != sizeof numbers);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], numbers, sizeof numbers), sizeof numbers);
    close(ends[0]);
    close(ends[1]);
    return numbers[1];
}

static void what_waits_is_lost_with_the_process(void **state)
{
    int64_t waited = write_and_die(*state, false);
    struct store *store = opened(*state);

    assert_says(store, "thing", waited - 1, 0);
    assert_null(store_get(store, "thing", waited));
    store_close(store);
}

static void what_is_written_outside_a_step_commits_what_waits(void **state)
{
    int64_t waited = write_and_die(*state, true);
    struct store *store = opened(*state);

    assert_says(store, "thing", waited, 1);
    assert_says(store, "thing", waited + 1, 2);
    store_close(store);
}

static void a_number_is_of_one_kind(void **state)
{
    struct store *store = opened(*state);
    int64_t number = add(store, NULL, 1);

    assert_null(store_get(store, "other", number));
    assert_null(store_get(store, "thing", number + 1));
    store_close(store);
}

static void what_is_set_by_name_is_found_by_number(void **state)
{
    struct store *store = opened(*state);
    struct error e;
    int64_t number = add(store, "name", 1);
    json_t *body = json_pack("{s:i}", "said", 2);

    assert_says(store, "thing", number, 1);
    MUST(store_set(store, "thing", "name", body, &e));
    assert_says(store, "thing", number, 2);
    MUST(store_unset(store, "thing", "name", &e));
    assert_null(store_get(store, "thing", number));
    json_decref(body);
    number = add(store, "name", 3);
    MUST(store_remove(store, "thing", number, &e));
    assert_null(store_get(store, "thing", number));
    store_close(store);
}

static void a_number_is_never_another_s(void **state)
{
    struct store *store = opened(*state);
    struct error e;
    int64_t gone = add(store, "name", 1);

    MUST(store_remove(store, "thing", gone, &e));
    assert_null(store_get(store, "thing", gone));
    store_close(store);
    store = opened(*state);
    assert_int_not_equal(add(store, "name", 2), gone);
    assert_null(store_get(store, "thing", gone));
    store_close(store);
}

/* As version 0.1 wrote them. */
static void an_older_file_is_taken_over(void **state)
{
    static const char old[] =
        "CREATE TABLE thing (number INTEGER PRIMARY KEY AUTOINCREMENT,"
        " kind TEXT NOT NULL, name TEXT, body TEXT NOT NULL);"
        "CREATE UNIQUE INDEX thing_name ON thing (kind, name);"
        "INSERT INTO thing VALUES (3, 'certificate', '4a01', '{\"pem\":\"x\"}'),"
        " (4, 'cert-id', 'abc.SgE', '{\"certificate\":3}'), (7, 'thing', NULL, '{\"said\":1}');"
        "PRAGMA user_version = 1";
    const struct fixture *fixture = *state;
    char path[128];
    sqlite3 *database;
    struct store *store;
    json_t *certificate;
    int64_t number;

    snprintf(path, sizeof path, "%s/serve.db", fixture->state);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, old, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    for (int turn = 0; turn < 2; turn++) {
        store = opened(fixture);
        assert_says(store, "thing", 7, 1);
        certificate = store_find(store, "certificate", "4a01", &number);
        assert_int_equal(number, 3);
        assert_string_equal(json_string_value(json_object_get(certificate, "pem")), "x");
        assert_string_equal(json_string_value(json_object_get(certificate, "id")), "abc.SgE");
        json_decref(certificate);
        assert_null(store_find(store, "cert-id", "abc.SgE", &number));
        store_close(store);
    }
}

static void of_many_each_is_remembered(void **state)
{
    struct store *store = opened(*state);
    int64_t numbers[MANY];

    for (int i = 0; i < MANY; i++)
        numbers[i] = add(store, NULL, i);
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < MANY; i++)
            assert_says(store, "thing", numbers[i], i);
    store_close(store);
    store = opened(*state);
    for (int i = 0; i < MANY; i++)
        assert_says(store, "thing", numbers[i], i);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(what_is_rolled_back_was_never_there),
        FRESH(a_change_that_is_rolled_back_is_forgotten),
        FRESH(a_body_may_be_put_back_as_it_was_got),
        FRESH(a_step_that_is_taken_back_takes_no_other_along),
        FRESH(what_waits_is_lost_with_the_process),
        FRESH(what_is_written_outside_a_step_commits_what_waits),
        FRESH(a_number_is_of_one_kind),
        FRESH(what_is_set_by_name_is_found_by_number),
        FRESH(a_number_is_never_another_s),
        FRESH(an_older_file_is_taken_over),
        FRESH(of_many_each_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
