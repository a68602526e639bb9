#include "fakeca/store.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fakeca/json_text.h"
#include "fakeca/store_cache.h"

#define SCHEMA_VERSION 2
#define BUSY_MS        5000

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    MARK,
    UNMARK,
    BACK,
    ADD,
    PUT,
    RENAME,
    REMOVE,
    SET,
    UNSET,
    GET,
    FIND,
    EACH,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [MARK] = "SAVEPOINT step",
    [UNMARK] = "RELEASE step",
    [BACK] = "ROLLBACK TO step",
    [ADD] = "INSERT INTO thing (kind, name, body) VALUES (?1, ?2, ?3)",
    [PUT] = "UPDATE thing SET body = ?3 WHERE number = ?2 AND kind = ?1",
    [RENAME] = "UPDATE thing SET name = ?3 WHERE number = ?2 AND kind = ?1",
    /* the row stays, so that its number is never another's */
    [REMOVE] = "UPDATE thing SET kind = '', name = NULL, body = '' WHERE number = ?2 AND kind = ?1",
    [SET] = ("INSERT INTO thing (kind, name, body) VALUES (?1, ?2, ?3) "
             "ON CONFLICT (kind, name) WHERE name IS NOT NULL DO UPDATE SET body = ?3"),
    [UNSET] = "DELETE FROM thing WHERE kind = ?1 AND name = ?2",
    [GET] = "SELECT number, body FROM thing WHERE number = ?2 AND kind = ?1",
    [FIND] = "SELECT number, body FROM thing WHERE kind = ?1 AND name = ?2",
    [EACH] = "SELECT number, body FROM thing WHERE kind = ?1 ORDER BY number",
};

struct store {
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENTS];
    struct store_cache cache;
    bool open; /* a transaction is, since something was written */
    bool stepping;
    bool marked;  /* the step has written, and is not the first of the transaction */
    bool started; /* it is the first: the transaction is its own */
};

/* As errno tells it of any other file; 0 where it is nothing of this machine. */
static int errno_of(int code)
{
    static const struct {
        int code, error;
    } rows[] = {
        {SQLITE_FULL,     ENOSPC},
        {SQLITE_IOERR,    EIO   },
        {SQLITE_CANTOPEN, EACCES},
        {SQLITE_READONLY, EROFS },
        {SQLITE_NOMEM,    ENOMEM},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code)
            return rows[i].error;
    return 0;
}

static int database_failed(const struct store *store, struct error *e)
{
    int code = sqlite3_errcode(store->database);

    failed(e, "serve.db: %s",
           code == SQLITE_BUSY ? "another process serves from it"
                               : sqlite3_errmsg(store->database));
    errno = errno_of(code);
    return -1;
}

/* --- opening ------------------------------------------------------------------------------------ */

static int version_is(void *into, int columns, char **values, char **names)
{
    (void)names;
    *(int *)into = columns == 1 && values[0] != NULL ? (int)strtol(values[0], NULL, 10) : -1;
    return 0;
}

/* What makes a file of each version into one of the next; version 0 is an empty one.  A thing without a name stands in
 * no index, and numbers are the rows' own, so that what is written most often goes to one page. */
static const char *const upgrades[SCHEMA_VERSION] = {
    "CREATE TABLE thing (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind TEXT NOT NULL, name TEXT, body TEXT NOT NULL);",
    /* certificates have their identifier themselves, where something of kind "cert-id" led to each */
    "CREATE TABLE next (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT, body TEXT NOT "
    "NULL);"
    "INSERT INTO next SELECT number, kind, name, body FROM thing WHERE kind <> 'cert-id';"
    "UPDATE next SET body = json_set(next.body, '$.id', thing.name) FROM thing"
    " WHERE thing.kind = 'cert-id' AND next.number = json_extract(thing.body, '$.certificate');"
    "DROP TABLE thing;"
    "ALTER TABLE next RENAME TO thing;"
    "CREATE UNIQUE INDEX thing_name ON thing (kind, name) WHERE name IS NOT NULL;",
};

