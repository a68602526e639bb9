/* plan.h -- settings made ready: everything that connections of one asking share.
 *
 * plan_make checks the settings, resolves the host once (getaddrinfo, which blocks for
 * names and not for IP literals), maps the clock and has the driver prepare.  The plan is
 * counted: plan_make returns it with one owner, plan_keep adds one, plan_drop takes one.
 */
#ifndef CLIENTS_PLAN_H
#define CLIENTS_PLAN_H

#include <netdb.h>
#include <stdint.h>

#include "clients/driver.h"
#include "clients/settings.h"
#include "faketime/page.h"
#include "testbed/wire/address.h"

struct plan {
    const struct driver *driver;
    struct settings settings;
    struct profile *profile;
    struct address address;
    const char *name;           /* settings.name, or the host */
    struct addrinfo *addresses; /* tried in order, until one does not refuse */
    const struct clock_page *page;
    int64_t at; /* nanoseconds; only where settings.at was given */
    unsigned owners;
    void (*release)(void *lender); /* gives back what `settings` borrows from, or NULL */
    void *lender;
};

/* The settings are copied, the texts they borrow are not: they belong to `lender`, which
 * is released with the plan, also where this fails. */
struct plan *plan_make(const struct driver *driver, const struct settings *settings,
                       void (*release)(void *lender), void *lender, struct error *e);
struct plan *plan_keep(struct plan *plan);
void plan_drop(struct plan *plan);

/* The virtual now of a connection that begins, or goes on, at this instant: nanoseconds. */
int64_t plan_now(const struct plan *plan);

#endif
