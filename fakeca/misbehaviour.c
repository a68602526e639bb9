#include "fakeca/misbehaviour.h"

#include <stdlib.h>
#include <string.h>

#include "fakeca/fault.h"

/* What "*" stands for. */
#define EVERYTHING                                                                                 \
    "directory newNonce newAccount newOrder revokeCert keyChange account orders order authz "      \
    "challenge finalize certificate renewalInfo ocsp issuers crls"

struct armed {
    const struct serve_fault *fault;
    json_t *order;                                        /* as it was given */
    const char *on, *identifier, *serial, *after, *chain; /* borrowed from `order`; or NULL */
    int64_t account, nth, times, from, until;
    double share; /* of 1 */
    int status;
    uint64_t number; /* in order of arming */
    int64_t requests, fired;
};

struct misbehaviour {
    uint64_t seed, last;
    struct armed armed[ARMED_MOST];
    size_t count;
};

struct misbehaviour *misbehaviour_new(unsigned long seed)
{
    struct misbehaviour *misbehaviour = calloc(1, sizeof *misbehaviour);

    if (misbehaviour != NULL)
        misbehaviour->seed = seed;
    return misbehaviour;
}

void misbehaviour_free(struct misbehaviour *misbehaviour)
{
    if (misbehaviour == NULL)
        return;
    for (size_t i = 0; i < misbehaviour->count; i++)
        json_decref(misbehaviour->armed[i].order);
    free(misbehaviour);
}

/* --- arming ------------------------------------------------------------------------------------- */

static bool is_among(const char *word, const char *words)
{
    size_t length = strlen(word);

    for (const char *at = words; *at != '\0'; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == length && strncmp(at, word, length) == 0)
            return true;
    return false;
}

/* What an order may say, besides "fault". */
static const struct field {
    const char *name;
    json_type type;
    bool parameter; /* only for faults that take it */
} fields[] = {
    {"on",         JSON_STRING,  false},
    {"account",    JSON_INTEGER, false},
    {"identifier", JSON_STRING,  false},
    {"serial",     JSON_STRING,  false},
    {"nth",        JSON_INTEGER, false},
    {"times",      JSON_INTEGER, false},
    {"from",       JSON_INTEGER, false},
    {"until",      JSON_INTEGER, false},
    {"share",      JSON_REAL,    false},
    {"status",     JSON_INTEGER, true },
    {"after",      JSON_STRING,  true },
    {"chain",      JSON_STRING,  true },
};

static const struct field *field_named(const char *name)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static int check_fields(const struct serve_fault *fault, const json_t *order, struct error *e)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)order, name, value)
    {
        const struct field *field = field_named(name);

        if (strcmp(name, "fault") == 0 || strcmp(name, "do") == 0)
            continue;
        if (field == NULL || (field->parameter && !is_among(name, fault->takes)))
            return failed(e, "%s: takes no \"%s\"", fault->name, name);
        if (json_typeof(value) != field->type &&
            !(field->type == JSON_REAL && json_is_number(value)))
            return failed(e, "%s: \"%s\" is of the wrong type", fault->name, name);
    }
    return 0;
}

static int64_t integer(const json_t *order, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(order, name);

    return value == NULL ? otherwise : json_integer_value(value);
}

