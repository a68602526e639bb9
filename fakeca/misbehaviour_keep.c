/* What is armed and what was, over a restart: things of kind "armed" in the store, named by their numbers, and of kind
 * "disarmed", as they are told. */
#include <stdio.h>

#include "fakeca/misbehaviour_armed.h"

static void name_of(uint64_t number, char out[32])
{
    snprintf(out, 32, "%llu", (unsigned long long)number);
}

static json_t *body_of(const struct armed *armed)
{
    return json_pack("{s:O, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "order", armed->order, "number",
                     (json_int_t)armed->number, "draw", (json_int_t)armed->draw, "requests",
                     (json_int_t)armed->requests, "fired", (json_int_t)armed->fired, "first",
                     (json_int_t)armed->first, "last", (json_int_t)armed->last, "refusing",
                     armed->refusing);
}

static int keep(const struct misbehaviour *misbehaviour, struct armed *armed, struct error *e)
{
    json_t *body = body_of(armed);
    char name[32];
    int status;

    name_of(armed->number, name);
    status = store_set(misbehaviour->store, "armed", name, body, e);
    json_decref(body);
    armed->kept = status == 0;
    return status;
}

void misbehaviour_keep(struct misbehaviour *misbehaviour)
{
    struct error e;

    for (size_t i = 0; misbehaviour->store != NULL && i < misbehaviour->count; i++)
        if (!misbehaviour->armed[i].kept && keep(misbehaviour, &misbehaviour->armed[i], &e) < 0)
            fprintf(stderr, "fakeca: %s\n", e.text);
}

static int lay_down(const struct misbehaviour *misbehaviour, uint64_t number, json_t *told,
                    struct error *e)
{
    struct store *store = misbehaviour->store;
    char name[32];

    name_of(number, name);
    store_begin(store);
    if (store_unset(store, "armed", name, e) == 0 &&
        store_add(store, "disarmed", NULL, told, e) >= 0 && store_commit(store, e) == 0)
        return 0;
    store_rollback(store);
    return -1;
}

void misbehaviour_lay_down(struct misbehaviour *misbehaviour, uint64_t number, json_t *told)
{
    struct error e;

    if (misbehaviour->store != NULL && lay_down(misbehaviour, number, told, &e) < 0)
        fprintf(stderr, "fakeca: %s\n", e.text);
    json_array_append_new(misbehaviour->past, told);
}

static int64_t integer(const json_t *body, const char *name)
{
    return json_integer_value(json_object_get(body, name));
}

/* --- what a request has met --------------------------------------------------------------------- */

json_t *chosen_keep(const struct chosen *chosen)
{
    return chosen->fault == NULL
               ? NULL
               : json_pack("{s:s, s:I, s:i, s:s*, s:I, s:s*, s:s*, s:i, s:I}", "fault",
                           chosen->fault->name, "now", (json_int_t)chosen->now, "status",
                           chosen->status, "after", chosen->after, "after_seconds",
                           (json_int_t)chosen->after_seconds, "chain", chosen->chain, "key",
                           chosen->key, "perspectives", chosen->perspectives, "skew",
                           (json_int_t)chosen->skew);
}

struct chosen chosen_kept(const json_t *kept)
{
    const char *name = json_string_value(json_object_get(kept, "fault"));
    struct error unused;

    return (struct chosen){
        .fault = name == NULL ? NULL : serve_fault_named(name, &unused),
        .now = integer(kept, "now"),
        .status = (int)integer(kept, "status"),
        .after = json_string_value(json_object_get(kept, "after")),
        .after_seconds = integer(kept, "after_seconds"),
        .chain = json_string_value(json_object_get(kept, "chain")),
        .key = json_string_value(json_object_get(kept, "key")),
        .perspectives = (int)integer(kept, "perspectives"),
        .skew = integer(kept, "skew"),
    };
}

/* --- what is armed ------------------------------------------------------------------------------ */

static void note_number(struct misbehaviour *misbehaviour, uint64_t number)
{
    if (number > misbehaviour->last)
        misbehaviour->last = number;
}

/* A file of another version of this program may hold anything. */
static void lapse(struct misbehaviour *misbehaviour, const json_t *body, const char *why)
{
    json_t *order = json_object_get(body, "order");
    json_t *told = json_is_object(order) ? json_copy(order) : json_object();
    const char *name = json_string_value(json_object_get(order, "fault"));

    fprintf(stderr, "fakeca: was armed, and cannot be now: %s; `fakeca disarm %s` forgets it\n",
            why, name == NULL ? "--all" : name);
    json_object_del(told, "do");
    json_object_set_new(told, "number", json_integer(integer(body, "number")));
    json_object_set_new(told, "why", json_string(why));
    json_array_append_new(misbehaviour->lapsed, told);
}

static void take_up(void *context, int64_t number, json_t *body)
{
    struct misbehaviour *misbehaviour = context;
    json_t *order = json_object_get(body, "order");
    struct armed armed;
    struct error e;

    (void)number;
    note_number(misbehaviour, (uint64_t)integer(body, "number"));
    if (armed_read(order, misbehaviour->means, &armed, &e) == 0) {
        armed.order = order;
        armed.number = (uint64_t)integer(body, "number");
        armed.draw = (uint64_t)integer(body, "draw");
        armed.requests = integer(body, "requests");
        armed.fired = integer(body, "fired");
        armed.first = integer(body, "first");
        armed.last = integer(body, "last");
        armed.refusing = json_is_true(json_object_get(body, "refusing"));
        armed.kept = true;
        if (misbehaviour_add(misbehaviour, &armed, &e) == 0)
            return;
    }
    lapse(misbehaviour, body, e.text);
}

static void recall(void *context, int64_t number, json_t *told)
{
    struct misbehaviour *misbehaviour = context;

    (void)number;
    note_number(misbehaviour, (uint64_t)integer(told, "number"));
    json_array_append(misbehaviour->past, told);
}

int misbehaviour_remember(struct misbehaviour *misbehaviour, struct store *store)
{
    misbehaviour->store = store;
    store_each(store, "armed", take_up, misbehaviour);
    store_each(store, "disarmed", recall, misbehaviour);
    return (int)misbehaviour->count;
}
