/* fakeclock step and fakeclock poke -- time passes. */
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faketime/command.h"
#include "faketime/poke.h"
#include "faketime/step.h"
#include "faketime/tree.h"
#include "testbed/wire/moment.h"
#include "testbed/wire/options.h"

/* --- poke -------------------------------------------------------------------------------------- */

struct poke_arguments {
    bool tree;
};

const struct option_row poke_options[] = {
    {"tree",                         NULL, "and all that it has started", OPTION_FLAG,
     offsetof(struct poke_arguments, tree)},
    {0},
};

int verb_poke(int argc, char **argv)
{
    static struct tree tree;
    struct poke_arguments arguments = {0};
    struct option_list rest = {0};
    struct error e;
    int status = STATUS_DONE;
    pid_t pid = 0;

    if (options_parse(poke_options, argc, argv, &arguments, &rest, &e) < 0)
        return complain(STATUS_USAGE, &e);
    if (rest.count != 1) {
        failed(&e, "expected: fakeclock poke [--tree] PID");
        return complain(STATUS_USAGE, &e);
    }
    if (parse_pid(rest.items[0], &pid, &e) < 0)
        return complain(STATUS_USAGE, &e);
    tree_plant(&tree, pid);
    if (arguments.tree)
        tree_grow(&tree);
    for (size_t i = 0; i < tree.count; i++)
        if (poke(tree.pids[i], 0, &e) < 0)
            status = complain(STATUS_ENVIRONMENT, &e);
    return status;
}

/* --- step -------------------------------------------------------------------------------------- */

struct step_arguments {
    int64_t by, whole;
    struct settle_rule rule;
    struct option_list trees, watched;
    const char *check;
    bool mono, serve;
};

#define ROW(name, value, help, kind, field)                                                        \
    {                                                                                              \
        name, value, help, kind, offsetof(struct step_arguments, field)                            \
    }
const struct option_row step_options[] = {
    ROW("by", "DURATION", "how far each step moves the clock", OPTION_DURATION, by),
    ROW("for", "DURATION", "how far all of them do [one step]", OPTION_DURATION, whole),
    ROW("mono", NULL, "the monotonic clocks move with it, and timers fire", OPTION_FLAG, mono),
    ROW("tree", "PID", "poke this process and its descendants, and wait for them (may repeat)",
        OPTION_LIST, trees),
    ROW("watch", "PID", "only wait for them (may repeat)", OPTION_LIST, watched),
    ROW("check", "COMMAND", "run this after each step, by the shell; its output goes to stderr",
        OPTION_TEXT, check),
    ROW("serve", NULL, "take orders on stdin, one a line", OPTION_FLAG, serve),
    ROW("quiet", "DURATION", "a step is over when they have done nothing for this long [10ms]",
        OPTION_DURATION, rule.quiet),
    ROW("silence", "DURATION", "and one that gave them much to do, for this long [600ms]",
        OPTION_DURATION, rule.silence),
    ROW("soon", "DURATION", "and nobody waits for less than this, as if to ask again [2s]",
        OPTION_DURATION, rule.soon),
    ROW("patience", "DURATION", "give up after this long [20s]", OPTION_DURATION, rule.patience),
    {0},
};
#undef ROW

static int check_processes(const struct option_list *list, struct error *e)
{
    for (size_t i = 0; i < list->count; i++) {
        pid_t pid;

        if (parse_pid(list->items[i], &pid, e) < 0)
            return -1;
    }
    return 0;
}

static int check_arguments(const struct step_arguments *arguments, const struct option_list *rest,
                           struct error *e)
{
    const struct settle_rule *rule = &arguments->rule;

    if (rest->count != 1)
        return failed(e,
                      "expected: fakeclock step FILE --by DURATION [--for DURATION], or --serve");
    if (arguments->serve &&
        (arguments->by != 0 || arguments->whole != 0 || arguments->check != NULL))
        return failed(e, "--serve takes its orders from stdin; expected no --by, --for or --check");
    if (!arguments->serve && arguments->by <= 0)
        return failed(e, "--by: expected how far a step goes, such as 6h");
    if (arguments->whole < 0 || (arguments->whole > 0 && arguments->whole < arguments->by))
        return failed(e, "--for: expected at least one step, --by");
    if (rule->quiet <= 0 || rule->soon < 0 || rule->silence < rule->quiet ||
        rule->patience < rule->silence)
        return failed(e,
                      "expected --quiet up to --silence up to --patience, and more than nothing");
    if (check_processes(&arguments->trees, e) < 0)
        return failed_in(e, "--tree");
    return check_processes(&arguments->watched, e) < 0 ? failed_in(e, "--watch") : 0;
}

static int add_all(struct stepper *stepper, const struct option_list *list, bool poked,
                   struct error *e)
{
    for (size_t i = 0; i < list->count; i++) {
        pid_t pid = 0;

        if (parse_pid(list->items[i], &pid, e) < 0 || step_add(stepper, pid, poked, e) < 0)
            return -1;
    }
    return 0;
}

/* Its exit status; stdout is for our own lines. */
static int run_check(const char *command)
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(STATUS_NOT_FOUND);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return STATUS_NOT_FOUND;
    return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNALLED + WTERMSIG(status);
}

