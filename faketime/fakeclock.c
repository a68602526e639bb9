/* fakeclock -- makes a calendar, moves it, and puts programs on it. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faketime/attach.h"
#include "faketime/census.h"
#include "faketime/clock.h"
#include "faketime/command.h"
#include "faketime/doctor.h"
#include "faketime/program.h"
#include "testbed/wire/moment.h"
#include "testbed/wire/options.h"
#include "testbed/wire/verbs.h"

int complain(enum status status, const struct error *e)
{
    fprintf(stderr, "fakeclock: %s\n", e->text);
    return status;
}

/* --- the command line ------------------------------------------------------------------------ */

/* A verb's arguments are few and in order; a time may begin with a minus, so they are no options. */
static int expect(int argc, char **argv, int count, const char *what, struct error *e)
{
    if (argc == count + 1 && argv[1][0] != '-')
        return 0;
    return failed(e, "expected: fakeclock %s %s", argv[0], what);
}

struct move_arguments {
    bool mono;
};

static const struct option_row move_options[] = {
    {"mono",                                           NULL, "time passes: the monotonic clocks move as far", OPTION_FLAG,
     offsetof(struct move_arguments, mono)},
    {0},
};

static const struct option_row rate_options[] = {
    {"mono",                      NULL, "the monotonic clocks too", OPTION_FLAG, offsetof(struct move_arguments, mono)},
    {0},
};

/* The option only where it comes first or last, for a time may begin with a minus. */
static bool take_mono(int *argc, char **argv)
{
    for (int i = 1; i < *argc; i++)
        if (strcmp(argv[i], "--mono") == 0) {
            memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof *argv);
            (*argc)--;
            return true;
        }
    return false;
}

static int open_for(int argc, char **argv, int count, const char *what, struct clock *clock,
                    struct error *e)
{
    return expect(argc, argv, count, what, e) < 0 ? -1 : clock_open(argv[1], clock, e);
}

/* Closes the clock too; `result` is the change's. */
static int finish(struct clock *clock, int result, const char *path, struct error *e)
{
    clock_close(clock);
    if (result == 0)
        return STATUS_DONE;
    failed_in(e, path);
    return complain(STATUS_USAGE, e);
}

/* --- verbs that change a clock --------------------------------------------------------------- */

static int verb_new(int argc, char **argv)
{
    struct clock clock;
    struct error e;

    if (expect(argc, argv, 1, "FILE", &e) < 0)
        return complain(STATUS_USAGE, &e);
    if (clock_create(argv[1], &clock, &e) < 0)
        return complain(status_of_errno(errno), &e);
    clock_close(&clock);
    return STATUS_DONE;
}

/* As an offset from the real now time passes up to it, too. */
static int set_offset(struct clock *clock, const char *text, bool mono, struct error *e)
{
    int64_t offset;

    if (duration_parse(text, &offset, e) < 0)
        return -1;
    return mono ? clock_pass(clock, offset - clock_offset(clock), e)
                : clock_set_offset(clock, offset, e);
}

static int set(struct clock *clock, const char *text, bool mono, struct error *e)
{
    int64_t seconds, now;

    if (*text == '+' || *text == '-')
        return set_offset(clock, text, mono, e);
    if (moment_parse(text, 0, &seconds, e) < 0)
        return -1;
    if (__builtin_mul_overflow(seconds, NANOSECONDS, &now))
        now = seconds < 0 ? INT64_MIN : INT64_MAX; /* beyond the calendar, which says so */
    return mono ? clock_pass_until(clock, now, e) : clock_set(clock, now, e);
}

static int verb_set(int argc, char **argv)
{
    bool mono = take_mono(&argc, argv);
    struct clock clock;
    struct error e;

    if (open_for(argc, argv, 2, "FILE TIME", &clock, &e) < 0)
        return complain(STATUS_USAGE, &e);
    return finish(&clock, set(&clock, argv[2], mono, &e), argv[1], &e);
}

static int advance(struct clock *clock, const char *text, bool mono, struct error *e)
{
    int64_t by;

    if (duration_parse(text, &by, e) < 0)
        return -1;
    return mono ? clock_pass(clock, by, e) : clock_advance(clock, by, e);
}

