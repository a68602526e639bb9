#include "fakeca/misbehaviour.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fakeca/misbehaviour_armed.h"

struct misbehaviour *misbehaviour_new(unsigned long seed)
{
    struct misbehaviour *misbehaviour = calloc(1, sizeof *misbehaviour);

    if (misbehaviour == NULL)
        return NULL;
    misbehaviour->seed = seed;
    misbehaviour->past = json_array();
    misbehaviour->lapsed = json_array();
    misbehaviour->means = (struct means){INT_MAX, INT_MAX, true};
    misbehaviour->log = -1;
    return misbehaviour;
}

void misbehaviour_know(struct misbehaviour *misbehaviour, int issued, int shown, bool signs)
{
    misbehaviour->means = (struct means){issued, shown, signs};
}

int misbehaviour_log(struct misbehaviour *misbehaviour, const char *path, struct error *e)
{
    misbehaviour->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return misbehaviour->log >= 0 ? 0 : failed(e, "%s: cannot open: %s", path, strerror(errno));
}

void misbehaviour_free(struct misbehaviour *misbehaviour)
{
    if (misbehaviour == NULL)
        return;
    for (size_t i = 0; i < misbehaviour->count; i++)
        json_decref(misbehaviour->armed[i].order);
    json_decref(misbehaviour->past);
    json_decref(misbehaviour->lapsed);
    if (misbehaviour->log >= 0)
        close(misbehaviour->log);
    free(misbehaviour);
}

static bool same_place(const struct armed *a, const struct armed *b)
{
    return a->fault == b->fault && same_text(a->on, b->on) &&
           same_text(a->identifier, b->identifier) && same_text(a->serial, b->serial) &&
           a->account == b->account;
}

static uint64_t next_draw(const struct misbehaviour *misbehaviour)
{
    uint64_t last = 0;

    for (size_t i = 0; i < misbehaviour->count; i++)
        if (misbehaviour->armed[i].draw > last)
            last = misbehaviour->armed[i].draw;
    return last + 1;
}

int misbehaviour_add(struct misbehaviour *misbehaviour, const struct armed *armed, struct error *e)
{
    uint64_t draw = armed->draw == 0 ? next_draw(misbehaviour) : armed->draw;

    if (misbehaviour->count == ARMED_MOST)
        return failed(e, "%d faults are armed, which is the most", ARMED_MOST);
    json_incref(armed->order);
    misbehaviour->armed[misbehaviour->count] = *armed;
    misbehaviour->armed[misbehaviour->count++].draw = draw;
    misbehaviour->last = armed->number > misbehaviour->last ? armed->number : misbehaviour->last;
    return 0;
}

int64_t misbehaviour_arm(struct misbehaviour *misbehaviour, const json_t *order, struct error *e)
{
    struct armed armed;

    if (armed_read(order, misbehaviour->means, &armed, e) < 0)
        return -1;
    for (size_t i = 0; i < misbehaviour->count; i++)
        if (same_place(&misbehaviour->armed[i], &armed))
            return failed(e, "%s: is armed there already", armed.fault->name);
    armed.order = (json_t *)order;
    armed.number = misbehaviour->last + 1;
    if (misbehaviour_add(misbehaviour, &armed, e) < 0)
        return -1;
    misbehaviour_keep(misbehaviour);
    return (int64_t)armed.number;
}

static json_t *describe(const struct armed *armed)
{
    json_t *one = json_copy(armed->order);

    json_object_del(one, "do");
    json_object_set_new(one, "number", json_integer((json_int_t)armed->number));
    json_object_set_new(one, "requests", json_integer(armed->requests));
    json_object_set_new(one, "fired", json_integer(armed->fired));
    if (armed->fired > 0) {
        json_object_set_new(one, "first", json_integer(armed->first));
        json_object_set_new(one, "last", json_integer(armed->last));
    }
    return one;
}

static bool is_meant(const char *given, const char *given_on, const char *name, const char *on)
{
    return (name == NULL || same_text(given, name)) && (on == NULL || same_text(given_on, on));
}