static int run_text(struct store *store, const char *text, struct error *e)
{
    return sqlite3_exec(store->database, text, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : database_failed(store, e);
}

/* All the way or not at all. */
static int upgrade(struct store *store, int version, struct error *e)
{
    char text[64];
    int status = run_text(store, "BEGIN IMMEDIATE", e);

    for (; status == 0 && version < SCHEMA_VERSION; version++)
        status = run_text(store, upgrades[version], e);
    snprintf(text, sizeof text, "PRAGMA user_version = %d; COMMIT", SCHEMA_VERSION);
    return status < 0 ? -1 : run_text(store, text, e);
}

static int prepare(struct store *store, struct error *e)
{
    static const char manner[] =
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "PRAGMA wal_autocheckpoint = 4000";
    int version = -1;

    sqlite3_busy_timeout(store->database, BUSY_MS);
    if (sqlite3_exec(store->database, "PRAGMA user_version", version_is, &version, NULL) !=
        SQLITE_OK)
        return database_failed(store, e);
    if (version < 0 || version > SCHEMA_VERSION)
        return failed(e, "serve.db: written by a later version (%d, expected %d)", version,
                      SCHEMA_VERSION);
    if (run_text(store, manner, e) < 0 ||
        (version < SCHEMA_VERSION && upgrade(store, version, e) < 0))
        return -1;
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(store->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->statements[i], NULL) != SQLITE_OK)
            return database_failed(store, e);
    return 0;
}

struct store *store_open(const char *directory, struct error *e)
{
    struct store *store = calloc(1, sizeof *store);
    char path[PATH_MAX];
    mode_t mask;
    int status;

    if (store == NULL)
        return failed(e, "out of memory"), NULL;
    snprintf(path, sizeof path, "%s/serve.db", directory);
    mask = umask(0077);
    status =
        sqlite3_open_v2(path, &store->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    status = status == SQLITE_OK ? prepare(store, e) : database_failed(store, e);
    umask(mask);
    if (status == 0)
        return store;
    store_close(store);
    return failed_in(e, directory), NULL;
}

void store_close(struct store *store)
{
    struct error unused;

    if (store == NULL)
        return;
    store_flush(store, &unused);
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->database);
    cache_clear(&store->cache);
    free(store);
}

/* --- running ------------------------------------------------------------------------------------ */

/* `text` stays until the statement has run; should memory run out, that fails. */
static void bind_text(sqlite3_stmt *statement, int i, const char *text)
{
    if (text == NULL)
        sqlite3_bind_null(statement, i);
    else
        sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC);
}

static int run(struct store *store, enum statement which, struct error *e)
{
    sqlite3_stmt *statement = store->statements[which];
    int status = sqlite3_step(statement);

    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status == SQLITE_DONE ? 0 : database_failed(store, e);
}

/* Makes sure that what this step writes can be taken back. */
static int take_note(struct store *store, struct error *e)
{
    if (!store->stepping || store->started || store->marked)
        return 0;
    if (run(store, store->open ? MARK : BEGIN, e) < 0)
        return -1;
    *(store->open ? &store->marked : &store->started) = true;
    store->open = true;
    return 0;
}

static int write_with(struct store *store, enum statement which, struct error *e)
{
    if (take_note(store, e) < 0 || run(store, which, e) < 0)
        return -1;
    return store->stepping ? 0 : store_flush(store, e);
}

static void step_over(struct store *store, bool good)
{
    store->stepping = store->marked = store->started = false;
    cache_settle(&store->cache, good);
}

void store_begin(struct store *store)
{
    store->stepping = true;
}

int store_done(struct store *store, struct error *e)
{
    if (store->marked && run(store, UNMARK, e) < 0)
        return -1;
    step_over(store, true);
    return 0;
}

void store_rollback(struct store *store)
{
    struct error unused;
    int saved = errno; /* of what it is rolled back for */

    if (store->marked && run(store, BACK, &unused) == 0)
        run(store, UNMARK, &unused);
    if (store->started) {
        run(store, ROLLBACK, &unused);
        store->open = false;
    }
    step_over(store, false);
    errno = saved;
}

int store_commit(struct store *store, struct error *e)
{
    return store_done(store, e) < 0 ? -1 : store_flush(store, e);
}

bool store_waits(const struct store *store)
{
    return store->open;
}

int store_flush(struct store *store, struct error *e)
{
    struct error unused;
    int saved;

    if (!store->open)
        return 0;
    store->open = false;
    if (run(store, COMMIT, e) == 0)
        return 0;
    saved = errno;
    run(store, ROLLBACK, &unused);
    cache_clear(&store->cache);
    errno = saved;
    return -1;
}

