/* client.c -- main: one probe for a person or a script, or a worker that is spoken to. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clients/answer.h"
#include "clients/connection.h"
#include "clients/driver.h"
#include "clients/worker.h"
#include "faketime/page.h"
#include "testbed/wire/status.h"
#include "testbed/wire/streams.h"
#include "testbed/wire/version.h"

struct arguments {
    struct settings settings; /* first: SETTINGS_ROWS count from here */
    bool json, markdown, worker, outcomes, version, help;
};

#define ARGUMENT(field) offsetof(struct arguments, field)

/* clang-format off */
static const struct option_row rows[] = {
    SETTINGS_ROWS,
    {"json",     NULL, "one JSON object instead of lines for people", OPTION_FLAG, ARGUMENT(json)},
    {"worker",   NULL, "take requests on stdin (docs/worker-protocol.md)", OPTION_FLAG, ARGUMENT(worker)},
    {"outcomes", NULL, "list every outcome (also with --json or --markdown)", OPTION_FLAG, ARGUMENT(outcomes)},
    {"markdown", NULL, "the outcomes as a table for documents", OPTION_FLAG, ARGUMENT(markdown)},
    {"version",  NULL, "its version, and that of the library that is loaded", OPTION_FLAG, ARGUMENT(version)},
    {"help",     NULL, "this text", OPTION_FLAG, ARGUMENT(help)},
    {0},
};
/* clang-format on */

static const struct status_row statuses[] = {
    {STATUS_DONE,        "the handshake was accepted"            },
    {STATUS_FAILED,      "it was not"                            },
    {STATUS_USAGE,       "wrong usage or input; nothing was sent"},
    {STATUS_ENVIRONMENT, "this machine could not do it"          },
    {0,                  NULL                                    },
};

static int complain(const struct error *e, enum status status)
{
    fprintf(stderr, "client-%s: %s\n", driver.library, e->text);
    return status;
}

static int help(void)
{
    printf("usage: client-%s --connect HOST:PORT [--name NAME] [--trust FILE] [options]\n"
           "       client-%s --worker\n"
           "       client-%s --outcomes [--json|--markdown]\n\n"
           "Makes one TLS handshake with %s %s and says what the library made of it.\n\n",
           driver.library, driver.library, driver.library, driver.library, driver.version());
    options_print(rows, stdout);
    puts("\nTIME is 2027-03-01T00:00:00Z, @1793836800 or an offset such as +90d; T is 5s, 200ms, "
         "10d.");
    status_print(statuses, stdout);
    return STATUS_DONE;
}

/* --- one probe ---------------------------------------------------------------------------------- */

struct one_shot {
    const struct arguments *arguments;
    struct plan *plan;
    int status;
};

static void print_json(const struct result *result)
{
    json_t *answer = answer_json(result);

    json_dumpf(answer, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
    putchar('\n');
    json_decref(answer);
}

static void on_done(struct connection *connection, const struct result *result, void *owner)
{
    struct one_shot *shot = owner;

    (void)connection;
    if (shot->arguments->json)
        print_json(result);
    else
        answer_print(shot->plan, result, stdout);
    shot->status = result->verdict.outcome == OUTCOME_OK ? STATUS_DONE : STATUS_FAILED;
}

static int probe(const struct arguments *arguments)
{
    struct one_shot shot = {.arguments = arguments};
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct error e = {"cannot make an event loop"};

    if (loop == NULL)
        return complain(&e, STATUS_ENVIRONMENT);
    shot.plan = plan_make(&driver, &arguments->settings, NULL, NULL, &e);
    if (shot.plan == NULL)
        shot.status = complain(&e, STATUS_USAGE);
    else if (connection_begin(loop, shot.plan, on_done, &shot, &e) == NULL)
        shot.status = complain(&e, STATUS_ENVIRONMENT);
    else
        ev_run(loop, 0);
    if (shot.plan != NULL)
        plan_drop(shot.plan);
    ev_loop_destroy(loop);
    return shot.status;
}

/* --- what is asked -------------------------------------------------------------------------------- */

static int outcomes(const struct arguments *arguments)
{
    outcomes_print(arguments->json       ? OUTCOMES_JSON
                   : arguments->markdown ? OUTCOMES_MARKDOWN
                                         : OUTCOMES_PLAIN,
                   stdout);
    return STATUS_DONE;
}

/* Thousands of connections need as many descriptors. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int worker(void)
{
    struct error e;

    raise_descriptors();
    if (worker_run(&driver, STDIN_FILENO, STDOUT_FILENO, &e) < 0)
        return complain(&e, STATUS_ENVIRONMENT);
    return STATUS_DONE;
}

static int run(const struct arguments *arguments)
{
    if (arguments->help)
        return help();
    if (arguments->version)
        return printf("client-%s %s (%s %s)\n", driver.library, VERSION, driver.library,
                      driver.version()),
               STATUS_DONE;
    if (arguments->outcomes)
        return outcomes(arguments);
    if (arguments->worker)
        return worker();
    return probe(arguments);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.settings = SETTINGS_USUAL};
    struct option_list rest = {0};
    static char name[32];
    struct error e;

    streams_fill();
    signal(SIGPIPE, SIG_IGN);
    snprintf(name, sizeof name, "client-%s", driver.library);
    page_guard(name, STATUS_ENVIRONMENT);
    if (options_parse(rows, argc, argv, &arguments, &rest, &e) < 0)
        return complain(&e, STATUS_USAGE);
    if (rest.count > 0) {
        failed(&e, "unexpected '%s'; every value has its option, see --help", rest.items[0]);
        return complain(&e, STATUS_USAGE);
    }
    return streams_end(name, run(&arguments));
}
