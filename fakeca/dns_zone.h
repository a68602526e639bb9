/* dns_zone.h -- what the rehearsal's DNS server knows: records in memory.
 *
 * Names are found whatever the case of their letters.  Every name that has no address and no
 * CNAME of its own may have a fallback address, so that a scenario's names need not be listed.
 *
 * Order of calls: dns_zone_new; any of the rest, in any order, at any time; dns_zone_free.
 */
#ifndef FAKECA_DNS_ZONE_H
#define FAKECA_DNS_ZONE_H

#include <stdbool.h> /* first: without it libldns makes a signed char of _Bool */

#include <ldns/ldns.h>

#include "testbed/wire/error.h"

#define DNS_RECORDS_MOST 65536 /* in a zone */
#define DNS_TTL          1     /* second, of records that do not say: answers change at run time */

/* What stands at the top, wherever there is need to say that it does. */
#define DNS_SOA ". 0 IN SOA ns.rehearsal.test. hostmaster.rehearsal.test. 1 3600 600 86400 0"

struct dns_zone;

struct dns_zone *dns_zone_new(struct error *e);
void dns_zone_free(struct dns_zone *zone);

/* The address of all names that have none: IPv4 or IPv6, each call sets that family.  With one
 * of them there is no name that does not exist. */
int dns_zone_fallback(struct dns_zone *zone, const char *address, struct error *e);

/* One record as in a master file (RFC 1035 section 5), names in full: "shop.test. CAA 0 issue
 * \"ca.test\"".  One that is there already is left as it is. */
int dns_zone_add(struct dns_zone *zone, const char *line, struct error *e);

/* What was taken away: a count.  `type` is "TXT", "A" ...; NULL takes away all of the name's. */
int dns_zone_remove(struct dns_zone *zone, const char *name, const char *type, struct error *e);

/* --- for dns_answer.c and dns_deny.c --- */

/* The records of a name, borrowed until the zone changes; NULL where it has none. */
const ldns_rr_list *dns_zone_find(const struct dns_zone *zone, const ldns_rdf *name);
/* Whether the name has records, or names below it have, or there is a fallback. */
bool dns_zone_exists(const struct dns_zone *zone, const ldns_rdf *name);
/* The fallback address of that type (A or AAAA), borrowed; NULL where there is none, and for a name that needs none. */
const ldns_rdf *dns_zone_fallback_of(const struct dns_zone *zone, const ldns_rdf *name,
                                     ldns_rr_type type);
/* Of the names with records, in canonical order (RFC 4034 section 6.1), the last before that name, and the first after
 * it that is not below it; borrowed until the zone changes; NULL where there is none. */
const ldns_rdf *dns_zone_before(const struct dns_zone *zone, const ldns_rdf *name);
const ldns_rdf *dns_zone_after(const struct dns_zone *zone, const ldns_rdf *name);

#endif
