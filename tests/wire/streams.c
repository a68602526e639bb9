/* Standard streams that are closed, full or no longer read. */
#include "testbed/wire/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "testbed/wire/status.h"

static char said[256]; /* by the last child, on stderr */

/* The exit status of a child that has `out` for stdout (-1: it is closed) and does `what`. */
static int status_of(int (*what)(void), int out)
{
    int ends[2], status;
    ssize_t length;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        if (out < 0)
            close(STDOUT_FILENO);
        else
            dup2(out, STDOUT_FILENO);
        _exit(what());
    }
    close(ends[1]);
    length = read(ends[0], said, sizeof said - 1);
    assert_true(length >= 0);
    said[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int takes_the_place_of_stdout(void)
{
    return open("/dev/zero", O_RDWR) == STDOUT_FILENO;
}

static int fills_first(void)
{
    streams_fill();
    return takes_the_place_of_stdout();
}

static int writes_and_execs(void)
{
    streams_fill();
    if (write(STDOUT_FILENO, "x", 1) >= 0 || errno != ENOSPC)
        return 1;
    execl("/bin/sh", "sh", "-c", "[ -e /proc/self/fd/1 ] && exit 1; exit 0", NULL);
    return 1;
}

static void a_closed_stream_is_nobody_elses(void **state)
{
    (void)state;
    assert_int_equal(status_of(takes_the_place_of_stdout, -1), 1);
    assert_int_equal(status_of(fills_first, -1), 0);
    assert_int_equal(status_of(writes_and_execs, -1), 0);
}

static int says_and_ends(void)
{
    signal(SIGPIPE, SIG_IGN);
    puts("an answer");
    return streams_end("it", 0);
}

static int says_no_and_ends(void)
{
    puts("an answer");
    return streams_end("it", 1);
}

static int fails_already(void)
{
    puts("an answer");
    return streams_end("it", 4);
}

static int says_long_and_ends(void)
{
    for (int i = 0; i < 10000; i++)
        puts("an answer");
    return streams_end("it", 0);
}

static void an_answer_that_was_lost_is_no_success(void **state)
{
    int full = open("/dev/full", O_WRONLY), null = open("/dev/null", O_WRONLY);

    (void)state;
    assert_true(full >= 0 && null >= 0);
    assert_int_equal(status_of(says_and_ends, null), 0);
    assert_int_equal(status_of(says_no_and_ends, null), 1);
    assert_string_equal(said, "");
    assert_int_equal(status_of(says_and_ends, full), STATUS_ENVIRONMENT);
    assert_string_equal(said, "it: cannot write to stdout: No space left on device\n");
    assert_int_equal(status_of(says_no_and_ends, full), STATUS_ENVIRONMENT);
    assert_int_equal(status_of(says_long_and_ends, full), STATUS_ENVIRONMENT);
    assert_int_equal(status_of(fails_already, full), 4);
    assert_string_equal(said, "");
    close(full);
    close(null);
}

static void a_reader_may_have_seen_enough(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(status_of(says_and_ends, ends[1]), 0);
    assert_string_equal(said, "");
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_stream_is_nobody_elses),
        cmocka_unit_test(an_answer_that_was_lost_is_no_success),
        cmocka_unit_test(a_reader_may_have_seen_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
