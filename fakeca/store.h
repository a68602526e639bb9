/* store.h -- what an authority that serves must not forget, in SQLite: DIR/serve.db.
 *
 * A thing has a kind ("account", "order", ...), a number, maybe a name that is unique within its kind,
 * and a body: a JSON object, which is what the code of ACME works on.  The file is in write-ahead mode: a process
 * that is killed loses nothing it has committed.
 *
 * All of one request is one step: store_begin, any of the rest, then store_done, or store_rollback, which takes
 * back what that step has done and no other.  Steps wait together for store_flush, which commits them, and nobody is
 * told of a step before that.  store_commit is the two at once; and what is written outside a step is committed at
 * once, with all that waits.
 *
 * Bodies are shared: the store keeps a reference to what store_add and store_put are given and to what store_get
 * gives; store_find may give it too.  Whoever changes one puts it before the step is done; rolled back, it is as it
 * was for those who ask next.  What is only to be told differently is a copy.
 *
 * One process has the file at a time.
 *
 * Every call that can fail returns -1 (or NULL) with *e; errno then tells the kind of trouble, as of any other file.
 */
#ifndef FAKECA_STORE_H
#define FAKECA_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "testbed/wire/error.h"

struct store;

struct store *store_open(const char *directory, struct error *e);
void store_close(struct store *store);

/* No step begins within another.  Who only reads pays nothing for it. */
void store_begin(struct store *store);
int store_done(struct store *store, struct error *e);
void store_rollback(struct store *store);
int store_commit(struct store *store, struct error *e);

/* Whether there are steps that wait. */
bool store_waits(const struct store *store);
/* Between two steps.  On failure all that waited is taken back. */
int store_flush(struct store *store, struct error *e);

/* The new thing's number; `name` may be NULL. */
int64_t store_add(struct store *store, const char *kind, const char *name, json_t *body,
                  struct error *e);
/* Puts a new body in place of the old one. */
int store_put(struct store *store, const char *kind, int64_t number, json_t *body, struct error *e);
int store_rename(struct store *store, const char *kind, int64_t number, const char *name,
                 struct error *e);
/* Gives the thing of that name this body, and makes it where there is none. */
int store_set(struct store *store, const char *kind, const char *name, const json_t *body,
              struct error *e);
/* Removes the thing of that name, if there is one. */
int store_unset(struct store *store, const char *kind, const char *name, struct error *e);
int store_remove(struct store *store, const char *kind, int64_t number, struct error *e);

/* A new reference; NULL where there is none, or where it cannot be read.  store_find sets *number, to 0 where there is
 * none. */
json_t *store_get(struct store *store, const char *kind, int64_t number);
json_t *store_find(struct store *store, const char *kind, const char *name, int64_t *number);

/* Calls `each` for every thing of the kind, oldest first, with a body it may keep a reference to.  It
 * must not change the store. */
void store_each(struct store *store, const char *kind,
                void (*each)(void *context, int64_t number, json_t *body), void *context);

#endif