static int verb_advance(int argc, char **argv)
{
    bool mono = take_mono(&argc, argv);
    struct clock clock;
    struct error e;

    if (open_for(argc, argv, 2, "FILE DURATION", &clock, &e) < 0)
        return complain(STATUS_USAGE, &e);
    return finish(&clock, advance(&clock, argv[2], mono, &e), argv[1], &e);
}

/* What a laptop does that was asleep: the calendar has moved on, the monotonic clocks have not. */
static int suspend(struct clock *clock, const char *text, struct error *e)
{
    int64_t length;

    if (duration_parse(text, &length, e) < 0)
        return -1;
    if (length < 0)
        return failed(e, "'%s' is not how long a machine was suspended; expected 8h", text);
    return clock_advance(clock, length, e);
}

static int verb_suspend(int argc, char **argv)
{
    struct clock clock;
    struct error e;

    if (open_for(argc, argv, 2, "FILE DURATION", &clock, &e) < 0)
        return complain(STATUS_USAGE, &e);
    return finish(&clock, suspend(&clock, argv[2], &e), argv[1], &e);
}

static int verb_freeze(int argc, char **argv)
{
    bool mono = take_mono(&argc, argv);
    struct clock clock;
    struct error e;

    if (open_for(argc, argv, 1, "FILE", &clock, &e) < 0)
        return complain(STATUS_USAGE, &e);
    return finish(&clock, (mono ? clock_pace : clock_rate)(&clock, 0, &e), argv[1], &e);
}

static int change_rate(struct clock *clock, const char *text, bool mono, struct error *e)
{
    char *end;
    double rate = strtod(text, &end);

    if (end == text || *end != '\0')
        return failed(e, "'%s' is not a rate; expected 0 (frozen) to %.0f", text, CLOCK_FASTEST);
    return (mono ? clock_pace : clock_rate)(clock, rate, e);
}

static int verb_rate(int argc, char **argv)
{
    bool mono = take_mono(&argc, argv);
    struct clock clock;
    struct error e;

    if (open_for(argc, argv, 2, "FILE NUMBER", &clock, &e) < 0)
        return complain(STATUS_USAGE, &e);
    return finish(&clock, change_rate(&clock, argv[2], mono, &e), argv[1], &e);
}

/* --- show ------------------------------------------------------------------------------------ */

struct show_arguments {
    bool json;
};

static const struct option_row show_options[] = {
    {"json",             NULL, "one JSON object", OPTION_FLAG, offsetof(struct show_arguments, json)},
    {0},
};

/* Whole seconds and nanoseconds of a time that may be before 1970. */
struct parts {
    int64_t seconds, nanoseconds;
};

static struct parts parts_of(int64_t time)
{
    int64_t rest = (time % NANOSECONDS + NANOSECONDS) % NANOSECONDS;

    return (struct parts){(time - rest) / NANOSECONDS, rest};
}

static void show_rate(const char *name, double rate)
{
    if (rate == 0)
        printf("%s  0, frozen\n", name);
    else
        printf("%s  %g%s\n", name, rate, rate == 1 ? ", real speed" : "");
}

static void show_people(int64_t now, int64_t offset, double rate, double pace)
{
    char virtual[MOMENT_TEXT], real[MOMENT_TEXT], ahead[DURATION_TEXT];

    moment_format(parts_of(now).seconds, virtual);
    moment_format(parts_of(now - offset).seconds, real);
    duration_format(offset, ahead);
    printf("now   %s\nreal  %s\nahead %s\n", virtual, real, ahead);
    show_rate("rate", rate);
    if (pace != 1)
        show_rate("mono", pace);
}

static void show_json(int64_t now, int64_t offset, double rate, double pace, uint32_t generation)
{
    struct parts virtual = parts_of(now);

    printf("{\"now\":%" PRId64 ".%09" PRId64
           ",\"offset\":%.9f,\"rate\":%.17g,\"mono\":%.17g,\"generation\":%" PRIu32 "}\n",
           virtual.seconds, virtual.nanoseconds, (double)offset / (double)NANOSECONDS, rate, pace,
           generation);
}

