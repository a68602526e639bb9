/* Profiles: which there are, and what an authority that serves was told of them. */
#include "fakeca/profile.h"

#include "tests/fakeca/fixture.h"

#define DAY INT64_C(86400)

static int64_t lasts(const struct profiles *profiles, const char *name)
{
    const struct profile *profile = profile_find(profiles, name);

    return profile == NULL ? 0 : profile->lifetime;
}

static void who_names_none_has_the_first(void **state)
{
    struct profiles profiles;
    struct error e;

    (void)state;
    profiles_usual(&profiles);
    assert_string_equal(profile_find(&profiles, NULL)->name, "classic");
    MUST(profile_withdraw(&profiles, "classic", &e));
    assert_string_equal(profile_find(&profiles, NULL)->name, "tlsserver");
    assert_null(profile_find(&profiles, "classic"));
    MUST(profile_set(&profiles, "classic", 45 * DAY, &e));
    assert_string_equal(profile_find(&profiles, NULL)->name, "classic");
}

static void another_is_like_classic(void **state)
{
    struct profiles profiles;
    struct error e;

    (void)state;
    profiles_usual(&profiles);
    MUST(profile_set(&profiles, "brief", 3600, &e));
    assert_int_equal(profile_find(&profiles, "brief")->lifetime, 3600);
    assert_int_equal(profile_find(&profiles, "brief")->names_most,
                     profile_find(&profiles, "classic")->names_most);
}

static void what_cannot_be_is_refused(void **state)
{
    struct profiles profiles;
    struct error e;
    char name[PROFILE_NAME];
    int64_t lifetime;

    (void)state;
    profiles_usual(&profiles);
    assert_int_equal(profile_parse("brief", name, &lifetime, &e), -1);
    assert_int_equal(profile_parse("=6h", name, &lifetime, &e), -1);
    assert_int_equal(profile_parse("brief=soon", name, &lifetime, &e), -1);
    assert_int_equal(profile_set(&profiles, "Brief", 3600, &e), -1);
    assert_int_equal(profile_set(&profiles, "", 3600, &e), -1);
    assert_int_equal(profile_set(&profiles, "a-name-of-more-than-thirty-one-letters", 3600, &e),
                     -1);
    assert_int_equal(profile_set(&profiles, "brief", 0, &e), -1);
    assert_int_equal(profile_withdraw(&profiles, "brief", &e), -1);
    MUST(profile_withdraw(&profiles, "classic", &e));
    MUST(profile_withdraw(&profiles, "tlsserver", &e));
    assert_int_equal(profile_withdraw(&profiles, "shortlived", &e), -1);
    assert_string_equal(e.text, "shortlived: is the last profile, and one must be there");
    for (int i = 0; profiles.count < PROFILES_MOST; i++) {
        snprintf(name, sizeof name, "number-%d", i);
        MUST(profile_set(&profiles, name, 3600, &e));
    }
    assert_int_equal(profile_set(&profiles, "brief", 3600, &e), -1);
}

static void set_and_keep(struct store *store, struct profiles *profiles, const char *name,
                         int64_t seconds)
{
    struct error e;

    MUST(profile_set(profiles, name, seconds, &e));
    MUST(profile_keep(store, profiles, name, &e));
}

static void withdraw_and_keep(struct store *store, struct profiles *profiles, const char *name)
{
    struct error e;

    MUST(profile_withdraw(profiles, name, &e));
    MUST(profile_keep(store, profiles, name, &e));
}

/* The three usual ones are written down before the fourth, and withdrawn after it was made. */
static void what_was_kept_is_done_again(void **state)
{
    static const char *const usual[] = {"classic", "tlsserver", "shortlived"};
    struct fixture *fixture = *state;
    struct profiles profiles, again;
    struct error e;
    struct store *store = store_open(fixture->state, &e);

    assert_non_null(store);
    profiles_usual(&profiles);
    for (int i = 0; i < 3; i++)
        set_and_keep(store, &profiles, usual[i], (i + 1) * DAY);
    set_and_keep(store, &profiles, "brief", 3600);
    for (int i = 0; i < 3; i++)
        withdraw_and_keep(store, &profiles, usual[i]);
    profiles_usual(&again);
    MUST(profile_give(&again, "tlsserver", 7 * DAY, &e));
    profiles_restore(store, &again);
    store_close(store);
    assert_int_equal(lasts(&again, "brief"), 3600);
    assert_int_equal(lasts(&again, "tlsserver"), 7 * DAY);
    assert_null(profile_find(&again, "classic"));
    assert_null(profile_find(&again, "shortlived"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_names_none_has_the_first),
        cmocka_unit_test(another_is_like_classic),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test_setup_teardown(what_was_kept_is_done_again, fixture_open, fixture_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
