/* Small files, read whole: what is read, and what is refused without waiting. */
#include "testbed/wire/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/file.XXXXXX";
static char path[sizeof directory + 8];

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* A file of this text, and then of NULs up to `length` bytes. */
static void make_file(const char *text, off_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(ftruncate(fd, length), 0);
    close(fd);
}

static void assert_refused(const char *name, const char *why)
{
    struct error e;
    size_t length;

    assert_null(file_whole(name, &length, &e));
    assert_memory_equal(e.text, name, strlen(name));
    assert_string_equal(e.text + strlen(name), why);
}

static void a_file_is_read_whole_with_a_nul_behind_it(void **state)
{
    struct error e;
    size_t length = 0;
    unsigned char *bytes;

    (void)state;
    make_file("a\nb", 5);
    bytes = file_whole(path, &length, &e);
    assert_non_null(bytes);
    assert_int_equal(length, 5);
    assert_memory_equal(bytes, "a\nb\0\0", 6);
    free(bytes);
}

static void a_relative_path_starts_at_the_directory(void **state)
{
    int here = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct error e;
    size_t length = 0;
    unsigned char *bytes;

    (void)state;
    assert_true(here >= 0);
    make_file("here", 4);
    bytes = file_whole_at(here, "file", &length, &e);
    close(here);
    assert_non_null(bytes);
    assert_int_equal(length, 4);
    free(bytes);
    assert_null(file_whole("file", &length, &e));
}

static void an_empty_file_is_no_bytes(void **state)
{
    struct error e;
    size_t length = 1;
    unsigned char *bytes;

    (void)state;
    make_file("", 0);
    bytes = file_whole(path, &length, &e);
    assert_non_null(bytes);
    assert_int_equal(length, 0);
    assert_int_equal(bytes[0], 0);
    free(bytes);
}

static void the_largest_is_read_and_a_larger_one_is_not_cut(void **state)
{
    struct error e;
    size_t length = 0;
    unsigned char *bytes;

    (void)state;
    make_file("first", FILE_MAX_BYTES);
    bytes = file_whole(path, &length, &e);
    assert_non_null(bytes);
    assert_int_equal(length, FILE_MAX_BYTES);
    free(bytes);
    make_file("first", FILE_MAX_BYTES + 1);
    assert_refused(path, ": larger than 16777216 bytes");
}

static void a_pipe_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(path, ": not a regular file");
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    assert_refused(path, ": cannot open: No such file or directory");
    assert_refused(directory, ": not a regular file");
    assert_refused("/dev/zero", ": not a regular file");
}

/* The size that /proc tells of its files is 0. */
static void a_file_that_is_longer_than_it_says_is_read_to_its_end(void **state)
{
    struct error e;
    size_t length = 0;
    unsigned char *bytes = file_whole("/proc/self/limits", &length, &e);

    (void)state;
    assert_non_null(bytes);
    assert_true(length > 0);
    free(bytes);
    assert_refused("/proc/self/smaps", ": cannot read: File too large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_file_is_read_whole_with_a_nul_behind_it, remove_file),
        cmocka_unit_test_teardown(a_relative_path_starts_at_the_directory, remove_file),
        cmocka_unit_test_teardown(an_empty_file_is_no_bytes, remove_file),
        cmocka_unit_test_teardown(the_largest_is_read_and_a_larger_one_is_not_cut, remove_file),
        cmocka_unit_test_teardown(a_pipe_is_not_waited_for, remove_file),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(a_file_that_is_longer_than_it_says_is_read_to_its_end),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
