#include "clients/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/answer.h"
#include "clients/connection.h"
#include "clients/fields.h"
#include "clients/fleet.h"
#include "testbed/wire/lines.h"
#include "testbed/wire/nearest.h"

/* Above this much unread by the asker, requests wait and ticks gather. */
#define OUTBOX_FULL    (1024 * 1024)
#define TICK_MAX_BYTES (LINE_MAX_BYTES - 1024) /* room for the id, and longer numbers */

struct worker {
    const struct driver *driver;
    struct ev_loop *loop;
    int in, out;
    ev_io readable, writable;
    struct lines lines;
    struct outbox outbox;
    struct probe *probes;
    struct errand *fleets;
    const char *gone; /* why no answer can be given any more, or NULL */
};

/* A probe under way. */
struct probe {
    struct worker *worker;
    json_int_t id;
    struct connection *connection;
    struct probe *next;
};

/* A fleet under way, and the request it stands by. */
struct errand {
    struct worker *worker;
    json_int_t id;
    struct fleet *fleet;
    json_t *request;    /* connection and fleet fields, as last set */
    json_int_t stop_id; /* whom to answer when it has stopped */
    bool stopping;
    struct errand *next;
};

/* --- answers ----------------------------------------------------------------------------------- */

static size_t unread(const struct worker *worker)
{
    return worker->outbox.used - worker->outbox.start;
}

static void give_up(struct worker *worker, const char *why)
{
    if (worker->gone == NULL)
        worker->gone = why;
    ev_break(worker->loop, EVBREAK_ALL);
}

static void flush(struct worker *worker)
{
    int done = outbox_flush(&worker->outbox, worker->out);

    if (done < 0)
        give_up(worker, "nobody reads the answers");
    if (done == 0)
        ev_io_start(worker->loop, &worker->writable);
    else
        ev_io_stop(worker->loop, &worker->writable);
    if (unread(worker) > OUTBOX_FULL)
        ev_io_stop(worker->loop, &worker->readable);
    else if (!worker->lines.ended)
        ev_io_start(worker->loop, &worker->readable);
}

/* Sends one line and drops the reference. */
static void say(struct worker *worker, json_t *line)
{
    char *text = line == NULL ? NULL : json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(15));

    if (text == NULL || outbox_put(&worker->outbox, text, strlen(text)) < 0 ||
        outbox_put(&worker->outbox, "\n", 1) < 0)
        give_up(worker, "out of memory"); /* an answer lost is worse than none at all */
    else
        flush(worker);
    free(text);
    json_decref(line);
}

static void say_with_id(struct worker *worker, json_int_t id, json_t *line)
{
    json_t *whole = json_pack("{s:I}", "id", id);

    if (whole != NULL && line != NULL)
        json_object_update(whole, line);
    json_decref(line);
    say(worker, whole);
}

static void say_error(struct worker *worker, json_t *id, const struct error *e)
{
    json_t *text = json_string(e->text);

    if (text == NULL) /* it quotes bytes that are not UTF-8 */
        text = json_string("a text that is not UTF-8");
    say(worker, json_pack("{s:O?, s:o}", "id", json_is_integer(id) ? id : NULL, "error", text));
}

/* --- probe ------------------------------------------------------------------------------------- */

static void on_probe_done(struct connection *connection, const struct result *result, void *owner)
{
    struct probe *probe = owner;
    struct worker *worker = probe->worker;

    (void)connection;
    for (struct probe **at = &worker->probes; *at != NULL; at = &(*at)->next)
        if (*at == probe) {
            *at = probe->next;
            break;
        }
    say_with_id(worker, probe->id, answer_json(result));
    free(probe);
}

static void release_json(void *json)
{
    json_decref(json);
}

static struct plan *plan_of(struct worker *worker, const struct settings *settings, json_t *request,
                            struct error *e)
{
    return plan_make(worker->driver, settings, release_json, json_incref(request), e);
}

static int do_probe(struct worker *worker, json_int_t id, json_t *request, struct error *e)
{
    static const struct option_row rows[] = {SETTINGS_ROWS, {0}};
    struct settings settings = SETTINGS_USUAL;
    struct probe *probe;
    struct plan *plan;

    if (fields_read(rows, request, &settings, e) < 0)
        return -1;
    plan = plan_of(worker, &settings, request, e);
    if (plan == NULL)
        return -1;
    probe = calloc(1, sizeof *probe);
    if (probe == NULL)
        failed(e, "out of memory");
    else
        probe->connection = connection_begin(worker->loop, plan, on_probe_done, probe, e);
    plan_drop(plan);
    if (probe == NULL || probe->connection == NULL) {
        free(probe);
        return -1;
    }
    probe->worker = worker;
    probe->id = id;
    probe->next = worker->probes;
    worker->probes = probe;
    return 0;
}

/* --- fleets ------------------------------------------------------------------------------------ */