static int disarm_armed(struct misbehaviour *misbehaviour, const char *name, const char *on)
{
    size_t kept = 0;
    int count;

    for (size_t i = 0; i < misbehaviour->count; i++) {
        struct armed *armed = &misbehaviour->armed[i];

        if (is_meant(armed->fault->name, armed->on, name, on)) {
            misbehaviour_lay_down(misbehaviour, armed->number, describe(armed));
            json_decref(armed->order);
        } else
            misbehaviour->armed[kept++] = *armed;
    }
    count = (int)(misbehaviour->count - kept);
    misbehaviour->count = kept;
    return count;
}

static const char *given(const json_t *order, const char *name)
{
    return json_string_value(json_object_get(order, name));
}

static int disarm_lapsed(struct misbehaviour *misbehaviour, const char *name, const char *on)
{
    json_t *left = json_array(), *one;
    int count = 0;
    size_t i;

    json_array_foreach (misbehaviour->lapsed, i, one) {
        if (is_meant(given(one, "fault"), given(one, "on"), name, on)) {
            uint64_t number = (uint64_t)json_integer_value(json_object_get(one, "number"));

            misbehaviour_lay_down(misbehaviour, number, json_incref(one));
            count++;
        } else
            json_array_append(left, one);
    }
    json_decref(misbehaviour->lapsed);
    misbehaviour->lapsed = left;
    return count;
}

int misbehaviour_disarm(struct misbehaviour *misbehaviour, const char *name, const char *on,
                        struct error *e)
{
    int count = disarm_armed(misbehaviour, name, on) + disarm_lapsed(misbehaviour, name, on);

    if (count > 0 || name == NULL)
        return count;
    return serve_fault_named(name, e) == NULL
               ? -1
               : failed(e, "%s: is not armed%s%s", name, on == NULL ? "" : " on ",
                        on == NULL ? "" : on);
}

json_t *misbehaviour_armed(const struct misbehaviour *misbehaviour)
{
    json_t *all = json_array();

    for (size_t i = 0; i < misbehaviour->count; i++)
        json_array_append_new(all, describe(&misbehaviour->armed[i]));
    return all;
}

json_t *misbehaviour_disarmed(const struct misbehaviour *misbehaviour)
{
    return json_deep_copy(misbehaviour->past);
}

json_t *misbehaviour_lapsed(const struct misbehaviour *misbehaviour)
{
    return json_deep_copy(misbehaviour->lapsed);
}

bool misbehaviour_needs_details(const struct misbehaviour *misbehaviour)
{
    for (size_t i = 0; i < misbehaviour->count; i++)
        if (misbehaviour->armed[i].identifier != NULL || misbehaviour->armed[i].serial != NULL ||
            misbehaviour->armed[i].fault->needs != 0)
            return true;
    return false;
}

/* --- choosing ----------------------------------------------------------------------------------- */

static bool holds(const json_t *names, const char *name)
{
    json_t *one;
    size_t i;

    json_array_foreach (names, i, one)
        if (same_text(json_string_value(one), name))
            return true;
    return false;
}

static bool is_time(const struct armed *armed, int64_t now)
{
    return now >= armed->from && now < armed->until &&
           (armed->fired == 0 || now - armed->first < armed->lasts);
}

/* What is wrong with records of one type is nothing to a query for another. */
static bool is_asked(const struct dns_misbehaviour *dns, const char *type)
{
    return dns == NULL || dns->type == NULL || (type != NULL && strcmp(dns->type, type) == 0);
}

static bool is_there(const struct armed *armed, const struct place *place,
                     const struct subject *subject)
{
    return (armed->on != NULL ? strcmp(armed->on, place->name) == 0
                              : place_admits(armed->fault, place)) &&
           (armed->account == 0 || armed->account == subject->account) &&
           (armed->identifier == NULL || holds(subject->names, armed->identifier)) &&
           (armed->serial == NULL || same_text(armed->serial, subject->serial)) &&
           (armed->fault->needs & ~subject->traits) == 0 &&
           is_asked(armed->fault->dns, subject->type) && is_time(armed, subject->now);
}

/* splitmix64: one number out of three, in [0, 1). */
static double chance(uint64_t seed, uint64_t draw, uint64_t request)
{
    uint64_t x =
        seed * UINT64_C(0x9e3779b97f4a7c15) + draw * UINT64_C(0xbf58476d1ce4e5b9) + request;

    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return (double)(x >> 11) / (double)(UINT64_C(1) << 53);
}

