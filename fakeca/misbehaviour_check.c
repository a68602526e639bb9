#include "fakeca/misbehaviour_armed.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakeca/fault.h"
#include "testbed/wire/nearest.h"

#define SKEW_MOST (INT64_C(3650) * 86400)

static const struct place places[] = {
    {"directory",   REQUEST                           },
    {"newNonce",    REQUEST                           },
    {"newAccount",  REQUEST                           },
    {"newOrder",    REQUEST | ACCOUNT | NAMES         },
    {"revokeCert",  REQUEST | ACCOUNT                 },
    {"keyChange",   REQUEST | ACCOUNT                 },
    {"account",     REQUEST | ACCOUNT                 },
    {"orders",      REQUEST | ACCOUNT                 },
    {"order",       REQUEST | ACCOUNT | NAMES         },
    {"authz",       REQUEST | ACCOUNT | NAMES         },
    {"challenge",   REQUEST | ACCOUNT | NAMES         },
    {"finalize",    REQUEST | ACCOUNT | NAMES         },
    {"certificate", REQUEST | ACCOUNT | NAMES | NUMBER},
    {"renewalInfo", REQUEST | NAMES | NUMBER          },
    {"terms",       REQUEST                           },
    {"ocsp",        REQUEST | NUMBER                  },
    {"issuers",     REQUEST                           },
    {"crls",        REQUEST                           },
    {"validation",  ACCOUNT | NAMES                   },
    {"dns",         NAMES                             },
    {"acme",        0                                 },
    {"http",        0                                 },
};
#define PLACES (sizeof places / sizeof places[0])

/* --- places ------------------------------------------------------------------------------------- */

static bool is_among(const char *word, const char *words)
{
    size_t length = strlen(word);

    for (const char *at = words; *at != '\0'; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == length && strncmp(at, word, length) == 0)
            return true;
    return false;
}

bool place_admits(const struct serve_fault *fault, const struct place *place)
{
    return strcmp(fault->on, "*") == 0 ? (place->knows & REQUEST) != 0
                                       : is_among(place->name, fault->on);
}

const struct place *place_named(const char *name)
{
    for (size_t i = 0; i < PLACES; i++)
        if (strcmp(places[i].name, name) == 0)
            return &places[i];
    return NULL;
}

/* "directory, newOrder": those that a fault applies to. */
static void list_places(const struct serve_fault *fault, char out[256])
{
    size_t length = 0;

    for (size_t i = 0; i < PLACES; i++)
        if (place_admits(fault, &places[i]) && length < 256)
            length += (size_t)snprintf(out + length, 256 - length, "%s%s", length == 0 ? "" : ", ",
                                       places[i].name);
}

static int check_place(const struct armed *armed, struct error *e)
{
    const struct serve_fault *fault = armed->fault;
    const char *names[PLACES], *near;
    char list[256] = "";
    size_t count = 0;

    for (size_t i = 0; armed->on != NULL && i < PLACES; i++)
        if (place_admits(fault, &places[i])) {
            names[count++] = places[i].name;
            if (strcmp(places[i].name, armed->on) == 0)
                return 0;
        }
    if (armed->on == NULL)
        return 0;
    near = nearest(armed->on, names, count);
    if (near != NULL)
        return failed(e, "%s: not on '%s'; did you mean %s?", fault->name, armed->on, near);
    list_places(fault, list);
    return failed(e, "%s: not on '%s', expected one of: %s", fault->name, armed->on, list);
}

/* What is asked for must be known at one place at least where the fault can be. */
static int check_known(const struct armed *armed, struct error *e)
{
    const struct {
        const char *name;
        bool asked;
        unsigned which;
    } rows[] = {
        {"account",    armed->account != 0,       ACCOUNT},
        {"identifier", armed->identifier != NULL, NAMES  },
        {"serial",     armed->serial != NULL,     NUMBER },
    };
    unsigned known = 0;

    for (size_t i = 0; i < PLACES; i++)
        if (armed->on != NULL ? strcmp(places[i].name, armed->on) == 0
                              : place_admits(armed->fault, &places[i]))
            known |= places[i].knows;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].asked && (known & rows[i].which) == 0)
            return failed(e, "%s: no request there tells its \"%s\", so it would never fire",
                          armed->fault->name, rows[i].name);
    return 0;
}

/* --- arming ------------------------------------------------------------------------------------- */

/* --- an order -------------------------------------------------------------------------------- */

bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcasecmp(a, b) == 0;
}

/* What an order may say, besides "fault". */
static const struct field {
    const char *name;
    json_type type;
    bool parameter; /* only for faults that take it */
    bool counts;    /* from 1 */
} fields[] = {
    {"on",           JSON_STRING,  false, false},
    {"account",      JSON_INTEGER, false, true },
    {"identifier",   JSON_STRING,  false, false},
    {"serial",       JSON_STRING,  false, false},
    {"nth",          JSON_INTEGER, false, true },
    {"times",        JSON_INTEGER, false, true },
    {"from",         JSON_INTEGER, false, false},
    {"until",        JSON_INTEGER, false, false},
    {"for",          JSON_INTEGER, false, false},
    {"share",        JSON_REAL,    false, false},
    {"status",       JSON_INTEGER, true,  false},
    {"after",        JSON_STRING,  true,  false},
    {"after_date",   JSON_INTEGER, true,  false},
    {"chain",        JSON_STRING,  true,  false},
    {"key",          JSON_STRING,  true,  false},
    {"perspectives", JSON_INTEGER, true,  false},
    {"skew",         JSON_INTEGER, true,  false},
};
#define FIELDS (sizeof fields / sizeof fields[0])

static const struct field *field_named(const char *name)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* A parameter is only for the faults that take it. */
static bool takes(const struct serve_fault *fault, const struct field *field)
{
    return field != NULL && (!field->parameter || is_among(field->name, fault->takes));
}

static int unknown_field(const struct serve_fault *fault, const char *name, struct error *e)
{
    const char *names[FIELDS], *near;
    size_t count = 0;

    for (size_t i = 0; i < FIELDS; i++)
        if (takes(fault, &fields[i]))
            names[count++] = fields[i].name;
    near = nearest(name, names, count);
    return failed(e, "%s: takes no \"%s\"%s%s%s", fault->name, name,
                  near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
                  near == NULL ? "" : "\"?");
}

static int check_fields(const struct serve_fault *fault, const json_t *order, struct error *e)
{
    static const char *const kinds[] = {
        [JSON_STRING] = "text", [JSON_INTEGER] = "whole number", [JSON_REAL] = "number"};
    const char *name;
    json_t *value;

    json_object_foreach ((json_t *)order, name, value) {
        const struct field *field = field_named(name);

        if (strcmp(name, "fault") == 0 || strcmp(name, "do") == 0)
            continue;
        if (!takes(fault, field))
            return unknown_field(fault, name, e);
        if (json_typeof(value) != field->type &&
            !(field->type == JSON_REAL && json_is_number(value)))
            return failed(e, "%s: \"%s\" is of the wrong type, expected a %s", fault->name, name,
                          kinds[field->type]);
        if (field->counts && json_integer_value(value) < 1)
            return failed(e, "%s: \"%s\" counts from 1", fault->name, name);
    }
    return 0;
}

static const char *text(const json_t *order, const char *name)
{
    return json_string_value(json_object_get(order, name));
}

static int64_t integer(const json_t *order, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(order, name);

    return value == NULL ? otherwise : json_integer_value(value);
}

static int check_when(const struct armed *armed, struct error *e)
{
    const char *name = armed->fault->name;

    if (!(armed->share > 0 && armed->share <= 1))
        return failed(e, "%s: a \"share\" is more than 0 and at most 1", name);
    if (armed->from >= armed->until)
        return failed(e, "%s: \"until\" is not after \"from\"", name);
    if (armed->lasts < 1)
        return failed(e, "%s: a \"for\" is a second or more", name);
    if (armed->fault->refuses && (armed->times != 0 || armed->share < 1))
        return failed(
            e,
            "%s: takes no \"times\" and no \"share\": nobody sees connections that are refused;"
            " say \"for\" or \"until\", or disarm it",
            name);
    return 0;
}

