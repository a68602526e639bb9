/* dns_deny.h -- the records that prove that something is not in the zone: NSEC (RFC 4034 section 4).
 *
 * They come about as they are asked for, as in RFC 4470.  Where the name is there and the type is not, one says what
 * else the name has, and nothing about any other name: a zone with a fallback has every name.  Where the name is not
 * there, they are those of the names around it and around the wildcard that could stand for it; this zone has no
 * wildcards, and "*" is a label as any other.
 */
#ifndef FAKECA_DNS_DENY_H
#define FAKECA_DNS_DENY_H

#include "fakeca/dns_zone.h"

/* Adds them to the packet's authority section, unsigned.  They say what they are asked to, be it true or not: that
 * the name does not exist, or that it has no records of that type.  -1 for want of memory. */
int dns_deny_name(const struct dns_zone *zone, const ldns_rdf *name, ldns_pkt *packet);
int dns_deny_type(const struct dns_zone *zone, const ldns_rdf *name, ldns_rr_type type,
                  ldns_pkt *packet);

#endif
