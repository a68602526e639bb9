#include "fakeca/caa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CRITICAL 128
#define SPACE    " \t"
#define LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

struct caa_check {
    struct ev_loop *loop;
    const struct resolver *resolver;
    struct caa_question question;
    const char *at; /* the name that is asked about now: an end of question.name */
    void (*done)(void *context, enum caa_verdict verdict, const char *detail);
    void *context;
    struct lookup *lookup;
};

/* --- what records say --------------------------------------------------------------------------- */

struct property {
    unsigned long flags;
    char tag[16];
    const char *value;
};

static struct property property_of(const char *text)
{
    char *end;
    struct property property = {.flags = strtoul(text, &end, 10)};

    end += *end == ' ';
    snprintf(property.tag, sizeof property.tag, "%.*s", (int)strcspn(end, " "), end);
    end += strcspn(end, " ");
    property.value = end + (*end == ' ');
    return property;
}

static bool is_known(const char *tag)
{
    static const char *const known[] = {"issue", "issuewild", "iodef", "issuemail", "issuevmc"};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcasecmp(known[i], tag) == 0)
            return true;
    return false;
}

static bool is_word(const char *word, const char *text, size_t length)
{
    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

static bool is_among(const char *word, const char *words, size_t length)
{
    for (size_t at = 0, size; at < length; at += size + 1) {
        size = strcspn(words + at, ",;" SPACE);
        if (is_word(word, words + at, size))
            return true;
    }
    return false;
}

/* One parameter, of RFC 8657 or another; what is not known does not restrict. */
static bool parameter_fits(const char *tag, size_t tag_length, const char *value, size_t length,
                           const struct caa_question *question)
{
    char ours[64];
    size_t size =
        (size_t)snprintf(ours, sizeof ours, "/acme/account/%lld", (long long)question->account);

    /* the host is not compared: after a restart on another port an account is the same */
    if (is_word("accounturi", tag, tag_length))
        return length >= size && memcmp(value + length - size, ours, size) == 0;
    if (is_word("validationmethods", tag, tag_length))
        return is_among(question->method, value, length);
    return true;
}

/* Whether each of them is one, "tag=value", and fits. */
static bool parameters_fit(const char *at, const struct caa_question *question)
{
    for (;; at++) {
        const char *tag = at + strspn(at, SPACE);
        size_t tag_length = strspn(tag, LETTERS "0123456789-"), length;
        const char *value = tag + tag_length + strspn(tag + tag_length, SPACE);

        if (tag_length == 0 || *value != '=')
            return false;
        value += 1 + strspn(value + 1, SPACE);
        length = strcspn(value, ";" SPACE);
        if (!parameter_fits(tag, tag_length, value, length, question))
            return false;
        at = value + length + strspn(value + length, SPACE);
        if (*at != ';')
            return *at == '\0';
    }
}

/* "ca.test; accounturi=...": whether that is us, and fits.  What is malformed is nobody: RFC 8659 section 4.2. */
static bool names_us(const char *value, const struct caa_question *question)
{
    const char *at = value + strspn(value, SPACE);
    size_t length = strcspn(at, ";" SPACE);

    if (!is_word(CAA_IDENTITY, at, length))
        return false;
    at += length + strspn(at + length, SPACE);
    if (*at != ';')
        return *at == '\0';
    at++;
    return at[strspn(at, SPACE)] == '\0' || parameters_fit(at, question);
}

static bool has_tag(const struct found *found, const char *tag)
{
    for (size_t i = 0; i < found->count; i++)
        if (strcasecmp(property_of(found->texts[i]).tag, tag) == 0)
            return true;
    return false;
}

enum caa_verdict caa_judge(const struct found *found, const struct caa_question *question)
{
    const char *tag = question->wildcard && has_tag(found, "issuewild") ? "issuewild" : "issue";
    enum caa_verdict verdict = has_tag(found, tag) ? CAA_REFUSES : CAA_PERMITS;

    for (size_t i = 0; i < found->count; i++) {
        struct property property = property_of(found->texts[i]);

        if ((property.flags & CRITICAL) != 0 && !is_known(property.tag))
            return CAA_REFUSES;
        if (strcasecmp(property.tag, tag) == 0 && names_us(property.value, question))
            verdict = CAA_PERMITS;
    }
    return verdict;
}

/* --- asking ------------------------------------------------------------------------------------- */

void caa_cancel(struct caa_check *check)
{
    if (check == NULL)
        return;
    lookup_cancel(check->lookup);
    free(check);
}

static void finish(struct caa_check *check, enum caa_verdict verdict, const char *what,
                   const char *why)
{
    void (*done)(void *, enum caa_verdict, const char *) = check->done;
    void *context = check->context;
    char detail[512];

    snprintf(detail, sizeof detail, "%s%.255s%s%.128s", what, check->at, *why == '\0' ? "" : ": ",
             why);
    caa_cancel(check);
    done(context, verdict, detail);
}

static void on_found(void *context, const struct found *found);

static int ask(struct caa_check *check, struct error *e)
{
    check->lookup =
        lookup_start(check->loop, check->resolver, check->at, LOOKUP_CAA, on_found, check, e);
    return check->lookup == NULL ? -1 : 0;
}

static void on_found(void *context, const struct found *found)
{
    struct caa_check *check = context;
    const char *above = strchr(check->at, '.');
    bool any = found->count > 0;
    struct error e;

    check->lookup = NULL;
    if (found->failed)
        finish(check, CAA_SILENT, "looking up CAA of ", found->why);
    else if (any && caa_judge(found, &check->question) == CAA_REFUSES)
        finish(check, CAA_REFUSES, "CAA forbids " CAA_IDENTITY " to issue, at ", found->texts[0]);
    else if (any || above == NULL)
        finish(check, CAA_PERMITS, "", "");
    else {
        check->at = above + 1;
        if (ask(check, &e) < 0)
            finish(check, CAA_SILENT, "looking up CAA of ", e.text);
    }
}

struct caa_check *caa_start(struct ev_loop *loop, const struct resolver *resolver,
                            const struct caa_question *question,
                            void (*done)(void *context, enum caa_verdict verdict,
                                         const char *detail),
                            void *context, struct error *e)
{
    struct caa_check *check = calloc(1, sizeof *check);

    if (check == NULL)
        return failed(e, "out of memory"), NULL;
    *check = (struct caa_check){.loop = loop,
                                .resolver = resolver,
                                .question = *question,
                                .done = done,
                                .context = context};
    check->at = check->question.name;
    if (ask(check, e) == 0)
        return check;
    caa_cancel(check);
    return NULL;
}