/* What is broken must come to be seen. */
static int check_chain(const struct armed *armed, struct means means, struct error *e)
{
    int intermediates = armed->fault->encoded ? means.shown : means.issued;
    const struct serve_fault *fault = armed->fault;
    const struct fault *broken;

    if (!fault->breaks_chain)
        return 0;
    if (armed->chain == NULL)
        return failed(e,
                      "%s: needs a \"chain\", the name of what is wrong with it, such as "
                      "expired-leaf; `fakeca faults` lists them",
                      fault->name);
    broken = fault_named(armed->chain, e);
    if (broken == NULL)
        return failed_in(e, fault->name);
    if (broken->beside)
        return failed(e, "%s: '%s' is not in the chain, and nothing else is sent", fault->name,
                      broken->name);
    if (broken->keyed && fault->keyless)
        return failed(e, "%s: '%s' takes the leaf's private key, which the client has", fault->name,
                      broken->name);
    if (broken->exact && fault->encoded)
        return failed(e, "%s: '%s' is nothing that a TLS library sends", fault->name, broken->name);
    if (broken->intermediates > intermediates)
        return failed(e, "%s: '%s' takes %d intermediates, and there is %d", fault->name,
                      broken->name, broken->intermediates, intermediates);
    return 0;
}

static int check_what(const struct armed *armed, struct means means, struct error *e)
{
    const struct serve_fault *fault = armed->fault;

    if (armed->status < 200 || armed->status > 599)
        return failed(e, "%s: a \"status\" is 200 to 599", fault->name);
    if (armed->perspectives == 0 || armed->perspectives >= PERSPECTIVES_MOST)
        return failed(e, "%s: \"perspectives\" besides the first are 1 to %d", fault->name,
                      PERSPECTIVES_MOST - 1);
    if (fault->skew != 0 && (armed->skew == 0 || llabs(armed->skew) > SKEW_MOST))
        return failed(e, "%s: a \"skew\" is a second or more, either way, and at most ten years",
                      fault->name);
    if (fault->keys != NULL && !is_among(armed->key, fault->keys))
        return failed(e, "%s: '%s' is no \"key\", expected one of: %s", fault->name, armed->key,
                      fault->keys);
    if (armed->after != NULL && armed->after_seconds != 0)
        return failed(e, "%s: takes \"after\" or \"after_date\", not both", fault->name);
    if ((fault->needs & SECURED) != 0 && !means.signs)
        return failed(
            e,
            "%s: its DNS signs nothing, so it would never fire; expected `fakeca serve --dnssec`",
            fault->name);
    return check_chain(armed, means, e);
}

static int check_where(const struct armed *armed, struct error *e)
{
    if (check_place(armed, e) < 0)
        return -1;
    if (armed->identifier != NULL && *armed->identifier == '\0')
        return failed(e, "%s: an \"identifier\" is a name or an address", armed->fault->name);
    if (armed->serial != NULL &&
        (*armed->serial == '\0' ||
         strspn(armed->serial, "0123456789abcdefABCDEF") != strlen(armed->serial)))
        return failed(e, "%s: '%s' is no serial number, expected hexadecimal digits",
                      armed->fault->name, armed->serial);
    return check_known(armed, e);
}

static struct armed read_order(const struct serve_fault *fault, const json_t *order)
{
    const json_t *share = json_object_get(order, "share");
    const char *key = text(order, "key"), *after = text(order, "after");
    const char *chain = text(order, "chain");
    int64_t after_seconds = integer(order, "after_date", 0);

    return (struct armed){
        .fault = fault,
        .on = text(order, "on"),
        .identifier = text(order, "identifier"),
        .serial = text(order, "serial"),
        .after = after == NULL && after_seconds == 0 ? fault->after : after,
        .chain = chain == NULL ? fault->chain : chain,
        .key = key == NULL ? fault->key : key,
        .account = integer(order, "account", 0),
        .nth = integer(order, "nth", 1),
        .times = integer(order, "times", 0),
        .from = integer(order, "from", INT64_MIN),
        .until = integer(order, "until", INT64_MAX),
        .lasts = integer(order, "for", INT64_MAX),
        .after_seconds = after_seconds,
        .share = share == NULL ? 1 : json_number_value(share),
        .status = (int)integer(order, "status", fault->status == 0 ? 200 : fault->status),
        .perspectives = (int)integer(order, "perspectives", -1),
        .skew = integer(order, "skew", fault->skew),
    };
}

int armed_read(const json_t *order, struct means means, struct armed *out, struct error *e)
{
    const char *name = text(order, "fault");
    const struct serve_fault *fault = name == NULL ? NULL : serve_fault_named(name, e);

    if (fault == NULL)
        return name == NULL ? failed(e, "expected the name of a \"fault\"") : -1;
    *out = read_order(fault, order);
    return check_fields(fault, order, e) < 0 || check_where(out, e) < 0 || check_when(out, e) < 0 ||
                   check_what(out, means, e) < 0
               ? -1
               : 0;
}