/* Reads a request about a fleet; the fleet it means. */
static struct errand *errand_of(struct worker *worker, const struct option_row *rows,
                                json_t *request, struct error *e)
{
    struct fleet_change change = {.fleet = -1};

    if (fields_read(rows, request, &change, e) < 0)
        return NULL;
    if (change.fleet < 0)
        return failed(e, "fleet: missing; expected the id of a fleet"), NULL;
    for (struct errand *errand = worker->fleets; errand != NULL; errand = errand->next)
        if (errand->id == change.fleet)
            return errand;
    return failed(e, "fleet: there is no fleet %ld", change.fleet), NULL;
}

/* A line has a limit; only samples can make a tick so long, and they are worth less than it. */
static void fit_line(json_t *tick)
{
    if (json_dumpb(tick, NULL, 0, JSON_COMPACT) > TICK_MAX_BYTES)
        json_array_clear(json_object_get(tick, "samples"));
}

static bool on_tick(json_t *tick, void *owner)
{
    struct errand *errand = owner;

    if (tick == NULL)
        return unread(errand->worker) <= OUTBOX_FULL;
    fit_line(tick);
    say_with_id(errand->worker, errand->id, tick);
    return true;
}

static void forget_errand(struct errand *errand)
{
    for (struct errand **at = &errand->worker->fleets; *at != NULL; at = &(*at)->next)
        if (*at == errand) {
            *at = errand->next;
            break;
        }
    json_decref(errand->request);
    free(errand);
}

static void on_stopped(void *owner)
{
    struct errand *errand = owner;

    say_with_id(errand->worker, errand->stop_id, json_pack("{s:b}", "stopped", 1));
    forget_errand(errand);
}

static int do_fleet(struct worker *worker, json_int_t id, json_t *request, struct error *e)
{
    static const struct option_row rows[] = {SETTINGS_ROWS, FLEET_ROWS, {0}};
    struct fleet_wish wish = {.settings = SETTINGS_USUAL};
    struct errand *errand;
    struct plan *plan;

    if (fields_read(rows, request, &wish, e) < 0)
        return -1;
    errand = calloc(1, sizeof *errand);
    if (errand == NULL)
        return failed(e, "out of memory");
    plan = plan_of(worker, &wish.settings, request, e);
    if (plan != NULL)
        errand->fleet = fleet_begin(worker->loop, plan, &wish, on_tick, errand, e);
    if (errand->fleet == NULL) {
        free(errand);
        return -1;
    }
    errand->worker = worker;
    errand->id = id;
    errand->request = json_incref(request);
    errand->next = worker->fleets;
    worker->fleets = errand;
    say_with_id(worker, id, json_pack("{s:b}", "started", 1));
    return 0;
}

static const struct option_row only_fleet[] = {FLEET_CHANGE_ROW, {0}};

static int do_mark(struct worker *worker, json_int_t id, json_t *request, struct error *e)
{
    struct errand *errand = errand_of(worker, only_fleet, request, e);
    long generation = errand == NULL ? -1 : fleet_mark(errand->fleet, e);

    if (generation < 0)
        return -1;
    say_with_id(worker, id, json_pack("{s:I}", "generation", (json_int_t)generation));
    return 0;
}

/* The plan of a whole request, as changed. */
static struct plan *replan(struct worker *worker, json_t *whole, struct error *e)
{
    static const struct option_row rows[] = {SETTINGS_ROWS, FLEET_ROWS, {0}};
    struct fleet_wish wish = {.settings = SETTINGS_USUAL};

    if (whole == NULL)
        return failed(e, "out of memory"), NULL;
    if (fields_read(rows, whole, &wish, e) < 0)
        return NULL;
    return plan_of(worker, &wish.settings, whole, e);
}

static int do_set(struct worker *worker, json_int_t id, json_t *request, struct error *e)
{
    static const struct option_row rows[] = {SETTINGS_ROWS, FLEET_CHANGE_ROW, {0}};
    struct errand *errand = errand_of(worker, rows, request, e);
    long generation = -1;
    struct plan *plan;
    json_t *whole;

    if (errand == NULL)
        return -1;
    json_object_del(request, "fleet");
    whole = json_copy(errand->request);
    json_object_update(whole, request);
    plan = replan(worker, whole, e);
    if (plan != NULL)
        generation = fleet_set(errand->fleet, plan, e);
    if (generation < 0) {
        json_decref(whole);
        return -1;
    }
    json_decref(errand->request);
    errand->request = whole; /* that request stands for the fleet now */
    say_with_id(worker, id, json_pack("{s:I}", "generation", (json_int_t)generation));
    return 0;
}

static int do_stop(struct worker *worker, json_int_t id, json_t *request, struct error *e)
{
    struct errand *errand = errand_of(worker, only_fleet, request, e);

    if (errand == NULL)
        return -1;
    if (errand->stopping)
        return failed(e, "fleet: %lld is already being stopped", (long long)errand->id);
    errand->stopping = true;
    errand->stop_id = id;
    fleet_stop(errand->fleet, on_stopped);
    return 0;
}

/* --- requests ---------------------------------------------------------------------------------- */

static const struct request_verb {
    const char *name;
    int (*run)(struct worker *worker, json_int_t id, json_t *request, struct error *e);
} verbs[] = {
    {"probe", do_probe},
    {"fleet", do_fleet},
    {"mark",  do_mark },
    {"set",   do_set  },
    {"stop",  do_stop },
};
#define VERBS (sizeof verbs / sizeof verbs[0])

