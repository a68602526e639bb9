/* fleet.h -- many clients that keep coming.
 *
 * Open arrivals ("rate") come by a schedule, evenly or as a Poisson process, whatever becomes
 * of those before them; closed ones ("at_once") are N clients that each come again when
 * they are done, RETRY_PAUSE later where they were not let in.  What the machine cannot
 * do is said and never piled up: `behind` counts arrivals that began more than LATE after
 * they were due, one in a turn of the loop, `skipped` those that did not begin at all.
 *
 * Time is cut twice: into ticks, for reports, and into generations, for causes.  Every
 * connection belongs to the generation in which it *began*, so that after fleet_mark the
 * counts of the new generation hold nothing that began before.
 */
#ifndef CLIENTS_FLEET_H
#define CLIENTS_FLEET_H

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/plan.h"
#include "clients/settings.h"

struct fleet_wish {
    struct settings settings;
    const char *rate; /* "60/s"; either this */
    long at_once;     /* or this many clients */
    bool poisson;
    long seed;
    int64_t tick; /* nanoseconds; 0 is 50 ms */
    long samples; /* of each failing outcome in a generation */
    long max_in_flight;
};

#define WISH(field) offsetof(struct fleet_wish, field)

/* clang-format off */
#define FLEET_ROWS \
    {"rate",          "N/s", "arrivals, whatever becomes of them",     OPTION_TEXT, WISH(rate)}, \
    {"at-once",       "N",   "clients that come again when done",      OPTION_NUMBER, WISH(at_once)}, \
    {"poisson",       NULL,  "random gaps between arrivals",           OPTION_FLAG, WISH(poisson)}, \
    {"seed",          "N",   "of those gaps [0]",                      OPTION_NUMBER, WISH(seed)}, \
    {"tick",          "T",   "how often to report [50ms]",             OPTION_DURATION, WISH(tick)}, \
    {"samples",       "N",   "full records of each failure [0]",       OPTION_NUMBER, WISH(samples)}, \
    {"max-in-flight", "N",   "never more connections at once [2000]",  OPTION_NUMBER, WISH(max_in_flight)}

/* What mark, set and stop say: the fleet they mean, and what set changes. */
struct fleet_change {
    struct settings settings; /* first: SETTINGS_ROWS count from here */
    long fleet;
};
#define FLEET_CHANGE_ROW \
    {"fleet", "ID", "the id of the request that began it", OPTION_NUMBER, offsetof(struct fleet_change, fleet)}
/* clang-format on */

struct fleet;

/* Takes a tick (a reference) and returns true; called with NULL it only says whether it would
 * take one now.  Where it would not, ticks gather into a later one. */
typedef bool fleet_tick(json_t *tick, void *owner);

/* Takes over one ownership of the plan, also where it fails. */
struct fleet *fleet_begin(struct ev_loop *loop, struct plan *plan, const struct fleet_wish *wish,
                          fleet_tick *tick, void *owner, struct error *e);
/* Ends the current generation; the number of the new one, or -1 and all is as it was. */
long fleet_mark(struct fleet *fleet, struct error *e);
/* The same, and those who come from now on come by this plan (taken over, also where it fails). */
long fleet_set(struct fleet *fleet, struct plan *plan, struct error *e);
/* Nobody comes any more; `stopped` is called when the last has gone and the last tick is told, which
 * may be at once.  The fleet is gone then. */
void fleet_stop(struct fleet *fleet, void (*stopped)(void *owner));
/* Ends it here and now, without another word. */
void fleet_abandon(struct fleet *fleet);

#endif
