/* fakeclock run and fakeclock follow -- becoming a program that is on a clock. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faketime/command.h"
#include "faketime/filter.h"
#include "faketime/launch.h"
#include "faketime/page.h"
#include "faketime/preload.h"
#include "faketime/program.h"

/* The absolute path: the program may change its folder and start others. */
static int name_clock(const char *path, struct error *e)
{
    char absolute[PATH_MAX];

    if (realpath(path, absolute) == NULL || setenv("FAKECLOCK", absolute, 1) < 0)
        return failed(e, "%s: %s", path, strerror(errno));
    return 0;
}

static enum trap_kind kind_of(enum program program)
{
    if (program == PROGRAM_TRAPS)
        return TRAP_ALL;
    return program == PROGRAM_MOVES || !filter_inherited(NULL) ? TRAP_NONE : TRAP_HANDLER;
}

/* On a clock, or, where it is empty, on none. */
static int arm(enum program program, const char *clock, struct error *e)
{
    static char self[PATH_MAX];
    struct trap_order order = {.kind = kind_of(program), .launcher = self, .clock = clock};

    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return failed(e, "/proc/self/exe: %s", strerror(errno));
    return launch_arm(&order, e);
}

/* By both means where both work: redirected, libc's own readers follow; preloaded, the waits do, and what
 * the program starts. */
static int prepare(enum program program, struct error *e)
{
    struct error unheard;

    if (program == PROGRAM_FOREIGN)
        preload_forget();
    else if (preload_library(e) < 0)
        return -1;
    if (program == PROGRAM_MOVES)
        return arm(program, getenv("FAKECLOCK"), &unheard), 0;
    return arm(program, getenv("FAKECLOCK"), e);
}

/* Returns only where it cannot.  What the kernel does not know is the shell's, as execvp(3) has it. */
static void become(const char *path, char **command)
{
    size_t count = 0;

    execv(path, command);
    if (errno != ENOEXEC)
        return;
    while (command[count] != NULL)
        count++;
    {
        const char *script[count + 2];

        script[0] = "/bin/sh";
        script[1] = path;
        memcpy(script + 2, command + 1, count * sizeof *command);
        execv(script[0], (char **)script);
    }
}

int verb_run(int argc, char **argv)
{
    static const int status_of[] = {
        [PROGRAM_MISSING] = STATUS_USAGE,
        [PROGRAM_STAYS] = STATUS_ENVIRONMENT,
    };
    const struct clock_page *page;
    enum program program;
    struct error e;
    char path[PATH_MAX], **command = argv + 2;

    if (argc > 2 && strcmp(*command, "--") == 0)
        command++;
    if (argc < 3 || argv[1][0] == '-' || *command == NULL) {
        failed(&e, "expected: fakeclock run FILE -- COMMAND [ARGUMENT...]");
        return complain(STATUS_USAGE, &e);
    }
    page = page_map(argv[1], &e);
    if (page == NULL)
        return complain(STATUS_USAGE, &e);
    page_unmap(page);
    if (program_find(*command, path, &e) < 0)
        return complain(STATUS_USAGE, &e);
    program = program_check(path, &e);
    if (program >= PROGRAM_MISSING)
        return complain(status_of[program], &e);
    if (name_clock(argv[1], &e) < 0 || prepare(program, &e) < 0)
        return complain(STATUS_ENVIRONMENT, &e);
    become(path, command);
    failed(&e, "%s: cannot be run: %s", *command, strerror(errno));
    return complain(STATUS_USAGE, &e);
}

/* Where it cannot be put on the clock it keeps real time, which is told; but a handler for a filter that it inherits
 * it must have. */
static int follow(enum program program, const char *path, const char *clock)
{
    bool needs_handler = kind_of(program) != TRAP_NONE && filter_inherited(NULL);
    struct error e, why;

    if (*clock != '\0' && name_clock(clock, &e) == 0 && prepare(program, &e) == 0)
        return 0;
    if (needs_handler && arm(program, "", &why) < 0) {
        failed(&e, "%s: cannot be run with the filter that it inherits: %s", path, why.text);
        return complain(STATUS_ENVIRONMENT, &e), -1;
    }
    if (*clock != '\0') {
        failed_in(&e, "real time is kept");
        complain(STATUS_ENVIRONMENT, &e);
    }
    return 0;
}

/* Nobody has asked for this one to be put on a clock, and the one who starts it does not know: whatever is wrong
 * with the clock, the program runs, and one line tells; unless it could not live. */
int verb_follow(int argc, char **argv)
{
    struct error e;
    enum program program;

    if (argc < 4) {
        failed(&e, "expected: fakeclock follow FILE PROGRAM NAME [ARGUMENT...]");
        return complain(STATUS_USAGE, &e);
    }
    program = program_check(argv[2], &e);
    if (program < PROGRAM_MISSING && follow(program, argv[2], argv[1]) < 0)
        return STATUS_CANNOT_RUN;
    /* past libc, where libfakeclock.so would ask for us again */
    syscall(SYS_execve, argv[2], argv + 3, environ);
    failed(&e, "%s: cannot be run: %s", argv[2], strerror(errno));
    return complain(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN, &e);
}
