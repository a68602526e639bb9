#include "clients/fleet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clients/connection.h"
#include "clients/tally.h"
#include "clients/virtual_time.h"
#include "testbed/wire/moment.h"

#define TICK          0.05 /* seconds */
#define TICK_MIN      0.001
#define MAX_IN_FLIGHT 2000
#define RETRY_PAUSE   0.01
#define LATE          0.05 /* an arrival that begins so much later is told as "behind" */
#define BURST         512  /* connections begun before the loop looks at those there are */
#define RATE_MAX      1e6

struct generation {
    struct generation *next; /* younger */
    struct fleet *fleet;
    long number;
    struct plan *plan;
    size_t in_flight;
    struct tally tally;
    long sampled[OUTCOME_COUNT];
};

struct client {
    struct generation *generation;
    struct connection *connection;
    struct client *next, **back;
};

struct fleet {
    struct ev_loop *loop;
    fleet_tick *tick;
    void (*stopped)(void *owner);
    void *owner;
    double gap; /* mean seconds between arrivals; 0 for a closed fleet */
    size_t at_once;
    bool poisson;
    uint64_t random;
    long samples;
    size_t max_in_flight, in_flight;
    size_t resting; /* closed clients that wait before they try again */
    double due;     /* of the next arrival, CLOCK_MONOTONIC */
    double ticked;  /* when the last tick ended */
    long ticks;
    unsigned long behind, skipped; /* since the last tick */
    ev_timer arrival, rest, ticker;
    struct generation *oldest, *current;
    struct client *clients;
};

/* --- chance ------------------------------------------------------------------------------------ */

/* splitmix64: (0, 1], the same on every machine for the same seed. */
static double chance(struct fleet *fleet)
{
    uint64_t z = fleet->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return ((double)(z >> 11) + 1) / 9007199254740992.0;
}

static double next_gap(struct fleet *fleet)
{
    return fleet->poisson ? -log(chance(fleet)) * fleet->gap : fleet->gap;
}

/* --- generations ------------------------------------------------------------------------------- */

static int add_generation(struct fleet *fleet, struct plan *plan, struct error *e)
{
    struct generation *generation = calloc(1, sizeof *generation);

    if (generation == NULL)
        return failed(e, "out of memory");
    generation->fleet = fleet;
    generation->plan = plan;
    if (fleet->current == NULL) {
        fleet->oldest = generation;
    } else {
        generation->number = fleet->current->number + 1;
        fleet->current->next = generation;
    }
    fleet->current = generation;
    return 0;
}

static void drop_oldest(struct fleet *fleet)
{
    struct generation *generation = fleet->oldest;

    fleet->oldest = generation->next;
    plan_drop(generation->plan);
    tally_clear(&generation->tally);
    free(generation);
}

/* --- ticks ------------------------------------------------------------------------------------- */

static void tell(struct fleet *fleet, struct generation *generation, double to)
{
    bool current = generation == fleet->current;
    json_t *tick = tally_json(&generation->tally);
    json_t *about = json_pack(
        "{s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:I}", "tick", (json_int_t)fleet->ticks, "generation",
        (json_int_t)generation->number, "from", fleet->ticked, "to", to, "now",
        (json_int_t)(plan_now(generation->plan) / NANOSECONDS), "in_flight",
        (json_int_t)generation->in_flight, "behind", (json_int_t)(current ? fleet->behind : 0),
        "skipped", (json_int_t)(current ? fleet->skipped : 0));

    json_object_update(about, tick);
    json_decref(tick);
    tally_clear(&generation->tally);
    fleet->tick(about, fleet->owner);
}

/* One line for the current generation, and one for each older that has something to say or still
 * to come. */
static void tell_all(struct fleet *fleet)
{
    double now = true_monotonic();

    for (struct generation *g = fleet->oldest; g != NULL; g = g->next)
        if (g == fleet->current || g->tally.count > 0 || g->in_flight > 0)
            tell(fleet, g, now);
    fleet->behind = fleet->skipped = 0;
    fleet->ticked = now;
    fleet->ticks++;
    while (fleet->oldest != NULL && fleet->oldest != fleet->current &&
           fleet->oldest->in_flight == 0)
        drop_oldest(fleet);
}

static void on_ticker(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct fleet *fleet = timer->data;

    (void)loop;
    (void)events;
    if (fleet->tick(NULL, fleet->owner))
        tell_all(fleet);
}

/* --- clients ----------------------------------------------------------------------------------- */

