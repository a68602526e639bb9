/* builtin.c -- target-builtin, the TLS server that is there when no other is installed.
 *
 * It prints one JSON line on stdout for each thing its starter must know:
 *
 *     {"event":"listening","address":"127.0.0.1:43211","pid":123,"serial":"0a1b","names":["shop.test"]}
 *     {"event":"reloaded","serial":"0a1c","names":["shop.test"]}
 *     {"event":"refused","why":"one line"}
 *     {"event":"unlogged","why":"one line"}      (once a reload, where the log cannot be written)
 *
 * SIGHUP reads everything again, all or nothing; SIGTERM and SIGINT end it.
 */
#include <errno.h>
#include <ev.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "testbed/targets/server.h"
#include "testbed/wire/options.h"
#include "testbed/wire/status.h"
#include "testbed/wire/streams.h"
#include "testbed/wire/version.h"

struct arguments {
    const char *config;
    bool check, version, help;
};

#define AT(field) offsetof(struct arguments, field)

/* clang-format off */
static const struct option_row rows[] = {
    {"config",  "FILE", "what to serve, in JSON",                  OPTION_TEXT, AT(config)},
    {"check",   NULL,   "say whether a start would work, and end", OPTION_FLAG, AT(check)},
    {"version", NULL,   "its version, and that of OpenSSL",        OPTION_FLAG, AT(version)},
    {"help",    NULL,   "this text",                               OPTION_FLAG, AT(help)},
    {0},
};
/* clang-format on */

static const struct status_row statuses[] = {
    {STATUS_DONE,        "it was ended; --check: a start would work"},
    {STATUS_FAILED,      "what is to be served cannot be"           },
    {STATUS_USAGE,       "wrong usage or settings"                  },
    {STATUS_ENVIRONMENT, "it cannot listen"                         },
    {0,                  NULL                                       },
};

struct program {
    const char *config;
    struct server server;
    ev_signal hangup, terminate, interrupt;
};

static bool unlogged; /* said already */

/* --- what the starter hears --------------------------------------------------------------------- */

/* Takes the object over.  A starter that stopped listening is no reason to stop serving. */
static void say(json_t *event)
{
    if (event != NULL && json_dumpf(event, stdout, JSON_COMPACT) == 0)
        putchar('\n');
    fflush(stdout);
    json_decref(event);
}

static json_t *names_of(const struct settings *settings)
{
    json_t *names = json_array();

    for (size_t i = 0; i < settings->host_count; i++)
        json_array_append_new(names, json_string(settings->hosts[i].name));
    return names;
}

static void say_listening(const struct server *server)
{
    say(json_pack("{s:s, s:s, s:i, s:s?, s:o}", "event", "listening", "address", server->address,
                  "pid", (int)getpid(), "serial", served_serial(server->served), "names",
                  names_of(served_settings(server->served))));
}

static void say_reloaded(const struct served *served)
{
    say(json_pack("{s:s, s:s?, s:o}", "event", "reloaded", "serial", served_serial(served), "names",
                  names_of(served_settings(served))));
}

static void say_why(const char *event, const char *why)
{
    say(json_pack("{s:s, s:s}", "event", event, "why", why));
}

static void on_log_error(int number)
{
    if (!unlogged)
        say_why("unlogged", strerror(number));
    unlogged = true;
}

/* --- signals ------------------------------------------------------------------------------------ */

static void on_hangup(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct program *program = signal->data;
    struct error e;

    (void)loop;
    (void)events;
    if (server_reload(&program->server, program->config, &e) < 0) {
        say_why("refused", e.text);
        return;
    }
    unlogged = false;
    say_reloaded(program->server.served);
}

static void on_terminate(struct ev_loop *loop, ev_signal *signal, int events)
{
    (void)signal;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static void watch(struct program *program)
{
    struct ev_loop *loop = program->server.loop;

    signal(SIGPIPE, SIG_IGN);
    ev_signal_init(&program->hangup, on_hangup, SIGHUP);
    ev_signal_init(&program->terminate, on_terminate, SIGTERM);
    ev_signal_init(&program->interrupt, on_terminate, SIGINT);
    program->hangup.data = program;
    ev_signal_start(loop, &program->hangup);
    ev_signal_start(loop, &program->terminate);
    ev_signal_start(loop, &program->interrupt);
}

/* --- from arguments to an exit status ----------------------------------------------------------- */

static int complain(const struct error *e, enum status status)
{
    fprintf(stderr, "target-builtin: %s\n", e->text);
    return status;
}

/* A check stops where a start would bind: it must also work beside the server it checks for. */
static int check(const char *config)
{
    struct error e;
    struct settings *settings = settings_read(config, &e);
    struct served *served = settings == NULL ? NULL : served_load(settings, &e);

    if (served == NULL)
        return complain(&e, STATUS_FAILED);
    served_release(served);
    return STATUS_DONE;
}

static int serve(const char *config)
{
    struct program program = {.config = config, .server = {.loop = ev_default_loop(0)}};
    struct error e;
    struct settings *settings = settings_read(config, &e);
    struct served *served;

    if (settings == NULL)
        return complain(&e, STATUS_USAGE);
    served = served_load(settings, &e);
    if (served == NULL)
        return complain(&e, STATUS_FAILED);
    watch(&program); /* before anyone learns the pid */
    if (server_open(&program.server, served, &e) < 0)
        return complain(&e, STATUS_ENVIRONMENT);
    program.server.connections.on_log_error = on_log_error;
    say_listening(&program.server);
    ev_run(program.server.loop, 0);
    server_close(&program.server);
    return STATUS_DONE;
}

static int perform(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct option_list rest = {0};
    struct error e;

    if (options_parse(rows, argc, argv, &arguments, &rest, &e) < 0)
        return complain(&e, STATUS_USAGE);
    if (arguments.help) {
        printf("usage: target-builtin --config FILE [--check]\n"
               "a small TLS server for rehearsals (docs/target-builtin.md)\n");
        options_print(rows, stdout);
        status_print(statuses, stdout);
        return STATUS_DONE;
    }
    if (arguments.version) {
        printf("target-builtin %s (openssl %s)\n", VERSION,
               OpenSSL_version(OPENSSL_VERSION_STRING));
        return STATUS_DONE;
    }
    if (rest.count > 0)
        failed(&e, "'%s' is not an option; usage: target-builtin --config FILE [--check]",
               rest.items[0]);
    else if (arguments.config == NULL)
        failed(&e, "--config FILE is missing; it says what to serve");
    if (rest.count > 0 || arguments.config == NULL)
        return complain(&e, STATUS_USAGE);
    /* The target serves what its settings say, whatever this machine's openssl.cnf prefers. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    return arguments.check ? check(arguments.config) : serve(arguments.config);
}

int main(int argc, char **argv)
{
    streams_fill();
    return streams_end("target-builtin", perform(argc, argv));
}
