#include "fakeca/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "fakeca/files.h"

static int add_line(json_t *lines, const char *line, size_t number, struct error *e)
{
    json_t *object = json_loads(line, 0, NULL);

    if (json_string_value(json_object_get(object, "serial")) != NULL &&
        json_is_integer(json_object_get(object, "issuer")) &&
        json_is_integer(json_object_get(object, "at")))
        return json_array_append_new(lines, object);
    json_decref(object);
    return failed(e, "revoked.jsonl: line %zu is not a revocation", number);
}

int ledger_open(struct authority *authority, struct ledger *ledger, struct error *e)
{
    char *text = NULL, *rest, *line;
    int status = 0;

    *ledger = (struct ledger){.authority = authority, .lines = json_array()};
    if (!file_exists(authority->directory, "revoked.jsonl"))
        return 0;
    text = rest = file_read(authority->directory, "revoked.jsonl", NULL, e);
    for (size_t n = 1; status == 0 && (line = strsep(&rest, "\n")) != NULL; n++)
        if (*line != '\0')
            status = add_line(ledger->lines, line, n, e);
    if (text != NULL && status == 0) {
        free(text);
        return 0;
    }
    free(text);
    ledger_close(ledger);
    return failed_in(e, authority->path);
}

void ledger_close(struct ledger *ledger)
{
    json_decref(ledger->lines);
}

static void revoked_of(json_t *line, struct revoked *out)
{
    json_t *reason = json_object_get(line, "reason");

    snprintf(out->serial, sizeof out->serial, "%s",
             json_string_value(json_object_get(line, "serial")));
    out->at = json_integer_value(json_object_get(line, "at"));
    out->reason = json_is_integer(reason) ? (int)json_integer_value(reason) : -1;
}

bool ledger_find(const struct ledger *ledger, X509 *certificate, struct revoked *out)
{
    char serial[SERIAL_TEXT];
    json_t *line;
    size_t i;

    certificate_serial(certificate, serial);
    json_array_foreach(ledger->lines, i, line)
    {
        revoked_of(line, out);
        if (strcmp(out->serial, serial) == 0)
            return true;
    }
    return false;
}

int ledger_revoke(struct ledger *ledger, X509 *certificate, int64_t at, int reason, struct error *e)
{
    struct authority *authority = ledger->authority;
    const struct signer *signer = authority_signer_of(authority, certificate, e);
    char serial[SERIAL_TEXT];
    struct revoked before;
    json_t *line;
    char *text;
    int status;

    if (signer == NULL)
        return -1;
    if (ledger_find(ledger, certificate, &before))
        return 0;
    certificate_serial(certificate, serial);
    line = json_pack("{s:s, s:I, s:I, s:i}", "serial", serial, "issuer",
                     (json_int_t)authority_number(authority, signer), "at", (json_int_t)at,
                     "reason", reason);
    text = json_dumps(line, JSON_COMPACT);
    json_array_append_new(ledger->lines, line);
    status = text == NULL ? failed(e, "out of memory")
                          : file_append(authority->directory, "revoked.jsonl", 0600, text, e);
    free(text);
    return status;
}

X509_CRL *ledger_crl(const struct ledger *ledger, size_t i, struct validity validity,
                     struct error *e)
{
    const struct signer *issuer = authority_signer(ledger->authority, i, e);
    size_t all = json_array_size(ledger->lines), count = 0, n;
    struct revoked *revoked = calloc(all + 1, sizeof *revoked);
    X509_CRL *crl = NULL;
    json_t *line;

    if (issuer != NULL && revoked != NULL) {
        json_array_foreach(ledger->lines, n,
                           line) if ((size_t)json_integer_value(json_object_get(line, "issuer")) ==
                                     i) revoked_of(line, &revoked[count++]);
        /* later CRLs have higher numbers, RFC 5280 section 5.2.3 */
        crl = crl_make(issuer, revoked, count, validity, (long)validity.from, e);
    }
    free(revoked);
    return crl;
}