static void leave(struct client *client)
{
    *client->back = client->next;
    if (client->next != NULL)
        client->next->back = client->back;
    client->generation->in_flight--;
    client->generation->fleet->in_flight--;
    free(client);
}

static void end_when_empty(struct fleet *fleet)
{
    void (*stopped)(void *) = fleet->stopped;
    void *owner = fleet->owner;

    if (stopped == NULL || fleet->in_flight > 0)
        return;
    tell_all(fleet);
    fleet_abandon(fleet);
    stopped(owner);
}

static void on_client_done(struct connection *connection, const struct result *result, void *owner)
{
    struct client *client = owner;
    struct generation *generation = client->generation;
    struct fleet *fleet = generation->fleet;
    enum outcome outcome = result->verdict.outcome;

    (void)connection;
    tally_add(&generation->tally, result);
    if (outcome != OUTCOME_OK && generation->sampled[outcome] < fleet->samples) {
        generation->sampled[outcome]++;
        tally_sample(&generation->tally, result);
    }
    leave(client);
    if (fleet->stopped != NULL) {
        end_when_empty(fleet);
    } else if (fleet->at_once > 0 && outcome != OUTCOME_OK) {
        fleet->resting++;
        if (!ev_is_active(&fleet->rest))
            ev_timer_again(fleet->loop, &fleet->rest);
    } else if (fleet->at_once > 0 && !ev_is_active(&fleet->arrival)) {
        ev_timer_set(&fleet->arrival, 0, 0);
        ev_timer_start(fleet->loop, &fleet->arrival);
    }
}

static void send_one(struct fleet *fleet)
{
    struct client *client = NULL;
    struct error e;

    if (fleet->in_flight < fleet->max_in_flight)
        client = calloc(1, sizeof *client);
    if (client != NULL)
        client->connection =
            connection_begin(fleet->loop, fleet->current->plan, on_client_done, client, &e);
    if (client == NULL || client->connection == NULL) {
        free(client);
        fleet->skipped++;
        return;
    }
    client->generation = fleet->current;
    client->next = fleet->clients;
    client->back = &fleet->clients;
    if (client->next != NULL)
        client->next->back = &client->next;
    fleet->clients = client;
    fleet->current->in_flight++;
    fleet->in_flight++;
}

/* --- arrivals ---------------------------------------------------------------------------------- */

static void next_arrival_in(struct fleet *fleet, double seconds)
{
    ev_now_update(fleet->loop);
    ev_timer_set(&fleet->arrival, seconds > 0 ? seconds : 0, 0);
    ev_timer_start(fleet->loop, &fleet->arrival);
}

/* Of the arrivals that are late one begins, and the others are skipped: who took on all at once what
 * there was no time for one by one would have ever more under way, and bring nothing to its end. */
static void late_arrivals(struct fleet *fleet, double limit)
{
    if (fleet->due >= limit)
        return;
    fleet->behind++;
    send_one(fleet);
    fleet->due += next_gap(fleet);
    while (fleet->due < limit) {
        fleet->skipped++;
        fleet->due += next_gap(fleet);
    }
}

static void open_arrivals(struct fleet *fleet)
{
    double now = true_monotonic();

    late_arrivals(fleet, now - LATE);
    for (int begun = 0; fleet->due <= now && begun < BURST; begun++) {
        send_one(fleet);
        fleet->due += next_gap(fleet);
    }
    next_arrival_in(fleet, fleet->due - true_monotonic());
}

static void closed_arrivals(struct fleet *fleet)
{
    int begun = 0;

    while (fleet->in_flight + fleet->resting < fleet->at_once && begun++ < BURST) {
        size_t before = fleet->in_flight;

        send_one(fleet);
        if (fleet->in_flight == before) { /* no descriptor left, perhaps: not at once again */
            next_arrival_in(fleet, RETRY_PAUSE);
            return;
        }
    }
    if (fleet->in_flight + fleet->resting < fleet->at_once)
        next_arrival_in(fleet, 0);
}

static void on_arrival(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct fleet *fleet = timer->data;

    (void)loop;
    (void)events;
    if (fleet->at_once > 0)
        closed_arrivals(fleet);
    else
        open_arrivals(fleet);
}

static void on_rested(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct fleet *fleet = timer->data;

    (void)events;
    ev_timer_stop(loop, timer);
    fleet->resting = 0;
    if (fleet->stopped == NULL)
        closed_arrivals(fleet);
}

/* --- the fleet --------------------------------------------------------------------------------- */