static int verb_show(int argc, char **argv)
{
    struct show_arguments arguments = {0};
    struct option_list rest = {0};
    const struct clock_page *page;
    struct error e;
    struct clock clock;

    if (options_parse(show_options, argc, argv, &arguments, &rest, &e) < 0)
        return complain(STATUS_USAGE, &e);
    if (rest.count != 1) {
        failed(&e, "expected: fakeclock show [--json] FILE");
        return complain(STATUS_USAGE, &e);
    }
    page = page_map(rest.items[0], &e);
    if (page == NULL)
        return complain(STATUS_USAGE, &e);
    clock = (struct clock){.fd = -1, .page = (struct clock_page *)(uintptr_t)page};
    if (arguments.json)
        show_json(clock_now(&clock), clock_offset(&clock), clock_rate_now(&clock),
                  clock_pace_now(&clock), page->generation);
    else
        show_people(clock_now(&clock), clock_offset(&clock), clock_rate_now(&clock),
                    clock_pace_now(&clock));
    page_unmap(page);
    return STATUS_DONE;
}

/* --- attach and detach ----------------------------------------------------------------------- */

int parse_pid(const char *text, pid_t *pid, struct error *e)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || number < 1 || number > INT_MAX)
        return failed(e, "'%s' is not a process; expected its number", text);
    *pid = (pid_t)number;
    return 0;
}

/* The clock's absolute path, which the process is going to open. */
static int find_clock(const char *path, char absolute[PATH_MAX], struct error *e)
{
    const struct clock_page *page = page_map(path, e);

    if (page == NULL)
        return -1;
    page_unmap(page);
    return realpath(path, absolute) == NULL ? failed(e, "%s: %s", path, strerror(errno)) : 0;
}

struct tree_arguments {
    bool tree;
};

static const struct option_row tree_options[] = {
    {"tree",                         NULL, "and all that it has started", OPTION_FLAG,
     offsetof(struct tree_arguments, tree)},
    {0},
};

static void complain_of_one(const struct error *e)
{
    complain(STATUS_ENVIRONMENT, e);
}

static int verb_attach(int argc, char **argv)
{
    struct tree_arguments arguments = {0};
    struct option_list rest = {0};
    char clock[PATH_MAX];
    struct error e;
    pid_t pid = 0;

    if (options_parse(tree_options, argc, argv, &arguments, &rest, &e) < 0)
        return complain(STATUS_USAGE, &e);
    if (rest.count != 2) {
        failed(&e, "expected: fakeclock attach [--tree] FILE PID");
        return complain(STATUS_USAGE, &e);
    }
    if (find_clock(rest.items[0], clock, &e) < 0 || parse_pid(rest.items[1], &pid, &e) < 0)
        return complain(STATUS_USAGE, &e);
    if (arguments.tree)
        return attach_tree(pid, clock, complain_of_one) == 0 ? STATUS_DONE : STATUS_ENVIRONMENT;
    if (attach(pid, clock, &e) < 0)
        return complain(STATUS_ENVIRONMENT, &e);
    return attach_leaves_waits(pid, &e) ? complain(STATUS_DONE, &e) : STATUS_DONE;
}

static int verb_detach(int argc, char **argv)
{
    struct tree_arguments arguments = {0};
    struct option_list rest = {0};
    struct error e;
    pid_t pid = 0;

    if (options_parse(tree_options, argc, argv, &arguments, &rest, &e) < 0)
        return complain(STATUS_USAGE, &e);
    if (rest.count != 1) {
        failed(&e, "expected: fakeclock detach [--tree] PID");
        return complain(STATUS_USAGE, &e);
    }
    if (parse_pid(rest.items[0], &pid, &e) < 0)
        return complain(STATUS_USAGE, &e);
    if (arguments.tree)
        return detach_tree(pid, complain_of_one) == 0 ? STATUS_DONE : STATUS_ENVIRONMENT;
    return detach(pid, &e) < 0 ? complain(STATUS_ENVIRONMENT, &e) : STATUS_DONE;
}

/* --- ps and doctor --------------------------------------------------------------------------- */

static const char *means_of(const struct resident *resident)
{
    if (resident->trapped)
        return "trap";
    if (resident->redirected)
        return resident->preloaded ? "both" : "redirect";
    return resident->preloaded ? "preload" : "itself";
}

