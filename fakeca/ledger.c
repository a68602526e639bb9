#include "fakeca/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fakeca/files.h"

static json_int_t moment_in(const json_t *line)
{
    return json_integer_value(json_object_get(line, "at"));
}

/* Takes over the reference. */
static int keep_line(struct ledger *ledger, json_t *line)
{
    const char *serial = json_string_value(json_object_get(line, "serial"));
    json_t *before = json_object_get(ledger->revoked, serial);

    if ((before == NULL || moment_in(line) < moment_in(before)) &&
        json_object_set(ledger->revoked, serial, line) < 0) {
        json_decref(line);
        return -1;
    }
    return json_array_append_new(ledger->lines, line);
}

static int add_line(struct ledger *ledger, const char *line, size_t number, struct error *e)
{
    json_t *object = json_loads(line, 0, NULL);

    if (json_string_value(json_object_get(object, "serial")) != NULL &&
        json_is_integer(json_object_get(object, "issuer")) &&
        json_is_integer(json_object_get(object, "at")))
        return keep_line(ledger, object) < 0 ? failed(e, "out of memory") : 0;
    json_decref(object);
    return failed(e, "revoked.jsonl: line %zu is not a revocation", number);
}

int ledger_open(struct authority *authority, struct ledger *ledger, struct error *e)
{
    char *text = NULL, *rest, *line;
    int status = 0;

    *ledger = (struct ledger){.authority = authority,
                              .lines = json_array(),
                              .revoked = json_object(),
                              .issued = json_object()};
    if (!file_exists(authority->directory, "revoked.jsonl"))
        return 0;
    text = rest = file_read(authority->directory, "revoked.jsonl", NULL, e);
    for (size_t n = 1; status == 0 && (line = strsep(&rest, "\n")) != NULL; n++)
        if (*line != '\0')
            status = add_line(ledger, line, n, e);
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
    json_decref(ledger->revoked);
    json_decref(ledger->issued);
}

static void revoked_of(json_t *line, struct revoked *out)
{
    json_t *reason = json_object_get(line, "reason");

    snprintf(out->serial, sizeof out->serial, "%s",
             json_string_value(json_object_get(line, "serial")));
    out->at = moment_in(line);
    out->told = json_object_get(line, "told") == NULL
                    ? out->at
                    : json_integer_value(json_object_get(line, "told"));
    out->reason = json_is_integer(reason) ? (int)json_integer_value(reason) : -1;
}

bool ledger_find_serial(const struct ledger *ledger, const char *serial, struct revoked *out)
{
    json_t *line = json_object_get(ledger->revoked, serial);

    if (line != NULL)
        revoked_of(line, out);
    return line != NULL;
}

bool ledger_find(const struct ledger *ledger, X509 *certificate, struct revoked *out)
{
    char serial[SERIAL_TEXT];

    certificate_serial(certificate, serial);
    return ledger_find_serial(ledger, serial, out);
}

const char *ledger_explanation(const struct ledger *ledger, const char *serial)
{
    const json_t *line = json_object_get(ledger->revoked, serial);

    return json_string_value(json_object_get(line, "explanation"));
}

/* --- what was issued ---------------------------------------------------------------------------- */

int ledger_note(struct ledger *ledger, size_t issuer, const char *serial, struct error *e)
{
    return json_object_set_new(ledger->issued, serial, json_integer((json_int_t)issuer)) < 0
               ? failed(e, "out of memory")
               : 0;
}

int ledger_issuer(const struct ledger *ledger, const char *serial)
{
    json_t *issuer = json_object_get(ledger->issued, serial);

    return issuer == NULL ? -1 : (int)json_integer_value(issuer);
}

static int note_line(struct ledger *ledger, const char *line, size_t number, struct error *e)
{
    json_t *object = json_loads(line, 0, NULL);
    const char *serial = json_string_value(json_object_get(object, "serial"));
    json_t *issuer = json_object_get(object, "issuer");
    int status = serial == NULL || !json_is_integer(issuer)
                     ? failed(e, "issued.jsonl: line %zu is not a leaf", number)
                     : ledger_note(ledger, (size_t)json_integer_value(issuer), serial, e);

    json_decref(object);
    return status;
}