/* "60/s", "90/m", "0.5/s": a number, and a unit of time that it happens so often in. */
static int rate_parse(const char *text, double *gap, struct error *e)
{
    char *end;
    double number = strtod(text, &end);
    char one[8];
    int64_t unit;

    if (end == text || *end != '/' || strlen(end) > 3 || !(number > 0))
        return failed(e, "rate: '%.60s' is not a rate; expected a number per time, such as 60/s",
                      text);
    snprintf(one, sizeof one, "1%s", end + 1);
    if (duration_parse(one, &unit, e) < 0)
        return failed(e, "rate: '%.60s' is not a rate; expected a number per time, such as 60/s",
                      text);
    *gap = (double)unit / (double)NANOSECONDS / number;
    if (*gap < 1 / RATE_MAX)
        return failed(e, "rate: '%.60s' is more than a million a second", text);
    return 0;
}

static int read_wish(struct fleet *fleet, const struct fleet_wish *wish, struct error *e)
{
    if ((wish->rate == NULL) == (wish->at_once == 0))
        return failed(e, "rate, at_once: expected one of them, to say how the clients come");
    if (wish->rate != NULL && rate_parse(wish->rate, &fleet->gap, e) < 0)
        return -1;
    if (wish->poisson && wish->rate == NULL)
        return failed(e, "poisson: needs a rate");
    if (wish->tick != 0 && (double)wish->tick / 1e9 < TICK_MIN)
        return failed(e, "tick: must be at least 1ms");
    fleet->at_once = (size_t)wish->at_once;
    fleet->poisson = wish->poisson;
    fleet->random = (uint64_t)wish->seed;
    fleet->samples = wish->samples;
    fleet->max_in_flight = wish->max_in_flight == 0 ? MAX_IN_FLIGHT : (size_t)wish->max_in_flight;
    if (fleet->at_once > fleet->max_in_flight)
        return failed(e, "at_once: is more than max_in_flight, %zu", fleet->max_in_flight);
    return 0;
}

static void start_timers(struct fleet *fleet, double tick)
{
    ev_timer_init(&fleet->arrival, on_arrival, 0, 0);
    ev_timer_init(&fleet->rest, on_rested, 0, RETRY_PAUSE);
    ev_timer_init(&fleet->ticker, on_ticker, tick, tick);
    fleet->arrival.data = fleet->rest.data = fleet->ticker.data = fleet;
    ev_now_update(fleet->loop);
    ev_timer_start(fleet->loop, &fleet->arrival);
    ev_timer_start(fleet->loop, &fleet->ticker);
}

struct fleet *fleet_begin(struct ev_loop *loop, struct plan *plan, const struct fleet_wish *wish,
                          fleet_tick *tick, void *owner, struct error *e)
{
    struct fleet *fleet = calloc(1, sizeof *fleet);

    if (fleet == NULL)
        failed(e, "out of memory");
    if (fleet == NULL || read_wish(fleet, wish, e) < 0 || add_generation(fleet, plan, e) < 0) {
        free(fleet);
        plan_drop(plan);
        return NULL;
    }
    fleet->loop = loop;
    fleet->tick = tick;
    fleet->owner = owner;
    fleet->due = fleet->ticked = true_monotonic();
    start_timers(fleet, wish->tick == 0 ? TICK : (double)wish->tick / 1e9);
    return fleet;
}

long fleet_mark(struct fleet *fleet, struct error *e)
{
    return fleet_set(fleet, plan_keep(fleet->current->plan), e);
}

long fleet_set(struct fleet *fleet, struct plan *plan, struct error *e)
{
    if (add_generation(fleet, plan, e) < 0) {
        plan_drop(plan);
        return -1;
    }
    return fleet->current->number;
}

void fleet_stop(struct fleet *fleet, void (*stopped)(void *owner))
{
    fleet->stopped = stopped;
    ev_timer_stop(fleet->loop, &fleet->arrival);
    ev_timer_stop(fleet->loop, &fleet->rest);
    end_when_empty(fleet);
}

void fleet_abandon(struct fleet *fleet)
{
    for (struct client *client = fleet->clients, *next; client != NULL; client = next) {
        next = client->next;
        connection_abandon(client->connection);
        leave(client);
    }
    ev_timer_stop(fleet->loop, &fleet->arrival);
    ev_timer_stop(fleet->loop, &fleet->rest);
    ev_timer_stop(fleet->loop, &fleet->ticker);
    while (fleet->oldest != NULL)
        drop_oldest(fleet);
    free(fleet);
}
