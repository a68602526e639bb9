/* fixture.h -- an authority with two intermediates and a bundle, in a directory of its own. */
#ifndef TESTS_FAKECA_FIXTURE_H
#define TESTS_FAKECA_FIXTURE_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakeca/authority.h"
#include "fakeca/chain.h"

#define NOON INT64_C(1936000000) /* 2031-05-08; no real clock has any part in this */
#define DAY  INT64_C(86400)

struct fixture {
    char directory[64];
    char state[96];  /* of the authority, which is open */
    char bundle[96]; /* a place for one; nothing is there yet */
    struct authority authority;
    struct chain *chain; /* fresh, for shop.test and 127.0.0.1 */
};

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s", e.text);                                                                \
    } while (0)

static inline struct authority_plan usual_authority(void)
{
    struct error e;

    return (struct authority_plan){
        .kind = key_kind_named("p256", &e),
        .intermediates = 2,
        .at = NOON,
        .root_until = NOON + 3650 * DAY,
        .intermediate_until = NOON + 1825 * DAY,
        .path_length = -1,
    };
}

static inline struct leaf_plan usual_leaf(void)
{
    static const char *const names[] = {"shop.test", "127.0.0.1"};
    static const char *const purposes[] = {"serverAuth"};
    struct error e;

    return (struct leaf_plan){
        .names = {names,    2},
        .kind = key_kind_named("p256", &e),
        .at = NOON,
        .not_before = NOON - 3600,
        .not_after = NOON + 90 * DAY,
        .purposes = {purposes, 1},
    };
}

static inline int fixture_open(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct authority_plan plan = usual_authority();
    struct leaf_plan leaf = usual_leaf();
    struct error e;

    strcpy(fixture->directory, "/tmp/rehearse-test-XXXXXX");
    if (mkdtemp(fixture->directory) == NULL)
        return -1;
    snprintf(fixture->state, sizeof fixture->state, "%s/ca", fixture->directory);
    snprintf(fixture->bundle, sizeof fixture->bundle, "%s/shop", fixture->directory);
    if (authority_create(fixture->state, &plan, &e) < 0 ||
        authority_open(fixture->state, &fixture->authority, &e) < 0 ||
        (fixture->chain = authority_issue(&fixture->authority, &leaf, &e)) == NULL) {
        print_error("%s\n", e.text);
        return -1;
    }
    *state = fixture;
    return 0;
}

static inline int fixture_remove(const char *path, const struct stat *about, int flag,
                                 struct FTW *ftw)
{
    (void)about;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline int fixture_close(void **state)
{
    struct fixture *fixture = *state;

    chain_free(fixture->chain);
    authority_close(&fixture->authority);
    nftw(fixture->directory, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

/* A second one, for tests about strangers; to be closed by the test. */
static inline struct fixture *another_fixture(void)
{
    void *state = NULL;

    if (fixture_open(&state) < 0 || state == NULL)
        abort();
    return state;
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

/* To be freed with OPENSSL_free. */
static inline struct key_der encoded(const EVP_PKEY *key)
{
    unsigned char *octets = NULL;
    int length = i2d_PUBKEY(key, &octets);

    assert_true(length > 0);
    return (struct key_der){octets, (size_t)length};
}

#endif
