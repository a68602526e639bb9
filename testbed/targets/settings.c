#include "testbed/targets/settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "testbed/wire/address.h"
#include "testbed/wire/file.h"
#include "testbed/wire/moment.h"
#include "testbed/wire/nearest.h"

#define DEFAULT_TIMEOUT (10 * NANOSECONDS)
#define CAREFUL_VERSION 0x0303 /* TLS 1.2; RFC 8996 deprecates what is older */
#define FIELDS_MAX      32

/* One key of a JSON object: how its value gets into the struct at `offset`. */
struct field {
    const char *key;
    int (*take)(const json_t *value, void *into, struct error *e);
    size_t offset;
    bool required;
};

static int unknown_key(const struct field *fields, const char *key, struct error *e)
{
    const char *keys[FIELDS_MAX];
    size_t count = 0;
    const char *near;

    for (; fields->key != NULL; fields++)
        keys[count++] = fields->key;
    near = nearest(key, keys, count);
    if (near == NULL)
        return failed(e, "unknown key \"%.60s\"", key);
    return failed(e, "unknown key \"%.60s\"; did you mean \"%s\"?", key, near);
}

static const struct field *field_named(const struct field *fields, const char *key)
{
    for (; fields->key != NULL; fields++)
        if (strcmp(fields->key, key) == 0)
            return fields;
    return NULL;
}

static bool is_absent(const json_t *value)
{
    return value == NULL || json_is_null(value);
}

static int take_fields(const struct field *fields, const json_t *object, void *into,
                       struct error *e)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return failed(e, "expected an object, {\"%s\": ...}", fields->key);
    json_object_foreach ((json_t *)object, key, value) {
        const struct field *field = field_named(fields, key);

        if (field == NULL)
            return unknown_key(fields, key, e);
        if (is_absent(value))
            continue;
        if (field->take(value, (char *)into + field->offset, e) < 0)
            return failed_in(e, key);
    }
    for (; fields->key != NULL; fields++)
        if (fields->required && is_absent(json_object_get(object, fields->key)))
            return failed(e, "\"%s\" is missing", fields->key);
    return 0;
}

static int take_text(const json_t *value, void *into, struct error *e)
{
    if (!json_is_string(value) || json_string_length(value) == 0)
        return failed(e, "expected a string that is not empty");
    *(const char **)into = json_string_value(value);
    return 0;
}

static int take_flag(const json_t *value, void *into, struct error *e)
{
    if (!json_is_boolean(value))
        return failed(e, "expected true or false");
    *(bool *)into = json_is_true(value);
    return 0;
}

static int take_duration(const json_t *value, void *into, struct error *e)
{
    if (!json_is_string(value))
        return failed(e, "expected a duration, such as \"10s\"");
    if (duration_parse(json_string_value(value), into, e) < 0)
        return -1;
    if (*(int64_t *)into <= 0)
        return failed(e, "expected a duration longer than nothing");
    return 0;
}

/* A word out of a list of words; its index is the value. */
static int take_word(const json_t *value, const char *const *words, size_t count,
                     const char *expected, struct error *e)
{
    for (size_t i = 0; json_is_string(value) && i < count; i++)
        if (strcmp(json_string_value(value), words[i]) == 0)
            return (int)i;
    return failed(e, "expected %s", expected);
}

static int take_version(const json_t *value, void *into, struct error *e)
{
    static const char *const words[] = {"1.0", "1.1", "1.2", "1.3"};
    int index = take_word(value, words, 4, "\"1.0\", \"1.1\", \"1.2\" or \"1.3\"", e);

    if (index < 0)
        return -1;
    *(int *)into = 0x0301 + index;
    return 0;
}

static int take_auth(const json_t *value, void *into, struct error *e)
{
    static const char *const words[] = {
        [AUTH_NONE] = "none", [AUTH_OPTIONAL] = "optional", [AUTH_REQUIRE] = "require"};
    int index = take_word(value, words, 3, "\"none\", \"optional\" or \"require\"", e);

    if (index < 0)
        return -1;
    *(enum client_auth *)into = (enum client_auth)index;
    return 0;
}

static int take_alpn(const json_t *value, void *into, struct error *e)
{
    struct alpn *alpn = into;
    size_t i;
    json_t *name;

    if (!json_is_array(value))
        return failed(e, "expected an array of names, [\"h2\", \"http/1.1\"]");
    json_array_foreach (value, i, name) {
        size_t length = json_string_length(name); /* 0 where it is no string */

        if (length == 0 || length > 255)
            return failed(e, "a protocol name is a string of 1 to 255 bytes, such as \"h2\"");
        if (alpn->length + 1 + length > sizeof alpn->wire)
            return failed(e, "more than %zu bytes of names", sizeof alpn->wire);
        alpn->wire[alpn->length++] = (unsigned char)length;
        memcpy(alpn->wire + alpn->length, json_string_value(name), length);
        alpn->length += length;
    }
    return 0;
}

