/* Whole lines out of a pipe that gives them as it likes, and back into one. */
#include "testbed/wire/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct pipe {
    int from, to;
    struct lines lines;
};

static int open_pipe(void **state)
{
    struct pipe *it;
    int ends[2];

    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
        return -1;
    it = test_calloc(1, sizeof *it);
    it->from = ends[0];
    it->to = ends[1];
    *state = it;
    return 0;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int close_pipe(void **state)
{
    struct pipe *it = *state;

    close_end(&it->from);
    close_end(&it->to);
    lines_free(&it->lines);
    test_free(it);
    return 0;
}

static void put(struct pipe *it, const char *bytes, size_t length)
{
    assert_int_equal(write(it->to, bytes, length), length);
}

static void put_text(struct pipe *it, const char *text)
{
    put(it, text, strlen(text));
    assert_true(lines_read(&it->lines, it->from) > 0);
}

static void assert_next(struct pipe *it, const char *expected)
{
    const char *line = lines_next(&it->lines);

    if (line == NULL)
        fail_msg("no line, where '%s' was expected", expected);
    assert_string_equal(line, expected);
    assert_false(it->lines.too_long);
}

/* `count` times the same byte, as fast as the pipe takes them. */
static void put_many(struct pipe *it, char byte, size_t count)
{
    char chunk[4096];

    memset(chunk, byte, sizeof chunk);
    while (count > 0) {
        size_t now = count < sizeof chunk ? count : sizeof chunk;

        put(it, chunk, now);
        while (lines_read(&it->lines, it->from) > 0)
            ;
        count -= now;
    }
}

static void nothing_read_is_no_line(void **state)
{
    struct pipe *it = *state;

    assert_null(lines_next(&it->lines));
    assert_int_equal(lines_read(&it->lines, it->from), -1);
    assert_int_equal(errno, EAGAIN);
    assert_null(lines_next(&it->lines));
}

static void lines_come_out_one_by_one(void **state)
{
    struct pipe *it = *state;

    put_text(it, "one\n\nthree\nfo");
    assert_next(it, "one");
    assert_next(it, "");
    assert_next(it, "three");
    assert_null(lines_next(&it->lines));
    put_text(it, "ur\n");
    assert_next(it, "four");
    assert_null(lines_next(&it->lines));
}

static void a_line_may_come_byte_by_byte(void **state)
{
    struct pipe *it = *state;
    const char text[] = "{\"id\":1}";

    for (size_t i = 0; i < sizeof text - 1; i++) {
        put(it, text + i, 1);
        assert_int_equal(lines_read(&it->lines, it->from), 1);
        assert_null(lines_next(&it->lines));
    }
    put_text(it, "\n");
    assert_next(it, text);
}

static void a_last_line_needs_no_newline(void **state)
{
    struct pipe *it = *state;

    put_text(it, "one\nlast");
    close_end(&it->to);
    assert_next(it, "one");
    assert_null(lines_next(&it->lines));
    assert_int_equal(lines_read(&it->lines, it->from), 0);
    assert_next(it, "last");
    assert_null(lines_next(&it->lines));
    assert_int_equal(lines_read(&it->lines, it->from), 0);
    assert_null(lines_next(&it->lines));
}

static void the_longest_line_comes_whole(void **state)
{
    struct pipe *it = *state;
    const char *line;

    put_many(it, 'x', LINE_MAX_BYTES);
    assert_null(lines_next(&it->lines));
    put_text(it, "\nnext\n");
    line = lines_next(&it->lines);
    assert_non_null(line);
    assert_false(it->lines.too_long);
    assert_int_equal(strlen(line), LINE_MAX_BYTES);
    assert_next(it, "next");
}

static void assert_too_long(struct pipe *it)
{
    const char *line = lines_next(&it->lines);

    assert_non_null(line);
    assert_true(it->lines.too_long);
    assert_string_equal(line, "");
}

static void a_longer_one_is_dropped_whole_and_told_once(void **state)
{
    struct pipe *it = *state;

    put_many(it, 'x', LINE_MAX_BYTES + 1);
    assert_null(lines_next(&it->lines));
    put_text(it, "\nnext\n");
    assert_too_long(it);
    assert_next(it, "next");
    assert_null(lines_next(&it->lines));
}

/* Read in one go, newline and all, before anyone asked for a line. */
static void one_that_came_whole_is_dropped_too(void **state)
{
    struct pipe *it = *state;

    put_many(it, 'x', LINE_MAX_BYTES + 1);
    put_text(it, "\nnext\n");
    assert_too_long(it);
    assert_next(it, "next");
}

static void an_endless_line_takes_no_endless_memory(void **state)
{
    struct pipe *it = *state;

    for (int i = 0; i < 200; i++) {
        put_many(it, 'x', LINE_MAX_BYTES / 2);
        assert_null(lines_next(&it->lines));
    }
    assert_true(it->lines.room < 8 * LINE_MAX_BYTES);
    put_text(it, "\nnext\n");
    assert_too_long(it);
    assert_next(it, "next");
}

static void an_overlong_last_line_is_told_too(void **state)
{
    struct pipe *it = *state;

    put_many(it, 'x', LINE_MAX_BYTES + 1);
    assert_null(lines_next(&it->lines));
    close_end(&it->to);
    assert_int_equal(lines_read(&it->lines, it->from), 0);
    assert_too_long(it);
    assert_null(lines_next(&it->lines));
}

static void a_nul_hides_nothing(void **state)
{
    struct pipe *it = *state;

    put(it, "{}\0rest\n\0\n\0", 11);
    close_end(&it->to);
    while (lines_read(&it->lines, it->from) > 0)
        ;
    assert_next(it, "{}\x01rest");
    assert_next(it, "\x01");
    assert_next(it, "\x01");
    assert_null(lines_next(&it->lines));
}

static void an_outbox_keeps_what_the_pipe_does_not_take(void **state)
{
    struct pipe *it = *state;
    struct outbox outbox = {0};
    char line[1000];
    size_t sent = 0, seen = 0;

    memset(line, 'y', sizeof line);
    line[sizeof line - 1] = '\n';
    assert_int_equal(outbox_flush(&outbox, it->to), 1);
    for (; sent < 300; sent++)
        assert_int_equal(outbox_put(&outbox, line, sizeof line), 0);
    assert_int_equal(outbox_flush(&outbox, it->to), 0); /* a pipe holds 64 KiB */
    assert_int_equal(outbox_put(&outbox, "end\n", 4), 0);
    while (outbox_flush(&outbox, it->to) == 0 || seen < sent) {
        assert_true(lines_read(&it->lines, it->from) > 0);
        while (seen < sent && lines_next(&it->lines) != NULL)
            seen++;
    }
    while (lines_read(&it->lines, it->from) > 0)
        ;
    assert_next(it, "end");
    assert_int_equal(outbox_flush(&outbox, it->to), 1);
    outbox_free(&outbox);
}

static void an_outbox_says_when_nobody_reads(void **state)
{
    struct pipe *it = *state;
    struct outbox outbox = {0};

    signal(SIGPIPE, SIG_IGN);
    close_end(&it->from);
    assert_int_equal(outbox_put(&outbox, "x", 1), 0);
    assert_int_equal(outbox_flush(&outbox, it->to), -1);
    assert_int_equal(errno, EPIPE);
    outbox_free(&outbox);
}

#define ON_A_PIPE(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_PIPE(nothing_read_is_no_line),
        ON_A_PIPE(lines_come_out_one_by_one),
        ON_A_PIPE(a_line_may_come_byte_by_byte),
        ON_A_PIPE(a_last_line_needs_no_newline),
        ON_A_PIPE(the_longest_line_comes_whole),
        ON_A_PIPE(a_longer_one_is_dropped_whole_and_told_once),
        ON_A_PIPE(one_that_came_whole_is_dropped_too),
        ON_A_PIPE(an_endless_line_takes_no_endless_memory),
        ON_A_PIPE(an_overlong_last_line_is_told_too),
        ON_A_PIPE(a_nul_hides_nothing),
        ON_A_PIPE(an_outbox_keeps_what_the_pipe_does_not_take),
        ON_A_PIPE(an_outbox_says_when_nobody_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