static const struct request_verb *verb_of(json_t *request, struct error *e)
{
    const char *name = json_string_value(json_object_get(request, "do"));
    const char *names[VERBS];
    const char *near;

    if (name == NULL)
        return failed(e, "do: missing; expected probe, fleet, mark, set or stop"), NULL;
    for (size_t i = 0; i < VERBS; i++) {
        names[i] = verbs[i].name;
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    near = nearest(name, names, VERBS);
    if (near != NULL)
        return failed(e, "do: '%.60s' is unknown; did you mean '%s'?", name, near), NULL;
    return failed(e, "do: '%.60s' is unknown; expected probe, fleet, mark, set or stop", name),
           NULL;
}

static int id_of(struct worker *worker, json_t *request, json_int_t *id, struct error *e)
{
    json_t *value = json_object_get(request, "id");

    if (!json_is_integer(value))
        return failed(e, "id: expected an integer, to answer to");
    *id = json_integer_value(value);
    for (struct probe *probe = worker->probes; probe != NULL; probe = probe->next)
        if (probe->id == *id)
            return failed(e, "id: %lld is still being worked on", (long long)*id);
    for (struct errand *errand = worker->fleets; errand != NULL; errand = errand->next)
        if (errand->id == *id)
            return failed(e, "id: %lld is a fleet's", (long long)*id);
    return 0;
}

static int obey(struct worker *worker, json_t *request, struct error *e)
{
    const struct request_verb *verb;
    json_int_t id = 0;

    if (!json_is_object(request))
        return failed(e, "expected one JSON object on a line");
    if (id_of(worker, request, &id, e) < 0)
        return -1;
    verb = verb_of(request, e);
    if (verb == NULL)
        return -1;
    json_object_del(request, "id");
    json_object_del(request, "do");
    return verb->run(worker, id, request, e);
}

static void on_line(struct worker *worker, const char *line)
{
    struct error e = {""};
    json_error_t why;
    json_t *request, *id;

    if (worker->lines.too_long) {
        failed(&e, "the line is longer than %d bytes", LINE_MAX_BYTES);
        say_error(worker, NULL, &e);
        return;
    }
    request = json_loads(line, JSON_REJECT_DUPLICATES, &why);
    id = json_incref(json_object_get(request, "id"));
    if (request == NULL)
        failed(&e, "not JSON: %s, at column %d", why.text, why.column);
    if (request == NULL || obey(worker, request, &e) < 0)
        say_error(worker, id, &e);
    json_decref(id);
    json_decref(request);
}

/* --- the loop ---------------------------------------------------------------------------------- */

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct worker *worker = io->data;
    ssize_t got = lines_read(&worker->lines, worker->in);
    const char *line;

    (void)events;
    if (got < 0 && errno == EAGAIN)
        return;
    while ((line = lines_next(&worker->lines)) != NULL)
        if (line[0] != '\0' || worker->lines.too_long)
            on_line(worker, line);
    if (got <= 0) {
        worker->lines.ended = true;
        ev_io_stop(loop, io);
        ev_break(loop, EVBREAK_ALL);
    }
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    flush(io->data);
}

static void hello(struct worker *worker)
{
    json_t *features = json_array();

    for (const char *const *at = worker->driver->features; *at != NULL; at++)
        json_array_append_new(features, json_string(*at));
    say(worker, json_pack("{s:s, s:i, s:s, s:s, s:o}", "hello", "rehearse-worker", "protocol",
                          WORKER_PROTOCOL, "library", worker->driver->library, "version",
                          worker->driver->version(), "features", features));
}

/* A terminal or a file shared with others must not become non-blocking under their feet. */
static void dont_block(int fd)
{
    struct stat about;

    if (fstat(fd, &about) == 0 && (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode)))
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void clear_up(struct worker *worker)
{
    for (struct probe *probe = worker->probes, *next; probe != NULL; probe = next) {
        next = probe->next;
        connection_abandon(probe->connection);
        free(probe);
    }
    for (struct errand *errand = worker->fleets, *next; errand != NULL; errand = next) {
        next = errand->next;
        fleet_abandon(errand->fleet);
        forget_errand(errand);
    }
    lines_free(&worker->lines);
    outbox_free(&worker->outbox);
    ev_loop_destroy(worker->loop);
}

int worker_run(const struct driver *with, int in, int out, struct error *e)
{
    struct worker worker = {.driver = with, .in = in, .out = out, .loop = ev_loop_new(EVFLAG_AUTO)};
    const char *gone;

    if (worker.loop == NULL)
        return failed(e, "cannot make an event loop");
    dont_block(out);
    ev_io_init(&worker.readable, on_readable, in, EV_READ);
    ev_io_init(&worker.writable, on_writable, out, EV_WRITE);
    worker.readable.data = worker.writable.data = &worker;
    hello(&worker);
    if (worker.gone == NULL)
        ev_run(worker.loop, 0);
    gone = worker.gone;
    clear_up(&worker);
    return gone != NULL ? failed(e, "%s", gone) : 0;
}
