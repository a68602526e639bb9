#include "fakeca/profile.h"

#include <stdio.h>
#include <string.h>

#include "testbed/wire/moment.h"

#define HOUR INT64_C(3600)
#define DAY  INT64_C(86400)

/* Let's Encrypt's of 2026 */
static const struct profile usual[] = {
    {"classic",    90 * DAY,   false, 7 * DAY,  7 * DAY, 30 * DAY, 100, false, false},
    {"tlsserver",  45 * DAY,   true,  8 * HOUR, HOUR,    7 * HOUR, 25,  false, false},
    {"shortlived", 160 * HOUR, true,  8 * HOUR, HOUR,    7 * HOUR, 25,  false, false},
};
#define USUAL (sizeof usual / sizeof usual[0])

void profiles_usual(struct profiles *profiles)
{
    memcpy(profiles->all, usual, sizeof usual);
    profiles->count = USUAL;
}

static struct profile *of_name(struct profiles *profiles, const char *name)
{
    for (size_t i = 0; i < profiles->count; i++)
        if (strcmp(profiles->all[i].name, name) == 0)
            return &profiles->all[i];
    return NULL;
}

const struct profile *profile_find(const struct profiles *profiles, const char *name)
{
    for (size_t i = 0; i < profiles->count; i++)
        if (!profiles->all[i].withdrawn &&
            (name == NULL || strcmp(profiles->all[i].name, name) == 0))
            return &profiles->all[i];
    return NULL;
}

int profile_parse(const char *text, char name[PROFILE_NAME], int64_t *lifetime, struct error *e)
{
    size_t length = strcspn(text, "=");
    int64_t nanoseconds;

    if (length == 0 || length >= PROFILE_NAME || text[length] == '\0')
        return failed(e, "'%s' is no profile, expected one like brief=6h", text);
    if (duration_parse(text + length + 1, &nanoseconds, e) < 0)
        return failed_in(e, text);
    memcpy(name, text, length);
    name[length] = '\0';
    *lifetime = nanoseconds / NANOSECONDS;
    return 0;
}

static int add(struct profiles *profiles, const char *name, struct error *e)
{
    struct profile *profile = &profiles->all[profiles->count];
    size_t length = strlen(name);

    if (length == 0 || length >= PROFILE_NAME ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
        return failed(e,
                      "'%.100s' is no name of a profile; expected at most %d of lower-case "
                      "letters, digits and -",
                      name, PROFILE_NAME - 1);
    if (profiles->count == PROFILES_MOST)
        return failed(e, "%s: more than %d profiles are too many", name, PROFILES_MOST);
    *profile = usual[0];
    memcpy(profile->name, name, length + 1);
    profiles->count++;
    return 0;
}

int profile_set(struct profiles *profiles, const char *name, int64_t lifetime, struct error *e)
{
    struct profile *profile;

    if (lifetime < 1)
        return failed(e, "%s: expected a lifetime of a second or more", name);
    if (of_name(profiles, name) == NULL && add(profiles, name, e) < 0)
        return -1;
    profile = of_name(profiles, name);
    profile->lifetime = lifetime;
    profile->withdrawn = false;
    return 0;
}

int profile_give(struct profiles *profiles, const char *name, int64_t lifetime, struct error *e)
{
    if (profile_set(profiles, name, lifetime, e) < 0)
        return -1;
    of_name(profiles, name)->given = true;
    return 0;
}

static size_t left(const struct profiles *profiles)
{
    size_t count = 0;

    for (size_t i = 0; i < profiles->count; i++)
        count += !profiles->all[i].withdrawn;
    return count;
}

int profile_withdraw(struct profiles *profiles, const char *name, struct error *e)
{
    if (profile_find(profiles, name) == NULL)
        return failed(e, "there is no profile '%.100s'", name);
    if (left(profiles) == 1)
        return failed(e, "%s: is the last profile, and one must be there", name);
    of_name(profiles, name)->withdrawn = true;
    return 0;
}

/* --- over a restart ----------------------------------------------------------------------------- */

int profile_keep(struct store *store, const struct profiles *profiles, const char *name,
                 struct error *e)
{
    const struct profile *profile = profile_find(profiles, name);
    json_t *body = profile == NULL ? json_pack("{s:s}", "name", name)
                                   : json_pack("{s:s, s:I}", "name", name, "lifetime",
                                               (json_int_t)profile->lifetime);
    int status = store_set(store, "profile", name, body, e);

    json_decref(body);
    return status;
}

/* The name that was kept, unless the start says by itself what it is. */
static const char *kept_name(struct profiles *profiles, const json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "name"));
    const struct profile *profile = name == NULL ? NULL : of_name(profiles, name);

    return profile != NULL && profile->given ? NULL : name;
}

static void complain(int status, const struct error *e)
{
    if (status < 0)
        fprintf(stderr, "fakeca: was kept, and cannot be done again: %s\n", e->text);
}

static void set_again(void *context, int64_t number, json_t *body)
{
    struct profiles *profiles = context;
    const char *name = kept_name(profiles, body);
    json_t *lifetime = json_object_get(body, "lifetime");
    struct error e;

    (void)number;
    if (name != NULL && lifetime != NULL)
        complain(profile_set(profiles, name, json_integer_value(lifetime), &e), &e);
}

static void withdraw_again(void *context, int64_t number, json_t *body)
{
    struct profiles *profiles = context;
    const char *name = kept_name(profiles, body);
    struct error e;

    (void)number;
    if (name != NULL && json_object_get(body, "lifetime") == NULL &&
        profile_find(profiles, name) != NULL)
        complain(profile_withdraw(profiles, name, &e), &e);
}

/* The last is not withdrawn: all are set before any is. */
void profiles_restore(struct store *store, struct profiles *profiles)
{
    store_each(store, "profile", set_again, profiles);
    store_each(store, "profile", withdraw_again, profiles);
}
