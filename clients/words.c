#include "clients/words.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "testbed/wire/nearest.h"

#define WORD_MAX  128
#define WORDS_MAX 64

static const char *const staples[] = {
    [STAPLE_IGNORE] = "ignore", [STAPLE_CHECK] = "check", [STAPLE_REQUIRE] = "require"};
static const char *const versions[] = {
    [TLS_1_0] = "1.0", [TLS_1_1] = "1.1", [TLS_1_2] = "1.2", [TLS_1_3] = "1.3"};

static int place_of(const char *word, const char *const *words, int count)
{
    for (int i = 1; word != NULL && i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return word == NULL ? 0 : -1;
}

int staple_wish(const char *word, struct error *e)
{
    int place = place_of(word, staples, STAPLE_REQUIRE + 1);

    return place >= 0
               ? place
               : failed(e, "staple: '%s' is unknown; expected ignore, check or require", word);
}

int tls_version(const char *word, struct error *e)
{
    int place = place_of(word, versions, TLS_VERSIONS);

    return place >= 0 ? place : failed(e, "'%s' is unknown; expected 1.0, 1.1, 1.2 or 1.3", word);
}

int settings_words(const struct settings *settings, struct error *e)
{
    int min = tls_version(settings->min_version, e);
    int max = min < 0 ? -1 : tls_version(settings->max_version, e);

    if (min < 0)
        return failed_in(e, "min version");
    if (max < 0)
        return failed_in(e, "max version");
    if (min != TLS_AS_LIBRARY && max != TLS_AS_LIBRARY && min > max)
        return failed(e, "min version: %s is newer than the max version, %s", settings->min_version,
                      settings->max_version);
    return staple_wish(settings->staple, e) < 0 ? -1 : 0;
}

const char *word_ours(const struct word *words, const char *theirs)
{
    for (; words->ours != NULL; words++)
        if (words->theirs != NULL && strcasecmp(words->theirs, theirs) == 0)
            return words->ours;
    return theirs;
}

const char *list_next(const char *list, char between, char *item, size_t size)
{
    const char *end;

    if (*list == '\0')
        return NULL;
    end = strchrnul(list, between);
    snprintf(item, size, "%.*s", (int)(end - list), list);
    return *end == '\0' ? end : end + 1;
}

static const struct word *word_named(const struct word *words, const char *ours)
{
    for (; words->ours != NULL; words++)
        if (strcasecmp(words->ours, ours) == 0)
            return words;
    return NULL;
}

static int unknown(const struct word *words, const char *what, const char *given, struct error *e)
{
    const char *names[WORDS_MAX];
    size_t count = 0;
    const char *near;

    for (; words->ours != NULL && count < WORDS_MAX; words++)
        names[count++] = words->ours;
    near = nearest(given, names, count);
    if (near == NULL)
        return failed(e, "%s: '%s' is unknown; expected words such as %s", what, given, names[0]);
    return failed(e, "%s: '%s' is unknown; did you mean %s?", what, given, near);
}

int words_join(const struct word *words, const char *what, const char *list, const char *before,
               char *out, size_t size, struct error *e)
{
    char item[WORD_MAX];
    size_t used = 0;

    if (*list == '\0')
        return failed(e, "%s: is empty", what);
    while ((list = list_next(list, ':', item, sizeof item)) != NULL) {
        const struct word *word = word_named(words, item);

        if (word == NULL)
            return unknown(words, what, item, e);
        if (word->theirs == NULL)
            return failed(e, "%s: this library does not have %s", what, item);
        used += (size_t)snprintf(out + used, size - used, "%s%s", before, word->theirs);
        if (used >= size)
            return failed(e, "%s: the list is too long", what);
    }
    return 0;
}

int alpn_bytes(const char *list, unsigned char *out, size_t size, struct error *e)
{
    char item[WORD_MAX * 2];
    size_t used = 0;

    while ((list = list_next(list, ',', item, sizeof item)) != NULL) {
        size_t length = strlen(item);

        if (length == 0 || used + 1 + length > size)
            return failed(e, "alpn: expected names with commas between, such as h2,http/1.1");
        out[used] = (unsigned char)length;
        for (size_t i = 0; i < length; i++)
            out[used + 1 + i] = (unsigned char)item[i];
        used += 1 + length;
    }
    return used > 0 ? (int)used : failed(e, "alpn: is empty");
}

bool name_is_address(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}