static int take_address(const json_t *value, void *into, struct error *e)
{
    struct address address;

    if (take_text(value, into, e) < 0)
        return -1;
    return address_parse(json_string_value(value), &address, e);
}

static int take_hosts(const json_t *value, void *into, struct error *e);

/* clang-format off */
static const struct field host_fields[] = {
    {"name",   take_text, offsetof(struct host, name),   true},
    {"chain",  take_text, offsetof(struct host, chain),  true},
    {"key",    take_text, offsetof(struct host, key),    true},
    {"staple", take_text, offsetof(struct host, staple), false},
    {0},
};

static const struct field fields[] = {
    {"listen",       take_address,  offsetof(struct settings, listen),       true},
    {"hosts",        take_hosts,    0,                                       true},
    {"log",          take_text,     offsetof(struct settings, log),          false},
    {"min_version",  take_version,  offsetof(struct settings, min_version),  false},
    {"max_version",  take_version,  offsetof(struct settings, max_version),  false},
    {"ciphers",      take_text,     offsetof(struct settings, ciphers),      false},
    {"ciphersuites", take_text,     offsetof(struct settings, ciphersuites), false},
    {"groups",       take_text,     offsetof(struct settings, groups),       false},
    {"alpn",         take_alpn,     offsetof(struct settings, alpn),         false},
    {"client_ca",    take_text,     offsetof(struct settings, client_ca),    false},
    {"client_crl",   take_text,     offsetof(struct settings, client_crl),   false},
    {"client_auth",  take_auth,     offsetof(struct settings, client_auth),  false},
    {"exact",        take_flag,     offsetof(struct settings, exact),        false},
    {"timeout",      take_duration, offsetof(struct settings, timeout),      false},
    {0},
};
/* clang-format on */

static int take_hosts(const json_t *value, void *into, struct error *e)
{
    struct settings *settings = into;
    size_t i;
    json_t *each;

    if (!json_is_array(value) || json_array_size(value) == 0)
        return failed(e, "expected an array of at least one host");
    if (json_array_size(value) > HOSTS_MAX)
        return failed(e, "more than %d hosts", HOSTS_MAX);
    json_array_foreach (value, i, each) {
        char where[32];

        snprintf(where, sizeof where, "host %zu", i + 1);
        if (take_fields(host_fields, each, &settings->hosts[i], e) < 0)
            return failed_in(e, where);
        for (size_t j = 0; j < i; j++)
            if (strcasecmp(settings->hosts[j].name, settings->hosts[i].name) == 0)
                return failed(e, "%s: \"%s\" is there twice", where, settings->hosts[i].name);
    }
    settings->host_count = json_array_size(value);
    return 0;
}

static void fill_in(struct settings *settings)
{
    if (settings->min_version != 0)
        return;
    settings->min_version = CAREFUL_VERSION;
    if (settings->max_version != 0 && settings->max_version < CAREFUL_VERSION)
        settings->min_version = settings->max_version;
}

/* What no single field can know. */
static int agree(const struct settings *settings, struct error *e)
{
    if (settings->max_version != 0 && settings->min_version > settings->max_version)
        return failed(e, "min_version is above max_version");
    if (settings->client_auth != AUTH_NONE && settings->client_ca == NULL)
        return failed(e, "client_auth needs a client_ca to judge by");
    if (settings->client_crl != NULL && settings->client_ca == NULL)
        return failed(e, "client_crl needs a client_ca");
    return 0;
}

static int read_into(const char *path, struct settings *settings, struct error *e)
{
    json_error_t trouble;
    size_t length;
    unsigned char *text = file_whole(path, &length, e);

    if (text == NULL)
        return -1;
    settings->json = json_loadb((char *)text, length, JSON_REJECT_DUPLICATES, &trouble);
    free(text);
    if (settings->json == NULL)
        return failed(e, "%s:%d: %s", path, trouble.line, trouble.text);
    if (take_fields(fields, settings->json, settings, e) < 0)
        return failed_in(e, path);
    fill_in(settings);
    if (agree(settings, e) < 0)
        return failed_in(e, path);
    return 0;
}

struct settings *settings_read(const char *path, struct error *e)
{
    struct settings *settings = calloc(1, sizeof *settings);

    if (settings == NULL)
        return failed(e, "%s: out of memory", path), NULL;
    settings->timeout = DEFAULT_TIMEOUT;
    if (read_into(path, settings, e) == 0)
        return settings;
    settings_free(settings);
    return NULL;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    json_decref(settings->json);
    free(settings);
}
