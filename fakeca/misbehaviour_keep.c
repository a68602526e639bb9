/* What is armed, over a restart: things of kind "armed" in the store, named by their numbers. */
#include <stdio.h>

#include "fakeca/misbehaviour_armed.h"

static void name_of(const struct armed *armed, char out[32])
{
    snprintf(out, 32, "%llu", (unsigned long long)armed->number);
}

static json_t *body_of(const struct armed *armed)
{
    return json_pack("{s:O, s:I, s:I, s:I, s:I, s:I, s:b}", "order", armed->order, "number",
                     (json_int_t)armed->number, "requests", (json_int_t)armed->requests, "fired",
                     (json_int_t)armed->fired, "first", (json_int_t)armed->first, "last",
                     (json_int_t)armed->last, "refusing", armed->refusing);
}

static int keep(const struct misbehaviour *misbehaviour, struct armed *armed, struct error *e)
{
    json_t *body = body_of(armed);
    char name[32];
    int status;

    name_of(armed, name);
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

void misbehaviour_forget(struct misbehaviour *misbehaviour, const struct armed *armed)
{
    struct error e;
    char name[32];

    name_of(armed, name);
    if (misbehaviour->store != NULL && store_unset(misbehaviour->store, "armed", name, &e) < 0)
        fprintf(stderr, "fakeca: %s\n", e.text);
}

static int64_t integer(const json_t *body, const char *name)
{
    return json_integer_value(json_object_get(body, name));
}

/* What can no longer be armed, because this authority is not what it was, is said and left out. */
static void take_up(void *context, int64_t number, json_t *body)
{
    struct misbehaviour *misbehaviour = context;
    json_t *order = json_object_get(body, "order");
    struct armed armed;
    struct error e;

    (void)number;
    if (armed_read(order, misbehaviour->depths, &armed, &e) == 0) {
        armed.order = order;
        armed.number = (uint64_t)integer(body, "number");
        armed.requests = integer(body, "requests");
        armed.fired = integer(body, "fired");
        armed.first = integer(body, "first");
        armed.last = integer(body, "last");
        armed.refusing = json_is_true(json_object_get(body, "refusing"));
        armed.kept = true;
        if (misbehaviour_add(misbehaviour, &armed, &e) == 0)
            return;
    }
    fprintf(stderr, "fakeca: was armed, and is not now: %s\n", e.text);
}

int misbehaviour_remember(struct misbehaviour *misbehaviour, struct store *store)
{
    misbehaviour->store = store;
    store_each(store, "armed", take_up, misbehaviour);
    return (int)misbehaviour->count;
}