static int check_values(const struct armed *armed, struct error *e)
{
    const struct serve_fault *fault = armed->fault;

    if (armed->on != NULL &&
        !is_among(armed->on, strcmp(fault->on, "*") == 0 ? EVERYTHING : fault->on))
        return failed(e, "%s: not on '%s', expected one of: %s", fault->name, armed->on,
                      strcmp(fault->on, "*") == 0 ? EVERYTHING : fault->on);
    if (armed->nth < 1 || armed->times < 0)
        return failed(e, "%s: \"nth\" and \"times\" count from 1", fault->name);
    if (armed->share <= 0 || armed->share > 1)
        return failed(e, "%s: a \"share\" is more than 0 and at most 1", fault->name);
    if (armed->status < 200 || armed->status > 599)
        return failed(e, "%s: a \"status\" is 200 to 599", fault->name);
    if (armed->chain != NULL && fault_named(armed->chain, e) == NULL)
        return failed_in(e, fault->name);
    if (fault->action == ACT_CHAIN && armed->chain == NULL)
        return failed(e, "%s: needs a \"chain\", one of `fakeca faults`", fault->name);
    return 0;
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_place(const struct armed *a, const struct armed *b)
{
    return a->fault == b->fault && same(a->on, b->on) && same(a->identifier, b->identifier) &&
           same(a->serial, b->serial) && a->account == b->account;
}

int misbehaviour_arm(struct misbehaviour *misbehaviour, const json_t *order, struct error *e)
{
    const char *name = json_string_value(json_object_get(order, "fault"));
    const struct serve_fault *fault = name == NULL ? NULL : serve_fault_named(name, e);
    json_t *share = json_object_get(order, "share");
    struct armed armed = {
        .fault = fault,
        .on = json_string_value(json_object_get(order, "on")),
        .identifier = json_string_value(json_object_get(order, "identifier")),
        .serial = json_string_value(json_object_get(order, "serial")),
        .after = json_string_value(json_object_get(order, "after")),
        .chain = json_string_value(json_object_get(order, "chain")),
        .account = integer(order, "account", 0),
        .nth = integer(order, "nth", 1),
        .times = integer(order, "times", 0),
        .from = integer(order, "from", INT64_MIN),
        .until = integer(order, "until", INT64_MAX),
        .share = share == NULL ? 1 : json_number_value(share),
        .status = (int)integer(order, "status", fault == NULL ? 0 : fault->status),
    };

    if (fault == NULL)
        return name == NULL ? failed(e, "expected the name of a \"fault\"") : -1;
    if (check_fields(fault, order, e) < 0 || check_values(&armed, e) < 0)
        return -1;
    for (size_t i = 0; i < misbehaviour->count; i++)
        if (same_place(&misbehaviour->armed[i], &armed))
            return failed(e, "%s: is armed there already", name);
    if (misbehaviour->count == ARMED_MOST)
        return failed(e, "%d faults are armed, which is the most", ARMED_MOST);
    armed.order = json_incref((json_t *)order);
    armed.number = ++misbehaviour->last;
    misbehaviour->armed[misbehaviour->count++] = armed;
    return 0;
}

int misbehaviour_disarm(struct misbehaviour *misbehaviour, const char *name, const char *on,
                        struct error *e)
{
    size_t kept = 0;
    int count;

    for (size_t i = 0; i < misbehaviour->count; i++) {
        struct armed *armed = &misbehaviour->armed[i];

        if (strcmp(armed->fault->name, name) == 0 && (on == NULL || same(armed->on, on)))
            json_decref(armed->order);
        else
            misbehaviour->armed[kept++] = *armed;
    }
    count = (int)(misbehaviour->count - kept);
    misbehaviour->count = kept;
    return count > 0 ? count
                     : failed(e, "%s: is not armed%s%s", name, on == NULL ? "" : " on ",
                              on == NULL ? "" : on);
}

json_t *misbehaviour_armed(const struct misbehaviour *misbehaviour)
{
    json_t *all = json_array();

    for (size_t i = 0; i < misbehaviour->count; i++) {
        json_t *one = json_copy(misbehaviour->armed[i].order);

        json_object_del(one, "do");
        json_object_set_new(one, "requests", json_integer(misbehaviour->armed[i].requests));
        json_object_set_new(one, "fired", json_integer(misbehaviour->armed[i].fired));
        json_array_append_new(all, one);
    }
    return all;
}

bool misbehaviour_needs_names(const struct misbehaviour *misbehaviour)
{
    for (size_t i = 0; i < misbehaviour->count; i++)
        if (misbehaviour->armed[i].identifier != NULL || misbehaviour->armed[i].serial != NULL)
            return true;
    return false;
}

/* --- choosing ----------------------------------------------------------------------------------- */

static bool holds(const json_t *names, const char *name)
{
    json_t *one;
    size_t i;

    json_array_foreach(names, i, one) if (strcmp(json_string_value(one), name) == 0) return true;
    return false;
}

/* Everything that is HTTP, that is. */
static bool everywhere(const struct serve_fault *fault, const char *endpoint)
{
    return strcmp(fault->on, "*") == 0 && strcmp(endpoint, "dns") != 0;
}

static bool is_there(const struct armed *armed, const struct subject *subject)
{
    return (armed->on != NULL ? strcmp(armed->on, subject->endpoint) == 0
                              : everywhere(armed->fault, subject->endpoint) ||
                                    is_among(subject->endpoint, armed->fault->on)) &&
           (armed->account == 0 || armed->account == subject->account) &&
           (armed->identifier == NULL || holds(subject->names, armed->identifier)) &&
           (armed->serial == NULL || same(armed->serial, subject->serial)) &&
           subject->now >= armed->from && subject->now < armed->until;
}

/* splitmix64: one number out of three, in [0, 1). */
static double chance(uint64_t seed, uint64_t number, uint64_t request)
{
    uint64_t x =
        seed * UINT64_C(0x9e3779b97f4a7c15) + number * UINT64_C(0xbf58476d1ce4e5b9) + request;

    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return (double)(x >> 11) / (double)(UINT64_C(1) << 53);
}

struct chosen misbehaviour_choose(struct misbehaviour *misbehaviour, const struct subject *subject)
{
    struct chosen chosen = {0};

    for (size_t i = 0; i < misbehaviour->count; i++) {
        struct armed *armed = &misbehaviour->armed[i];

        if (!is_there(armed, subject))
            continue;
        armed->requests++; /* of every fault that could have fired, also where another does */
        if (chosen.fault != NULL || armed->requests < armed->nth ||
            (armed->times > 0 && armed->fired >= armed->times) ||
            (armed->share < 1 &&
             chance(misbehaviour->seed, armed->number, (uint64_t)armed->requests) >= armed->share))
            continue;
        armed->fired++;
        chosen = (struct chosen){armed->fault, armed->status, armed->after, armed->chain};
    }
    return chosen;
}

/* --- acting ------------------------------------------------------------------------------------- */

bool misbehave_instead(const struct chosen *chosen, struct http_answer *answer)
{
    const struct serve_fault *fault = chosen->fault;

    if (fault == NULL || (fault->action != ACT_ANSWER && fault->action != ACT_PROBLEM))
        return false;
    if (fault->action == ACT_PROBLEM)
        problem_answer(answer, fault->problem, fault->body);
    else
        http_answer_copy(answer, "text/html", fault->body, strlen(fault->body));
    answer->status = chosen->status;
    if (chosen->after != NULL)
        http_answer_field(answer, "Retry-After", "%s", chosen->after);
    return true;
}

void misbehave_after(const struct chosen *chosen, struct http_answer *answer)
{
    const struct serve_fault *fault = chosen->fault;

    if (fault == NULL)
        return;
    answer->delivery = fault->delivery;
    if (fault->action == ACT_TYPE) {
        http_answer_drop(answer, "Content-Type");
        http_answer_field(answer, "Content-Type", "text/html");
    }
    if (fault->action == ACT_DROP)
        http_answer_drop(answer, fault->body);
    if (fault->action == ACT_EMPTY)
        answer->length = 0;
    if (chosen->after != NULL && fault->action != ACT_ANSWER && fault->action != ACT_PROBLEM) {
        http_answer_drop(answer, "Retry-After");
        http_answer_field(answer, "Retry-After", "%s", chosen->after);
    }
}
