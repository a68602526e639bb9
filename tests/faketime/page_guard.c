/* A clock that is cut off under a program of ours: one line, and an exit status. */
#include <signal.h>
#include <sys/mman.h>

#include "tests/faketime/subject.h"

#define STATUS 77

/* Runs `read_it` in a process that is guarded: its wait status, and what it says on stderr. */
static int guarded(struct stage *stage, void (*read_it)(struct stage *stage), char *said,
                   size_t size)
{
    ssize_t length;
    int ends[2], status;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        page_guard("reader", STATUS);
        read_it(stage);
        _exit(0);
    }
    close(ends[1]);
    length = read(ends[0], said, size - 1);
    said[length > 0 ? length : 0] = '\0';
    close(ends[0]);
    assert_true(waitpid(pid, &status, 0) == pid);
    return status;
}

static void read_clock_cut_off(struct stage *stage)
{
    if (truncate(stage->path, 0) == 0)
        clock_now(&stage->clock);
}

static void change_clock_cut_off(struct stage *stage)
{
    struct error e;

    if (truncate(stage->path, 0) == 0)
        clock_advance(&stage->clock, DAY, &e);
}

static void read_private_page(struct stage *stage)
{
    volatile char *page = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_PRIVATE, stage->clock.fd, 0);

    if (truncate(stage->path, 0) == 0)
        (void)*page;
}

static void be_sent_one(struct stage *stage)
{
    (void)stage;
    raise(SIGBUS);
}

static void expect_line(struct stage *stage, void (*read_it)(struct stage *stage))
{
    char said[1024], line[1024];
    int status = guarded(stage, read_it, said, sizeof said);

    snprintf(line, sizeof line,
             "reader: %s: has been cut off under this program; expected 4096 bytes\n", stage->path);
    assert_string_equal(said, line);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), STATUS);
}

static void test_a_clock_that_is_cut_off_is_told(void **state)
{
    expect_line(*state, read_clock_cut_off);
    expect_line(*state, change_clock_cut_off);
}

static void test_another_bus_error_is_what_it_was(void **state)
{
    char said[1024];
    int status = guarded(*state, be_sent_one, said, sizeof said);

    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    status = guarded(*state, read_private_page, said, sizeof said);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    assert_string_equal(said, "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, stage_setup, stage_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_clock_that_is_cut_off_is_told),
        TEST(test_another_bus_error_is_what_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
