/* dns_views.h -- the DNS of each perspective: a server and a zone of its own, so that one may be told what the
 * others are not.
 *
 * They are numbered from 1, the first perspective's.  Number 0 stands for all of them.
 *
 * Order of calls: dns_views_open; any of the rest; dns_views_close.
 */
#ifndef FAKECA_DNS_VIEWS_H
#define FAKECA_DNS_VIEWS_H

#include "fakeca/serve_dns.h"

#define DNS_VIEWS_MOST 8

struct dns_view {
    struct dns_zone *zone;
    struct dns_server server;
    struct address address; /* with the real port */
};

struct dns_views {
    struct dns_view views[DNS_VIEWS_MOST];
    size_t count;
};

/* The first listens at `address`, the others beside it, each on a port of its own.  `like` has the borrowed
 * fields of a server, but for the zone; `fallback` is the address of all names that have none, or NULL. */
int dns_views_open(struct dns_views *views, size_t count, const struct dns_server *like,
                   const struct address *address, const char *fallback, struct error *e);
void dns_views_close(struct dns_views *views);

/* As dns_zone_add and dns_zone_remove have it. */
int dns_views_add(struct dns_views *views, int64_t number, const char *record, struct error *e);
int dns_views_remove(struct dns_views *views, int64_t number, const char *name, const char *type,
                     struct error *e);

#endif