static int insert(struct store *store, enum statement which, const char *kind, const char *name,
                  const json_t *body, struct error *e)
{
    sqlite3_stmt *statement = store->statements[which];
    char *text = json_text_of(body);
    int status;

    if (text == NULL)
        return failed(e, "out of memory");
    bind_text(statement, 1, kind);
    bind_text(statement, 2, name);
    bind_text(statement, 3, text);
    status = write_with(store, which, e);
    free(text);
    return status;
}

int64_t store_add(struct store *store, const char *kind, const char *name, json_t *body,
                  struct error *e)
{
    int64_t number;

    if (insert(store, ADD, kind, name, body, e) < 0)
        return -1;
    number = sqlite3_last_insert_rowid(store->database);
    cache_keep(&store->cache, kind, number, body);
    return number;
}

int store_set(struct store *store, const char *kind, const char *name, const json_t *body,
              struct error *e)
{
    cache_drop(&store->cache, kind);
    return insert(store, SET, kind, name, body, e);
}

int store_unset(struct store *store, const char *kind, const char *name, struct error *e)
{
    sqlite3_stmt *statement = store->statements[UNSET];

    cache_drop(&store->cache, kind);
    bind_text(statement, 1, kind);
    bind_text(statement, 2, name);
    return write_with(store, UNSET, e);
}

static int change(struct store *store, enum statement which, const char *kind, int64_t number,
                  const char *text, struct error *e)
{
    sqlite3_stmt *statement = store->statements[which];

    bind_text(statement, 1, kind);
    sqlite3_bind_int64(statement, 2, number);
    if (which != REMOVE)
        bind_text(statement, 3, text);
    if (write_with(store, which, e) < 0)
        return -1;
    return sqlite3_changes(store->database) == 1
               ? 0
               : failed(e, "serve.db: there is no %s %lld", kind, (long long)number);
}

int store_put(struct store *store, const char *kind, int64_t number, json_t *body, struct error *e)
{
    char *text = json_text_of(body);
    int status =
        text == NULL ? failed(e, "out of memory") : change(store, PUT, kind, number, text, e);

    free(text);
    if (status == 0)
        cache_keep(&store->cache, kind, number, body);
    return status;
}

int store_rename(struct store *store, const char *kind, int64_t number, const char *name,
                 struct error *e)
{
    return change(store, RENAME, kind, number, name, e);
}

int store_remove(struct store *store, const char *kind, int64_t number, struct error *e)
{
    cache_drop(&store->cache, kind);
    return change(store, REMOVE, kind, number, NULL, e);
}

/* --- reading ------------------------------------------------------------------------------------ */

static json_t *body_of(sqlite3_stmt *statement)
{
    return json_loads((const char *)sqlite3_column_text(statement, 1), 0, NULL);
}

/* The one that a statement finds, as it is kept or as it is read; *number is 0 where there is none. */
static json_t *one(struct store *store, enum statement which, const char *kind, int64_t *number)
{
    sqlite3_stmt *statement = store->statements[which];
    json_t *body = NULL;

    *number = 0;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
        body = cache_get(&store->cache, kind, *number);
        if (body == NULL)
            body = body_of(statement);
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return body;
}

json_t *store_get(struct store *store, const char *kind, int64_t number)
{
    sqlite3_stmt *statement = store->statements[GET];
    json_t *body = cache_get(&store->cache, kind, number);
    int64_t same;

    if (body != NULL)
        return body;
    bind_text(statement, 1, kind);
    sqlite3_bind_int64(statement, 2, number);
    body = one(store, GET, kind, &same);
    if (body != NULL)
        cache_keep(&store->cache, kind, number, body);
    return body;
}

json_t *store_find(struct store *store, const char *kind, const char *name, int64_t *number)
{
    sqlite3_stmt *statement = store->statements[FIND];

    bind_text(statement, 1, kind);
    bind_text(statement, 2, name);
    return one(store, FIND, kind, number);
}

void store_each(struct store *store, const char *kind,
                void (*each)(void *context, int64_t number, json_t *body), void *context)
{
    sqlite3_stmt *statement = store->statements[EACH];

    bind_text(statement, 1, kind);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        json_t *body = body_of(statement);

        if (body != NULL)
            each(context, sqlite3_column_int64(statement, 0), body);
        json_decref(body);
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}