static bool is_due(const struct misbehaviour *misbehaviour, const struct armed *armed)
{
    return !armed->fault->refuses && armed->requests >= armed->nth &&
           (armed->times == 0 || armed->fired < armed->times) &&
           (armed->share >= 1 ||
            chance(misbehaviour->seed, armed->draw, (uint64_t)armed->requests) < armed->share);
}

/* One write, so that lines of the file are whole whoever reads along. */
static void write_down(const struct misbehaviour *misbehaviour, const struct armed *armed,
                       const struct subject *subject)
{
    json_t *line =
        json_pack("{s:I, s:s, s:I, s:s, s:I, s:I}", "at", (json_int_t)subject->now, "fault",
                  armed->fault->name, "number", (json_int_t)armed->number, "on", subject->endpoint,
                  "request", (json_int_t)armed->requests, "fired", (json_int_t)armed->fired);
    char *text_of_it;
    size_t length;

    if (subject->account != 0)
        json_object_set_new(line, "account", json_integer(subject->account));
    if (json_array_size(subject->names) > 0)
        json_object_set(line, "names", (json_t *)subject->names);
    if (subject->serial != NULL && *subject->serial != '\0')
        json_object_set_new(line, "serial", json_string(subject->serial));
    text_of_it = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    length = text_of_it == NULL ? 0 : strlen(text_of_it);
    if (length > 0) {
        text_of_it[length] = '\n'; /* in place of the NUL */
        if (write(misbehaviour->log, text_of_it, length + 1) < 0)
            perror("fakeca: fired.jsonl");
    }
    free(text_of_it);
}

static void fire(struct misbehaviour *misbehaviour, struct armed *armed,
                 const struct subject *subject)
{
    if (armed->fired++ == 0)
        armed->first = subject->now;
    armed->last = subject->now;
    if (misbehaviour->log >= 0)
        write_down(misbehaviour, armed, subject);
}

struct chosen misbehaviour_choose(struct misbehaviour *misbehaviour, const struct subject *subject)
{
    const struct place *place = place_named(subject->endpoint);
    struct chosen chosen = {.now = subject->now};

    for (size_t i = 0; i < misbehaviour->count; i++) {
        struct armed *armed = &misbehaviour->armed[i];

        if (!is_there(armed, place, subject))
            continue;
        armed->requests++; /* of every fault that could have fired, also where another does */
        armed->kept = false;
        if (chosen.fault != NULL || !is_due(misbehaviour, armed))
            continue;
        fire(misbehaviour, armed, subject);
        chosen = (struct chosen){
            .fault = armed->fault,
            .now = subject->now,
            .status = armed->status,
            .after = armed->after,
            .after_seconds = armed->after_seconds,
            .chain = armed->chain,
            .key = armed->key,
            .perspectives = armed->perspectives,
            .skew = armed->skew,
        };
    }
    return chosen;
}

/* --- connections that are refused --------------------------------------------------------------- */

bool misbehaviour_refuses(struct misbehaviour *misbehaviour, const char *port, int64_t now)
{
    struct subject subject = {.endpoint = port, .now = now};
    const struct place *place = place_named(port);
    bool refuses = false;

    for (size_t i = 0; i < misbehaviour->count; i++) {
        struct armed *armed = &misbehaviour->armed[i];
        bool was = armed->refusing;

        if (!armed->fault->refuses || (armed->on != NULL && strcmp(armed->on, port) != 0))
            continue;
        armed->refusing = is_there(armed, place, &subject) && armed->requests + 1 >= armed->nth;
        if (armed->refusing && !was)
            fire(misbehaviour, armed, &subject);
        armed->kept = armed->kept && armed->refusing == was;
        refuses = refuses || armed->refusing;
    }
    return refuses;
}

bool misbehaviour_watches(const struct misbehaviour *misbehaviour)
{
    for (size_t i = 0; i < misbehaviour->count; i++)
        if (misbehaviour->armed[i].fault->refuses && (misbehaviour->armed[i].from != INT64_MIN ||
                                                      misbehaviour->armed[i].until != INT64_MAX ||
                                                      misbehaviour->armed[i].lasts != INT64_MAX))
            return true;
    return false;
}

bool misbehaviour_swallows(const struct misbehaviour *misbehaviour)
{
    for (size_t i = 0; i < misbehaviour->count; i++)
        if (misbehaviour->armed[i].fault->dns != NULL &&
            misbehaviour->armed[i].fault->dns->swallows)
            return true;
    return false;
}