static void show_resident(const struct resident *resident, void *context)
{
    const struct stat *wanted = context;

    if (wanted == NULL || wanted->st_ino == resident->inode)
        printf("%7d  %-8s  %-4s  %-15s  %s%s%s\n", (int)resident->pid, means_of(resident),
               resident->has_read ? "yes" : "no", resident->command, resident->clock,
               resident->trouble == NULL ? "" : ": ",
               resident->trouble == NULL ? "" : resident->trouble);
}

static int verb_ps(int argc, char **argv)
{
    struct stat stat_;
    struct error e;

    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        failed(&e, "expected: fakeclock ps [FILE]");
        return complain(STATUS_USAGE, &e);
    }
    if (argc == 2) {
        const struct clock_page *page = page_map(argv[1], &e);

        if (page == NULL)
            return complain(STATUS_USAGE, &e);
        page_unmap(page);
    }
    printf("%7s  %-8s  %-4s  %-15s  %s\n", "PID", "BY", "READ", "COMMAND", "CLOCK");
    census(show_resident, argc == 2 && stat(argv[1], &stat_) == 0 ? &stat_ : NULL);
    return STATUS_DONE;
}

static int verb_doctor(int argc, char **argv)
{
    struct error e;
    bool is_process;
    int result;
    pid_t pid = 0;

    if (expect(argc, argv, 1, "PID|COMMAND", &e) < 0)
        return complain(STATUS_USAGE, &e);
    is_process = parse_pid(argv[1], &pid, &e) == 0;
    if (!is_process && program_check(argv[1], &e) == PROGRAM_MISSING)
        return complain(STATUS_USAGE, &e);
    result = is_process ? doctor_process(pid, stdout, &e) : doctor_command(argv[1], stdout, &e);
    return result < 0 ? complain(STATUS_ENVIRONMENT, &e) : result;
}

/* --------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct verb verbs[] = {
    {"new",     "FILE",               "make a clock that shows real time", NULL, verb_new},
    {"set",     "FILE TIME",          "set a clock; an offset such as +90d counts from the real now", move_options, verb_set},
    {"advance", "FILE DURATION",      "move a clock on from where it is", move_options, verb_advance},
    {"suspend", "FILE DURATION",      "move a clock on as a machine's sleep does", NULL, verb_suspend},
    {"step",    "FILE",               "let time pass, step by step, and wait for programs to settle", step_options, verb_step},
    {"poke",    "PID",                "wake a process that waits for time to pass", poke_options, verb_poke},
    {"freeze",  "FILE",               "stop a clock; 'rate FILE 1' lets it go on", rate_options, verb_freeze},
    {"rate",    "FILE NUMBER",        "let NUMBER virtual seconds pass in a real one", rate_options, verb_rate},
    {"show",    "FILE",               "tell the time on a clock", show_options, verb_show},
    {"run",     "FILE -- COMMAND...", "run a program, and what it starts, on a clock", NULL, verb_run},
    {"follow",  "FILE PROGRAM...",    "for libfakeclock.so: start what it cannot be loaded into", NULL, verb_follow},
    {"attach",  "FILE PID",           "put a process that runs already on a clock", tree_options, verb_attach},
    {"detach",  "PID",                "take a process off its clock, back to real time", tree_options, verb_detach},
    {"ps",      "[FILE]",             "list who is on a clock, and whether they have read it", NULL, verb_ps},
    {"doctor",  "PID|COMMAND",        "tell how a process or a program takes its time, and what time it reads", NULL, verb_doctor},
    {0},
};
/* clang-format on */

static void more(FILE *out)
{
    fputs("\nA TIME is 2027-03-01T00:00:00Z, 2027-03-01, @1793836800, +90d or -10d; a DURATION "
          "is 90d,\n1h30m, 200ms or -10d.  Every process on the clock moves at once.\n"
          "'run' ends as its command does.\n",
          out);
}

static const struct status_row statuses[] = {
    {STATUS_DONE,        "done"                                                   },
    {STATUS_FAILED,      "step: not settled, or a check failed; doctor: real time"},
    {STATUS_USAGE,       "wrong usage or input"                                   },
    {STATUS_ENVIRONMENT, "this machine, or the program, does not allow it"        },
    {0,                  NULL                                                     },
};

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "fakeclock", "makes a calendar, moves it, and puts programs on it", verbs, more, statuses};

    page_guard(tool.name, STATUS_ENVIRONMENT);
    return verbs_main(&tool, argc, argv);
}
