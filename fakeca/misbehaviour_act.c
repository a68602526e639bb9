/* What faults do to answers. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "fakeca/json_text.h"
#include "fakeca/misbehaviour_parts.h"

/* --- where they are asked ----------------------------------------------------------------------- */

static void add_retry_after(const struct chosen *chosen, struct http_answer *answer)
{
    if (chosen->after == NULL && chosen->after_seconds == 0)
        return;
    http_answer_drop(answer, "Retry-After");
    if (chosen->after != NULL)
        http_answer_field(answer, "Retry-After", "%s", chosen->after);
    else
        http_answer_date(answer, "Retry-After", chosen->now + chosen->after_seconds);
}

void misbehave_replan(const struct chosen *chosen, struct leaf_plan *plan)
{
    if (chosen->fault != NULL && chosen->fault->replan != NULL)
        chosen->fault->replan(chosen, plan);
}

bool misbehave_instead(const struct chosen *chosen, struct http_answer *answer)
{
    const struct serve_fault *fault = chosen->fault;

    if (fault == NULL || fault->instead == NULL)
        return false;
    fault->instead(chosen, answer);
    answer->status = chosen->status;
    if (fault->field[0] != NULL)
        http_answer_field(answer, fault->field[0], "%s", fault->field[1]);
    add_retry_after(chosen, answer);
    return true;
}

char *misbehave_retell(const struct chosen *chosen, char *told)
{
    json_t *retold;

    if (chosen->fault == NULL || chosen->fault->retell == NULL || told == NULL)
        return told;
    retold = json_loads(told, 0, NULL);
    free(told);
    chosen->fault->retell(chosen, retold);
    told = json_text_of(retold);
    json_decref(retold);
    return told;
}

void misbehave_after(const struct chosen *chosen, struct http_answer *answer)
{
    const struct serve_fault *fault = chosen->fault;

    if (fault == NULL)
        return;
    answer->delivery = fault->delivery;
    answer->framing = fault->framing;
    if (fault->instead != NULL)
        return;
    if (fault->deform != NULL)
        fault->deform(chosen, answer);
    add_retry_after(chosen, answer);
}

/* --- answers of their own ----------------------------------------------------------------------- */

void answer_page(const struct chosen *chosen, struct http_answer *answer)
{
    const char *text = chosen->fault->argument;

    http_answer_copy(answer, "text/html", text, strlen(text));
}

void answer_as_json(const struct chosen *chosen, struct http_answer *answer)
{
    const char *text = chosen->fault->argument;

    http_answer_copy(answer, "application/json", text, strlen(text));
}

void answer_problem(const struct chosen *chosen, struct http_answer *answer)
{
    problem_answer_as(answer, chosen->fault->problem, chosen->status, chosen->fault->argument);
}

/* With the place where somebody is to agree: RFC 8555 section 7.3.3. */
void answer_new_terms(const struct chosen *chosen, struct http_answer *answer)
{
    json_t *document = problem_describe(chosen->fault->problem, chosen->fault->argument);

    json_object_set_new(document, "instance", json_string(NEW_TERMS));
    problem_answer_with(answer, document);
}

/* --- header fields ------------------------------------------------------------------------------ */

void drop_field(const struct chosen *chosen, struct http_answer *answer)
{
    http_answer_drop(answer, chosen->fault->argument);
}

/* Of the Link fields only those that lead to other chains. */
void drop_alternates(const struct chosen *chosen, struct http_answer *answer)
{
    char *line = answer->fields, *end = answer->fields + answer->fields_length;

    (void)chosen;
    while (line < end) {
        char *next = (char *)memchr(line, '\n', (size_t)(end - line)) + 1;
        bool alternate = strncasecmp(line, "Link:", 5) == 0 &&
                         memmem(line, (size_t)(next - line), "rel=\"alternate\"", 15) != NULL;

        if (alternate) {
            memmove(line, next, (size_t)(end - next));
            end -= next - line;
        } else
            line = next;
    }
    answer->fields_length = (size_t)(end - answer->fields);
}

void repeat_nonce(const struct chosen *chosen, struct http_answer *answer)
{
    http_answer_drop(answer, "Replay-Nonce");
    http_answer_field(answer, "Replay-Nonce", "%s", chosen->fault->argument);
}

void call_it_html(const struct chosen *chosen, struct http_answer *answer)
{
    (void)chosen;
    http_answer_drop(answer, "Content-Type");
    http_answer_field(answer, "Content-Type", "text/html");
}

/* --- bodies ------------------------------------------------------------------------------------- */

void empty_body(const struct chosen *chosen, struct http_answer *answer)
{
    (void)chosen;
    answer->length = 0;
}

/* Room for a longer body in place of the present one, which is freed; NULL without memory. */
static char *longer(const struct http_answer *answer, size_t length)
{
    char *body = malloc(length + 1);

    if (body != NULL && answer->length > 0)
        memcpy(body, answer->body, answer->length);
    return body;
}

static void replace(struct http_answer *answer, char *body, size_t length)
{
    free(answer->body);
    answer->body = body;
    answer->length = length;
}

void begin_with(const struct chosen *chosen, struct http_answer *answer)
{
    const char *octets = chosen->fault->argument;
    size_t extra = strlen(octets);
    char *body = longer(answer, answer->length + extra);

    if (body == NULL)
        return;
    memmove(body + extra, body, answer->length);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a body has a length */
    memcpy(body, octets, extra);
    replace(answer, body, answer->length + extra);
}

#define GZIP 16 /* added to the window's bits it asks zlib for gzip's framing */

/* Which who asked did not say it can read. */
void gzip_body(const struct chosen *chosen, struct http_answer *answer)
{
    z_stream stream = {.next_in = (unsigned char *)answer->body, .avail_in = (uInt)answer->length};
    size_t room;
    char *body;

    (void)chosen;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    room = deflateBound(&stream, answer->length);
    body = malloc(room);
    stream.next_out = (unsigned char *)body;
    stream.avail_out = (uInt)room;
    if (body != NULL && deflate(&stream, Z_FINISH) == Z_STREAM_END) {
        replace(answer, body, stream.total_out);
        http_answer_field(answer, "Content-Encoding", "gzip");
    } else
        free(body);
    deflateEnd(&stream);
}

/* LF becomes CR LF. */
void end_lines_twice(const struct chosen *chosen, struct http_answer *answer)
{
    char *body = malloc(2 * answer->length + 1);
    size_t length = 0;

    (void)chosen;
    for (size_t i = 0; body != NULL && i < answer->length; i++) {
        if (answer->body[i] == '\n')
            body[length++] = '\r';
        body[length++] = answer->body[i];
    }
    if (body != NULL)
        replace(answer, body, length);
}

#define LONG_CHAIN (100u * 1024)

/* The last certificate again and again. */
void lengthen_chain(const struct chosen *chosen, struct http_answer *answer)
{
    char *body = longer(answer, LONG_CHAIN + answer->length), *last = NULL;
    size_t length = answer->length, size;

    (void)chosen;
    if (body == NULL)
        return;
    body[length] = '\0';
    for (char *at = body; (at = strstr(at, "-----BEGIN")) != NULL; at++)
        last = at;
    size = last == NULL ? 0 : length - (size_t)(last - body);
    for (; size > 0 && length < LONG_CHAIN; length += size)
        memcpy(body + length, last, size);
    replace(answer, body, length);
}
