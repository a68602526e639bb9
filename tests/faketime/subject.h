/* subject.h -- a test that starts itself again, under the shim, as the subject.
 *
 * main() hands over to the subject's part where it was given arguments.  The library is
 * taken from $BUILD, as the Makefile sets it.
 */
#ifndef TESTS_FAKETIME_SUBJECT_H
#define TESTS_FAKETIME_SUBJECT_H

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "faketime/clock.h"
#include "testbed/wire/moment.h"

#define DAY      (86400 * NANOSECONDS)
#define HOUR     (3600 * NANOSECONDS)
#define MS       INT64_C(1000000)
#define PATIENCE 20000 /* ms, after which something hangs */

/* Nanoseconds, for the subject and for the one who watches it. */
static inline int64_t read_clock(clockid_t id)
{
    struct timespec now;

    return clock_gettime(id, &now) == 0 ? (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec : -1;
}

struct subject {
    pid_t pid;
    int out; /* its stdout */
};

/* A private folder with one clock in it. */
struct stage {
    char folder[64];
    char path[96];
    struct clock clock;
};

static inline void stage_open(struct stage *stage)
{
    struct error e;

    strcpy(stage->folder, "/tmp/faketime.XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    snprintf(stage->path, sizeof stage->path, "%s/clock", stage->folder);
    assert_int_equal(clock_create(stage->path, &stage->clock, &e), 0);
}

static inline void stage_close(struct stage *stage)
{
    clock_close(&stage->clock);
    unlink(stage->path);
    rmdir(stage->folder);
}

static inline int stage_setup(void **state)
{
    static struct stage stage;

    stage_open(&stage);
    *state = &stage;
    return 0;
}

static inline int stage_teardown(void **state)
{
    stage_close(*state);
    return 0;
}

static inline void stage_move(struct stage *stage, int64_t offset)
{
    struct error e;

    assert_int_equal(clock_set_offset(&stage->clock, offset, &e), 0);
}

static inline void find_shim(char folder[PATH_MAX])
{
    const char *build = getenv("BUILD");

    assert_non_null(realpath(build == NULL ? "build" : build, folder));
}

/* Starts this program again, on the clock, with up to three arguments. */
static inline struct subject subject_start(const char *clock, const char *one, const char *two,
                                           const char *three)
{
    char folder[PATH_MAX];
    int out[2];
    struct subject subject;

    find_shim(folder);
    assert_int_equal(pipe(out), 0);
    subject.pid = fork();
    assert_true(subject.pid >= 0);
    if (subject.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        /* by its name, for there may be a space in its path */
        setenv("LD_LIBRARY_PATH", folder, 1);
        setenv("LD_PRELOAD", "libfakeclock.so", 1);
        setenv("FAKECLOCK", clock, 1);
        execl("/proc/self/exe", "subject", one, two, three, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    subject.out = out[0];
    return subject;
}

/* Whether something can be read from it within `ms`. */
static inline bool subject_speaks(const struct subject *subject, int ms)
{
    struct pollfd out = {.fd = subject->out, .events = POLLIN};

    return poll(&out, 1, ms) == 1;
}

/* Reads exactly `size` bytes, or fails where it takes longer than anything should. */
static inline void subject_hear(const struct subject *subject, void *into, size_t size)
{
    for (size_t have = 0; have < size;) {
        ssize_t got;

        assert_true(subject_speaks(subject, PATIENCE));
        got = read(subject->out, (char *)into + have, size - have);
        assert_true(got > 0);
        have += (size_t)got;
    }
}

/* What a subject can be told to do. */
struct part {
    const char *name;
    void (*play)(void);
};

/* The subject's main: its exit status. */
static inline int subject_play(const struct part *parts, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(parts[i].name, name) == 0) {
            parts[i].play();
            return 0;
        }
    return 2;
}

static inline void subject_say(const void *bytes, size_t size)
{
    if (write(STDOUT_FILENO, bytes, size) != (ssize_t)size)
        _exit(1);
}

/* Which of them says something within `ms`; -1: none does. */
static inline int subject_that_speaks(const struct subject *subjects, size_t count, int ms)
{
    struct pollfd out[count];

    for (size_t i = 0; i < count; i++)
        out[i] = (struct pollfd){.fd = subjects[i].out, .events = POLLIN};
    if (poll(out, count, ms) != 0)
        for (size_t i = 0; i < count; i++)
            if (out[i].revents != 0)
                return (int)i;
    return -1;
}

static inline int subject_end(struct subject *subject)
{
    int status = -1;

    close(subject->out);
    waitpid(subject->pid, &status, 0);
    return status;
}

/* What the subject has to say in one number. */
static inline int64_t subject_number(const struct stage *stage, const char *part)
{
    struct subject subject = subject_start(stage->path, part, NULL, NULL);
    int64_t said;

    subject_hear(&subject, &said, sizeof said);
    assert_int_equal(subject_end(&subject), 0);
    return said;
}

/* That `now` was read `offset` ahead of real time, by somebody who may have been slow. */
static inline void expect_ahead(int64_t now, int64_t offset, const char *who)
{
    int64_t ahead = now - read_clock(CLOCK_REALTIME);

    if (ahead < offset - 60 * NANOSECONDS || ahead > offset + 60 * NANOSECONDS)
        fail_msg("%s is ahead by %lld s", who, (long long)(ahead / NANOSECONDS));
}

#endif