int ledger_read_issued(struct ledger *ledger, struct error *e)
{
    const struct authority *authority = ledger->authority;
    int fd = openat(authority->directory, "issued.jsonl", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    char *line = NULL;
    size_t room = 0;
    int status = 0;

    if (fd < 0 && errno == ENOENT)
        return 0; /* nothing yet */
    if (file == NULL) {
        failed(e, "%s/issued.jsonl: %s", authority->path, strerror(errno));
        close(fd);
        return -1;
    }
    /* by lines, for it grows with every leaf and without limit */
    for (size_t n = 1; status == 0 && getline(&line, &room, file) > 0; n++)
        status = note_line(ledger, line, n, e);
    free(line);
    fclose(file);
    return status < 0 ? failed_in(e, authority->path) : 0;
}

/* Whether the certificate of a signer has that number, and `issuer` has signed it. */
static bool is_signer(struct authority *authority, size_t issuer, const char *serial)
{
    struct error ignored;

    for (size_t i = 0; i < authority->count; i++) {
        const struct signer *signer = authority_signer(authority, i, &ignored);
        const struct signer *above;
        char text[SERIAL_TEXT];

        if (signer == NULL)
            continue;
        certificate_serial(signer->certificate, text);
        if (strcmp(text, serial) != 0)
            continue;
        above = authority_signer_of(authority, signer->certificate, &ignored);
        return above != NULL && authority_number(authority, above) == issuer;
    }
    return false;
}

void ledger_standing(const struct ledger *ledger, size_t issuer, const char *serial,
                     struct standing *out)
{
    json_t *revoked = json_object_get(ledger->revoked, serial);
    json_t *issued = json_object_get(ledger->issued, serial);

    *out = (struct standing){.status = V_OCSP_CERTSTATUS_UNKNOWN};
    if (revoked != NULL &&
        (size_t)json_integer_value(json_object_get(revoked, "issuer")) == issuer) {
        out->status = V_OCSP_CERTSTATUS_REVOKED;
        revoked_of(revoked, &out->revoked);
    } else if (issued != NULL ? (size_t)json_integer_value(issued) == issuer
                              : is_signer(ledger->authority, issuer, serial))
        out->status = V_OCSP_CERTSTATUS_GOOD;
}

/* --- revoking ----------------------------------------------------------------------------------- */

static bool is_url(const char *text)
{
    return (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0) &&
           text[strcspn(text, " \t\r\n\"<>")] == '\0';
}

int ledger_announce(struct ledger *ledger, size_t issuer, const struct revoked *how,
                    const char *explanation, struct error *e)
{
    struct revoked before;
    json_t *line;
    char *text;
    int status;

    if (explanation != NULL && !is_url(explanation))
        return failed(e, "explanation: '%.100s' is no URL; expected http:// or https://",
                      explanation);
    if (ledger_find_serial(ledger, how->serial, &before) && before.at <= how->at)
        return 0;
    line = json_pack("{s:s, s:I, s:I, s:i, s:I, s:s*}", "serial", how->serial, "issuer",
                     (json_int_t)issuer, "at", (json_int_t)how->at, "reason", how->reason, "told",
                     (json_int_t)how->told, "explanation", explanation);
    text = json_dumps(line, JSON_COMPACT);
    status = text == NULL
                 ? failed(e, "out of memory")
                 : file_append(ledger->authority->directory, "revoked.jsonl", 0600, text, e);
    free(text);
    /* what could not be written down is not revoked */
    if (status == 0)
        return keep_line(ledger, line) < 0 ? failed(e, "out of memory") : 0;
    json_decref(line);
    return failed_in(e, ledger->authority->path);
}

int ledger_revoke(struct ledger *ledger, X509 *certificate, int64_t at, int reason, struct error *e)
{
    const struct signer *signer = authority_signer_of(ledger->authority, certificate, e);
    struct revoked how = {.at = at, .told = at, .reason = reason};

    if (signer == NULL)
        return -1;
    certificate_serial(certificate, how.serial);
    return ledger_announce(ledger, authority_number(ledger->authority, signer), &how, NULL, e);
}

/* Serial numbers that no authority of ours gives: theirs do not begin with 01. */
static void make_up(struct revoked *revoked, size_t count, int64_t at)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(revoked[i].serial, sizeof revoked[i].serial, "01%014zx", i);
        revoked[i].at = at;
        revoked[i].reason = -1;
    }
}

/* Later CRLs have higher numbers, and different ones different numbers, also on a calendar that stands still: RFC 5280
 * section 5.2.3.  What was revoked once stays so. */
static long number_of(struct validity validity, size_t count)
{
    return (long)validity.from * 1000000 + (long)(count % 1000000);
}

X509_CRL *ledger_crl(const struct ledger *ledger, size_t i, int64_t now, struct validity validity,
                     size_t more, struct error *e)
{
    const struct signer *issuer = authority_signer(ledger->authority, i, e);
    size_t all = json_object_size(ledger->revoked), count = 0;
    const char *serial;
    struct revoked *revoked = calloc(all + more + 1, sizeof *revoked);
    X509_CRL *crl = NULL;
    json_t *line;

    if (issuer != NULL && revoked == NULL)
        failed(e, "out of memory");
    else if (issuer != NULL) {
        json_object_foreach (ledger->revoked, serial, line) {
            if ((size_t)json_integer_value(json_object_get(line, "issuer")) == i &&
                moment_in(line) <= now)
                revoked_of(line, &revoked[count++]);
        }
        make_up(revoked + count, more, validity.from);
        crl = crl_make(issuer, revoked, count + more, validity, number_of(validity, count), e);
    }
    free(revoked);
    return crl;
}