/* One step and its line; STATUS_FAILED where the check did. */
static int step_and_check(struct stepper *stepper, const struct step_arguments *arguments)
{
    struct step step;
    struct error e;
    int check = 0;

    if (step_once(stepper, arguments->by, &step, &e) < 0)
        return complain(STATUS_USAGE, &e);
    step_print(stepper, &step, stdout);
    if (arguments->check != NULL) {
        check = run_check(arguments->check);
        printf(",\"check\":%d", check);
    }
    puts("}");
    fflush(stdout);
    return check != 0 || step.never ? STATUS_FAILED : STATUS_DONE;
}

static int step_all(struct stepper *stepper, const struct step_arguments *arguments)
{
    int status = STATUS_DONE;

    for (int64_t left = arguments->whole; left >= 0 && status <= STATUS_FAILED;
         left -= arguments->by) {
        int one = step_and_check(stepper, arguments);

        status = one > status ? one : status;
        if (left < 2 * arguments->by)
            break;
    }
    return status;
}

/* --- orders ------------------------------------------------------------------------------------ */

static int order_step(struct stepper *stepper, const char *text, struct step *step, struct error *e)
{
    int64_t by;

    return duration_parse(text, &by, e) < 0 ? -1 : step_once(stepper, by, step, e);
}

static int order_rest(struct stepper *stepper, const char *text, struct step *step, struct error *e)
{
    (void)e;
    (void)text;
    step_rest(stepper, step);
    return 0;
}

static int order_tree(struct stepper *stepper, const char *text, struct step *step, struct error *e)
{
    pid_t pid = 0;

    (void)step;
    return parse_pid(text, &pid, e) < 0 ? -1 : step_add(stepper, pid, true, e);
}

static int order_watch(struct stepper *stepper, const char *text, struct step *step,
                       struct error *e)
{
    pid_t pid = 0;

    (void)step;
    return parse_pid(text, &pid, e) < 0 ? -1 : step_add(stepper, pid, false, e);
}

static int order_leave(struct stepper *stepper, const char *text, struct step *step,
                       struct error *e)
{
    pid_t pid = 0;

    (void)step;
    return parse_pid(text, &pid, e) < 0 ? -1 : step_drop(stepper, pid, e);
}

static const struct order {
    const char *name;
    bool takes; /* something after its name */
    bool waits; /* and is answered with what the step was */
    int (*obey)(struct stepper *stepper, const char *text, struct step *step, struct error *e);
} orders[] = {
    {"step",  true,  true,  order_step },
    {"rest",  false, true,  order_rest },
    {"tree",  true,  false, order_tree },
    {"watch", true,  false, order_watch},
    {"leave", true,  false, order_leave},
};

static const struct order *find_order(const char *line)
{
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        size_t length = strlen(orders[i].name);

        if (strncmp(line, orders[i].name, length) == 0 &&
            line[length] == (orders[i].takes ? ' ' : '\0'))
            return &orders[i];
    }
    return NULL;
}

/* As a string of JSON; what we say has no control characters (error.h). */
static void print_error(const struct error *e)
{
    printf("{\"error\":\"");
    for (const char *c = e->text; *c != '\0'; c++)
        printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    puts("\"}");
}

static int obey(struct stepper *stepper, const char *line, struct error *e)
{
    const struct order *order = find_order(line);
    struct step step = {0};

    if (order == NULL)
        return failed(e,
                      "'%.40s' is no order; expected 'step DURATION', 'rest', 'tree PID', "
                      "'watch PID' or 'leave PID'",
                      line);
    if (order->obey(stepper, line + strlen(order->name) + order->takes, &step, e) < 0)
        return -1;
    if (order->waits)
        step_print(stepper, &step, stdout);
    puts(order->waits ? "}" : "{\"ok\":true}");
    return 0;
}

static int serve(struct stepper *stepper)
{
    char *line = NULL;
    size_t room = 0;
    struct error e;

    puts("{\"hello\":\"fakeclock-step\",\"protocol\":1}");
    while (fflush(stdout) == 0 && getline(&line, &room, stdin) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (obey(stepper, line, &e) < 0)
            print_error(&e);
    }
    free(line);
    return ferror(stdout) ? STATUS_ENVIRONMENT : STATUS_DONE;
}

int verb_step(int argc, char **argv)
{
    static struct stepper stepper;
    struct step_arguments arguments = {
        .rule = {SETTLE_QUIET, SETTLE_LONG, SETTLE_SOON, SETTLE_GIVEUP}
    };
    struct option_list rest = {0};
    struct error e;
    int status;

    if (options_parse(step_options, argc, argv, &arguments, &rest, &e) < 0 ||
        check_arguments(&arguments, &rest, &e) < 0 ||
        step_open(&stepper, rest.items[0], arguments.mono, &arguments.rule, &e) < 0)
        return complain(STATUS_USAGE, &e);
    if (add_all(&stepper, &arguments.trees, true, &e) < 0 ||
        add_all(&stepper, &arguments.watched, false, &e) < 0)
        status = complain(STATUS_ENVIRONMENT, &e);
    else
        status = arguments.serve ? serve(&stepper) : step_all(&stepper, &arguments);
    step_close(&stepper);
    return status;
}
