/* Revoking, at once or after a while, and a new issuer. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "fakeca/certificate.h"
#include "fakeca/manage_authority.h"
#include "testbed/wire/moment.h"

#define ISSUER_LASTS (INT64_C(20) * 365 * 86400)

/* --- whom ------------------------------------------------------------------------------------- */

struct choice {
    const char *name; /* NULL: whatever its names are */
    int64_t now;
    const struct ledger *ledger;
    json_t *serials;
};

static bool holds(const json_t *names, const char *name)
{
    json_t *one;
    size_t i;

    json_array_foreach (names, i, one) {
        if (strcasecmp(json_string_value(one), name) == 0)
            return true;
    }
    return false;
}

static void choose(void *context, int64_t number, json_t *body)
{
    struct choice *choice = context;
    json_t *serial = json_object_get(body, "serial");
    struct revoked before;

    (void)number;
    if (json_integer_value(json_object_get(body, "not_after")) < choice->now ||
        ledger_find_serial(choice->ledger, json_string_value(serial), &before) ||
        (choice->name != NULL && !holds(json_object_get(body, "names"), choice->name)))
        return;
    json_array_append(choice->serials, serial);
}

/* All of them were issued here. */
static int check(const struct ledger *ledger, const json_t *serials, struct error *e)
{
    json_t *serial;
    size_t i;

    json_array_foreach (serials, i, serial) {
        const char *text = json_string_value(serial);

        if (text == NULL || ledger_issuer(ledger, text) < 0)
            return failed(e, "no certificate with the serial number '%.60s' was issued here",
                          text == NULL ? "" : text);
    }
    return 0;
}

static int check_any(const json_t *serials, const char *name, struct error *e)
{
    return json_array_size(serials) > 0
               ? 0
               : failed(e, "no certificate%s%s to revoke: none holds that is not revoked yet",
                        name == NULL ? "" : " for ", name == NULL ? "" : name);
}

/* A serial number as the ledger has it, of one as other programs print it: in upper case, or with colons. */
static json_t *serial_of(const json_t *given)
{
    const char *text = json_string_value(given);
    char out[SERIAL_TEXT];
    size_t length = 0;

    for (; text != NULL && *text != '\0' && length + 1 < sizeof out; text++)
        if (*text != ':')
            out[length++] = (char)tolower((unsigned char)*text);
    out[length] = '\0';
    return json_string(out);
}

static json_t *serials_of(const json_t *given)
{
    json_t *serials = json_array(), *one;
    size_t i;

    json_array_foreach (given, i, one)
        json_array_append_new(serials, serial_of(one));
    return serials;
}

/* The serial numbers that a request is about: a new reference. */
static json_t *chosen(struct plain *plain, struct store *store, const struct ledger *ledger,
                      const json_t *request)
{
    struct choice choice = {
        .name = json_string_value(json_object_get(request, "name")),
        .now = plain->now(plain->context),
        .ledger = ledger,
        .serials = serials_of(json_object_get(request, "serials")),
    };

    if (choice.name != NULL || json_is_true(json_object_get(request, "all")))
        store_each(store, "certificate", choose, &choice);
    return choice.serials;
}

/* --- revoking ----------------------------------------------------------------------------------- */

static int announce(struct ledger *ledger, const json_t *serials, struct revoked how,
                    const char *explanation, struct error *e)
{
    json_t *serial;
    size_t i;

    json_array_foreach (serials, i, serial) {
        snprintf(how.serial, sizeof how.serial, "%s", json_string_value(serial));
        if (ledger_announce(ledger, (size_t)ledger_issuer(ledger, how.serial), &how, explanation,
                            e) < 0)
            return -1;
    }
    return 0;
}

static int revoke_all(struct plain *plain, struct ledger *ledger, const json_t *serials,
                      struct revoked how, const char *explanation, struct error *e)
{
    struct authority *authority = plain->authority;
    int status;

    if (check(ledger, serials, e) < 0 || authority_resume(authority, e) < 0)
        return -1;
    status = announce(ledger, serials, how, explanation, e);
    authority_pause(authority);
    return status;
}

int authority_take_back(struct plain *plain, struct store *store, const json_t *request,
                        json_t *answer, struct error *e)
{
    const char *word = json_string_value(json_object_get(request, "reason"));
    const char *name = json_string_value(json_object_get(request, "name"));
    int64_t after = json_integer_value(json_object_get(request, "after"));
    const char *explanation = json_string_value(json_object_get(request, "explanation"));
    int64_t now = plain->now(plain->context);
    struct revoked how = {.at = now + after, .told = now, .reason = -1};
    struct ledger *ledger = plain_ledger(plain, e);
    char when[MOMENT_TEXT];
    json_t *serials;

    if (ledger == NULL || (word != NULL && reason_named(word, &how.reason, e) < 0))
        return -1;
    if (after < 0)
        return failed(e, "\"after\": nothing is revoked in the past");
    serials = chosen(plain, store, ledger, request);
    if (check_any(serials, name, e) < 0 ||
        revoke_all(plain, ledger, serials, how, explanation, e) < 0) {
        json_decref(serials);
        return -1;
    }
    moment_format(how.at, when);
    json_object_set_new(answer, "revoked", serials);
    return json_object_set_new(answer, "at", json_string(when));
}

int mark_revoked(struct plain *plain, json_t *certificates, struct error *e)
{
    const struct ledger *ledger = plain_ledger(plain, e);
    struct revoked revoked;
    json_t *one;
    size_t i;

    if (ledger == NULL)
        return -1;
    json_array_foreach (certificates, i, one) {
        if (ledger_find_serial(ledger, json_string_value(json_object_get(one, "serial")), &revoked))
            json_object_set_new(one, "revoked", json_integer(revoked.at));
    }
    return 0;
}

/* --- a new issuer ------------------------------------------------------------------------------- */

int authority_rotate_issuer(struct plain *plain, json_t *answer, struct error *e)
{
    struct authority *authority = plain->authority;
    int64_t now = plain->now(plain->context);
    int status;

    if (authority_resume(authority, e) < 0)
        return -1;
    status = authority_rotate(authority, now, now + ISSUER_LASTS, e);
    if (status == 0)
        json_object_set_new(answer, "issuer",
                            json_integer((json_int_t)authority_issuer(authority)));
    authority_pause(authority);
    return status;
}
