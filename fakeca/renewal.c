#include "fakeca/renewal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_SECONDS 21600 /* six hours, as Let's Encrypt has it */

json_t *renewal_certificate(struct call *call, const char *id, int64_t *number)
{
    char serial[SERIAL_TEXT];
    json_t *certificate = cert_id_serial(id, serial) < 0
                              ? NULL
                              : store_find(call->store, "certificate", serial, number);
    const char *its = text_of(certificate, "id"); /* some have none */

    if (its != NULL && strcmp(its, id) == 0)
        return certificate;
    json_decref(certificate);
    *number = 0;
    return NULL;
}

static bool shares_a_name(const json_t *order, const json_t *certificate)
{
    json_t *identifier, *name;
    size_t i, k;

    json_array_foreach (json_object_get(order, "identifiers"), i, identifier)
        json_array_foreach (json_object_get(certificate, "names"), k, name)
            if (strcmp(text_of(identifier, "value"), json_string_value(name)) == 0)
                return true;
    return false;
}

static int check(struct call *call, const json_t *order, const json_t *certificate)
{
    if (certificate == NULL)
        return refuse(call, MALFORMED, "\"replaces\" names no certificate of ours");
    if (json_integer_value(json_object_get(certificate, "account")) != call->account_number)
        return refuse(call, UNAUTHORIZED, "the certificate to replace belongs to another account");
    if (!shares_a_name(order, certificate))
        return refuse(call, MALFORMED, "the certificate to replace shares no name with the order");
    return 0;
}

/* An order that came to nothing holds no claim. */
static bool claimed(struct call *call, const json_t *certificate)
{
    int64_t number = json_integer_value(json_object_get(certificate, "replaced_by"));
    json_t *order = number == 0 ? NULL : store_get(call->store, "order", number);
    bool held =
        order != NULL && order_refresh(call, number, order) == 0 && !has_status(order, "invalid");

    json_decref(order);
    return held;
}

int renewal_claim(struct call *call, const json_t *order, int64_t number)
{
    int64_t old;
    json_t *certificate = renewal_certificate(call, text_of(order, "replaces"), &old);
    struct error e;
    int status = check(call, order, certificate);

    if (status == 0 && claimed(call, certificate))
        status = refuse(call, ALREADY_REPLACED, "another order has replaced that certificate");
    if (status == 0) {
        json_object_set_new(certificate, "replaced_by", json_integer(number));
        if (store_put(call->store, "certificate", old, certificate, &e) < 0)
            status = broken(call, &e);
    }
    json_decref(certificate);
    return status;
}

/* Two thirds into the lifetime, for a tenth of it; half-way where that is less than ten days. */
static void usual_window(const json_t *certificate, int64_t *start, int64_t *end)
{
    int64_t from = json_integer_value(json_object_get(certificate, "not_before"));
    int64_t until = json_integer_value(json_object_get(certificate, "not_after"));
    int64_t lifetime = until - from;

    *start = lifetime < 10 * INT64_C(86400) ? from + lifetime / 2 : until - lifetime / 3;
    *end = *start + lifetime / 10;
}

/* Where it was revoked the window is over, which means: at once.  Where that is announced the window
 * opens with the announcement, and closes half-way. */
static void revoked_window(const struct revoked *revoked, int64_t now, int64_t *start, int64_t *end)
{
    bool announced = revoked->at > now;

    *start = announced ? revoked->told : now - 3600;
    *end = announced ? revoked->told + (revoked->at - revoked->told) / 2 : now - 1800;
}

/* When to ask again: four times at least until a revocation. */
static int64_t again(const struct revoked *revoked, int64_t now)
{
    int64_t quarter = (revoked->at - revoked->told) / 4;

    return revoked->at <= now || quarter > ASK_AGAIN_SECONDS ? ASK_AGAIN_SECONDS
           : quarter < 1                                     ? 1
                                                             : quarter;
}

int answer_renewal_info(struct call *call)
{
    int64_t number, start, end;
    json_t *certificate = renewal_certificate(call, call->rest, &number);
    struct error e;
    struct ledger *ledger = ledger_of(call, &e);
    struct revoked revoked = {.at = INT64_MIN};
    const char *explanation = NULL;
    struct json_text told = {0};

    if (certificate == NULL)
        return refuse(call, NO_SUCH_THING, "no certificate of ours goes by that identifier");
    usual_window(certificate, &start, &end);
    if (ledger == NULL) {
        json_decref(certificate);
        return broken(call, &e);
    }
    if (ledger_find_serial(ledger, text_of(certificate, "serial"), &revoked)) {
        revoked_window(&revoked, call->now, &start, &end);
        explanation = ledger_explanation(ledger, revoked.serial);
    }
    json_decref(certificate);
    if (end <= start) /* no window: RFC 9773 section 4.2 */
        end = start + 1;
    http_answer_field(call->answer, "Retry-After", "%lld", (long long)again(&revoked, call->now));
    json_text_open(&told, NULL, '{');
    json_text_open(&told, "suggestedWindow", '{');
    tell_time(&told, "start", start);
    tell_time(&told, "end", end);
    json_text_close(&told, '}');
    if (explanation != NULL)
        json_text_string(&told, "explanationURL", explanation);
    json_text_close(&told, '}');
    return answer_json(call, 200, &told);
}
