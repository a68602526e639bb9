#include "clients/answer.h"

#include <ctype.h>
#include <string.h>

#include "testbed/wire/moment.h"

/* --- for programs ----------------------------------------------------------------------------- */

/* A library's words may hold bytes of a certificate, and need not be UTF-8. */
static json_t *text_or_null(const char *text)
{
    json_t *json;

    if (text == NULL || text[0] == '\0')
        return json_null();
    json = json_string(text);
    return json != NULL ? json : json_string("(not UTF-8)");
}

static json_t *chain_json(const struct verdict *verdict)
{
    json_t *chain = json_array();

    for (size_t i = 0; i < verdict->chain_count; i++)
        json_array_append_new(chain, json_string(verdict->chain[i]));
    return chain;
}

static json_t *milliseconds(double seconds)
{
    return seconds < 0 ? json_null() : json_real(seconds * 1e3);
}

/* What was heard, byte for byte where it is UTF-8, and with '?' for the rest where not. */
static json_t *heard_json(const struct result *result)
{
    char text[HEARD_MAX + 1];
    json_t *json;

    if (result->heard == NULL)
        return json_null();
    json = json_stringn(result->heard, result->heard_length);
    if (json != NULL)
        return json;
    for (size_t i = 0; i < result->heard_length; i++)
        text[i] = isascii((unsigned char)result->heard[i]) ? result->heard[i] : '?';
    return json_stringn(text, result->heard_length);
}

json_t *answer_json(const struct result *result)
{
    const struct verdict *v = &result->verdict;

    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:s, s:o, s:o, s:I, s:f, s:f, "
        "s:{s:o, s:o, s:o}, s:o}",
        "outcome", outcome_word(v->outcome), "depth",
        v->depth == DEPTH_UNKNOWN ? json_null() : json_integer(v->depth), "code",
        text_or_null(v->code), "words", text_or_null(v->words), "alert_sent",
        text_or_null(alert_word(v->alert_sent)), "alert_received",
        text_or_null(alert_word(v->alert_received)), "version", text_or_null(v->version), "cipher",
        text_or_null(v->cipher), "group", text_or_null(v->group), "alpn", text_or_null(v->alpn),
        "resumed", v->resumed, "staple", v->staple, "chain", chain_json(v), "until",
        v->until == UNTIL_UNKNOWN ? json_null() : json_integer(v->until), "now",
        (json_int_t)result->now, "began", result->began, "ended", result->ended, "times_ms",
        "connect", milliseconds(result->connect_seconds), "handshake",
        milliseconds(result->handshake_seconds), "total",
        milliseconds(result->ended - result->began), "heard", heard_json(result));
}

/* --- for people ------------------------------------------------------------------------------- */

static void line(FILE *out, const char *label, const char *text)
{
    if (text != NULL && text[0] != '\0')
        fprintf(out, "  %-14s %s\n", label, text);
}

static void print_blame(const struct verdict *v, FILE *out)
{
    static const char *const whose[] = {"the server's own", "its issuer", "its issuer's issuer"};

    if (v->depth == DEPTH_UNKNOWN)
        return;
    fprintf(out, "  %-14s depth %d", "certificate", v->depth);
    if (v->depth < 3)
        fprintf(out, ", %s", whose[v->depth]);
    if ((size_t)v->depth < v->chain_count)
        fprintf(out, ", serial %s", v->chain[v->depth]);
    fputc('\n', out);
}

static void print_agreed(const struct verdict *v, FILE *out)
{
    if (v->version[0] == '\0')
        return;
    fprintf(out, "  %-14s %s, %s", "agreed on", v->version, v->cipher);
    if (v->group[0] != '\0')
        fprintf(out, ", %s", v->group);
    if (v->alpn[0] != '\0')
        fprintf(out, ", %s", v->alpn);
    fprintf(out, "%s\n", v->resumed ? ", resumed" : "");
}

static void print_chain(const struct verdict *v, FILE *out)
{
    for (size_t i = 0; i < v->chain_count; i++)
        fprintf(out, "  %-14s %zu: serial %s\n", i == 0 ? "chain" : "", i, v->chain[i]);
}

static void print_times(const struct result *r, FILE *out)
{
    char when[MOMENT_TEXT];

    moment_format(r->now, when);
    line(out, "judged at", when);
    fprintf(out, "  %-14s %.1f ms", "took", (r->ended - r->began) * 1e3);
    if (r->connect_seconds >= 0)
        fprintf(out, ", %.1f of it to connect", r->connect_seconds * 1e3);
    fputc('\n', out);
}

/* The reply, so that it cannot play tricks with the terminal. */
static void print_heard(const struct result *r, FILE *out)
{
    if (r->heard_length == 0)
        return;
    fputc('\n', out);
    for (size_t i = 0; i < r->heard_length; i++) {
        unsigned char byte = (unsigned char)r->heard[i];

        if (byte != '\r')
            fputc(isprint(byte) || byte == '\n' || byte == '\t' ? byte : '.', out);
    }
    if (r->heard[r->heard_length - 1] != '\n')
        fputc('\n', out);
}

void answer_print(const struct plan *plan, const struct result *result, FILE *out)
{
    const struct verdict *v = &result->verdict;
    char label[32];

    fprintf(out, "%s: %s\n", outcome_word(v->outcome), outcome_gloss(v->outcome));
    snprintf(label, sizeof label, "%s says", result->by_tcp ? "tcp" : plan->driver->library);
    line(out, label, v->words);
    line(out, "", v->code);
    print_blame(v, out);
    line(out, "alert sent", alert_word(v->alert_sent));
    line(out, "alert received", alert_word(v->alert_received));
    fprintf(out, "  %-14s %s as %s\n", "server", plan->settings.connect, plan->name);
    print_agreed(v, out);
    line(out, "staple", v->staple);
    print_chain(v, out);
    print_times(result, out);
    print_heard(result, out);
}

/* --- the table --------------------------------------------------------------------------------- */

void outcomes_print(enum outcome_style style, FILE *out)
{
    static const char *const rows[] = {
        [OUTCOMES_PLAIN] = "%-30s %s\n",
        [OUTCOMES_JSON] = "  {\"outcome\": \"%s\", \"gloss\": \"%s\"}",
        [OUTCOMES_MARKDOWN] = "| `%s` | %s |\n",
    };

    if (style == OUTCOMES_JSON)
        fputs("[\n", out);
    if (style == OUTCOMES_MARKDOWN)
        fputs("| outcome | what happened |\n|---|---|\n", out);
    for (enum outcome i = 0; i < OUTCOME_COUNT; i++) {
        fprintf(out, rows[style], outcome_word(i), outcome_gloss(i));
        if (style == OUTCOMES_JSON)
            fputs(i + 1 < OUTCOME_COUNT ? ",\n" : "\n]\n", out);
    }
}
