/* A bundle: a chain as a directory that appears, and is replaced, all at once. */
#include "tests/fakeca/fixture.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "fakeca/certificate.h"
#include "fakeca/files.h"

static unsigned mode_of(const char *directory, const char *name)
{
    char path[256];
    struct stat about;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(stat(path, &about), 0);
    return about.st_mode & 07777;
}

static void a_bundle_reads_back_as_it_was_written(void **state)
{
    const struct fixture *it = *state;
    struct chain *again;
    struct error e;

    MUST(chain_write(it->chain, it->bundle, &e));
    again = chain_read(it->bundle, &e);
    assert_non_null(again);
    assert_string_equal(again->name, "shop.test");
    assert_int_equal(again->at, NOON);
    assert_null(again->fault);
    assert_null(again->pem); /* nothing about the file is special */
    assert_int_equal(sk_X509_num(again->sent), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(X509_cmp(sk_X509_value(again->sent, i), sk_X509_value(it->chain->sent, i)),
                         0);
    assert_int_equal(EVP_PKEY_eq(again->key, it->chain->key), 1);
    chain_free(again);
}

static void servers_can_read_all_of_it_but_the_key(void **state)
{
    const struct fixture *it = *state;
    mode_t umask_before = umask(077);
    struct error e;

    MUST(chain_write(it->chain, it->bundle, &e));
    umask(umask_before);
    assert_int_equal(mode_of(it->bundle, "."), 0755);
    assert_int_equal(mode_of(it->bundle, "chain.pem"), 0644);
    assert_int_equal(mode_of(it->bundle, "trust.pem"), 0644);
    assert_int_equal(mode_of(it->bundle, "key.pem"), 0600);
}

static void a_description_says_what_is_in_it(void **state)
{
    const struct fixture *it = *state;
    json_t *description = chain_describe(it->chain);
    char serial[SERIAL_TEXT];

    certificate_serial(sk_X509_value(it->chain->sent, 0), serial);
    assert_string_equal(json_string_value(json_object_get(description, "name")), "shop.test");
    assert_string_equal(json_string_value(json_object_get(description, "serial")), serial);
    assert_int_equal(json_integer_value(json_object_get(description, "not_after")),
                     NOON + 90 * DAY);
    assert_int_equal(json_array_size(json_object_get(description, "chain")), 3);
    assert_true(json_is_null(json_object_get(description, "fault")));
    json_decref(description);
}

static void a_new_bundle_leaves_nothing_of_the_old_one(void **state)
{
    const struct fixture *it = *state;
    unsigned char staple[] = "an old staple";
    struct chain *again;
    struct error e;

    MUST(chain_write(it->chain, it->bundle, &e));
    MUST(bundle_put(it->bundle, "staple.der", (struct blob){staple, sizeof staple}, &e));
    again = chain_read(it->bundle, &e);
    assert_int_equal(again->staple.length, sizeof staple);
    chain_free(again);

    MUST(chain_write(it->chain, it->bundle, &e));
    again = chain_read(it->bundle, &e);
    assert_null(again->staple.bytes);
    chain_free(again);
}

static void a_link_to_a_bundle_stays_a_link(void **state)
{
    const struct fixture *it = *state;
    char link[96];
    struct stat about;
    struct error e;

    snprintf(link, sizeof link, "%.64s/live", it->directory);
    assert_int_equal(symlink(it->bundle, link), 0);
    MUST(chain_write(it->chain, it->bundle, &e));
    MUST(chain_write(it->chain, link, &e));
    assert_int_equal(lstat(link, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(mode_of(link, "chain.pem"), 0644);
}

static void other_peoples_files_are_not_overwritten(void **state)
{
    const struct fixture *it = *state;
    struct error e;

    assert_int_equal(chain_write(it->chain, it->directory, &e), -1); /* "ca" is in it */
    assert_non_null(strstr(e.text, "not part of a bundle"));
}

/* Reads bundle and chain.pem for as long as the other end of `alive` is open. */
static void read_all_the_while(const char *bundle, int alive)
{
    struct error e;
    char byte;

    fcntl(alive, F_SETFL, O_NONBLOCK);
    while (read(alive, &byte, 1) < 0) {
        int directory = directory_open(bundle, &e);
        char *text = directory < 0 ? NULL : file_read(directory, "chain.pem", NULL, &e);
        STACK_OF(X509) *all = text == NULL ? NULL : certificates_parse(text, &e);

        if (directory < 0 || (text != NULL && sk_X509_num(all) != 3))
            _exit(1); /* no bundle, or half of one */
        sk_X509_pop_free(all, X509_free);
        free(text);
        close(directory);
    }
    _exit(0);
}

static void there_is_always_a_whole_bundle_while_it_is_replaced(void **state)
{
    const struct fixture *it = *state;
    int alive[2], status;
    struct error e;
    pid_t reader;

    MUST(chain_write(it->chain, it->bundle, &e));
    assert_int_equal(pipe(alive), 0);
    reader = fork();
    if (reader == 0) {
        close(alive[1]);
        read_all_the_while(it->bundle, alive[0]);
    }
    for (int i = 0; i < 200; i++)
        MUST(chain_write(it->chain, it->bundle, &e));
    close(alive[0]);
    close(alive[1]);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
}

static void what_is_not_a_bundle_is_said_to_be_none(void **state)
{
    const struct fixture *it = *state;
    struct error e;

    assert_null(chain_read("/nowhere/at/all", &e));
    assert_non_null(strstr(e.text, "/nowhere/at/all"));
    assert_null(chain_read(it->state, &e)); /* a directory, but another kind */
    assert_non_null(strstr(e.text, "bundle.json"));
}

static void damaged_files_are_named(void **state)
{
    static const char *const files[] = {"bundle.json", "chain.pem", "trust.pem", "key.pem"};
    const struct fixture *it = *state;
    struct error e;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int directory;

        MUST(chain_write(it->chain, it->bundle, &e));
        directory = directory_open(it->bundle, &e);
        MUST(file_write(directory, files[i], 0644, "\0garbage", 8, &e));
        close(directory);
        assert_null(chain_read(it->bundle, &e));
        assert_non_null(strstr(e.text, files[i]));
    }
}

static void a_chain_pem_of_other_hands_is_kept_as_it_is(void **state)
{
    const struct fixture *it = *state;
    char *pem, *longer = NULL;
    struct chain *again;
    struct error e;
    int directory;

    MUST(chain_write(it->chain, it->bundle, &e));
    directory = directory_open(it->bundle, &e);
    pem = certificates_pem(it->chain->sent, &e);
    assert_true(asprintf(&longer, "the shop's certificates\n%s", pem) > 0);
    MUST(file_write(directory, "chain.pem", 0644, longer, strlen(longer), &e));
    again = chain_read(it->bundle, &e);
    assert_string_equal(again->pem, longer);
    chain_free(again);
    free(longer);
    free(pem);
    close(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(a_bundle_reads_back_as_it_was_written),
        FRESH(servers_can_read_all_of_it_but_the_key),
        FRESH(a_description_says_what_is_in_it),
        FRESH(a_new_bundle_leaves_nothing_of_the_old_one),
        FRESH(a_link_to_a_bundle_stays_a_link),
        FRESH(other_peoples_files_are_not_overwritten),
        FRESH(there_is_always_a_whole_bundle_while_it_is_replaced),
        FRESH(what_is_not_a_bundle_is_said_to_be_none),
        FRESH(damaged_files_are_named),
        FRESH(a_chain_pem_of_other_hands_is_kept_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
