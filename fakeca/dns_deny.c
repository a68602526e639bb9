#include "fakeca/dns_deny.h"

#include <string.h>

#define TYPES_MOST 64 /* in one NSEC record; a name with more of them is not told of all */
#define NSEC_TTL   0  /* as the SOA record has it: RFC 9077 */

/* --- one record --------------------------------------------------------------------------------- */

static size_t add_type(ldns_rr_type *types, size_t count, ldns_rr_type type, ldns_rr_type but)
{
    for (size_t i = 0; i < count; i++)
        if (types[i] == type)
            return count;
    if (type == but || count == TYPES_MOST)
        return count;
    types[count] = type;
    return count + 1;
}

/* The types of the records that a name has, but one; 0: all. */
static ldns_rdf *types_of(const struct dns_zone *zone, const ldns_rdf *name, ldns_rr_type but)
{
    const ldns_rr_list *records = dns_zone_find(zone, name);
    ldns_rr_type types[TYPES_MOST] = {LDNS_RR_TYPE_RRSIG, LDNS_RR_TYPE_NSEC};
    size_t count = 2;

    for (size_t i = 0; records != NULL && i < ldns_rr_list_rr_count(records); i++)
        count = add_type(types, count, ldns_rr_get_type(ldns_rr_list_rr(records, i)), but);
    if (dns_zone_fallback_of(zone, name, LDNS_RR_TYPE_A) != NULL)
        count = add_type(types, count, LDNS_RR_TYPE_A, but);
    if (dns_zone_fallback_of(zone, name, LDNS_RR_TYPE_AAAA) != NULL)
        count = add_type(types, count, LDNS_RR_TYPE_AAAA, but);
    return ldns_dnssec_create_nsec_bitmap(types, count, LDNS_RR_TYPE_NSEC);
}

/* Takes `next` over; NULL stands for memory that ran out. */
static int put_nsec(const struct dns_zone *zone, const ldns_rdf *name, ldns_rdf *next,
                    ldns_rr_type but, ldns_pkt *packet)
{
    ldns_rr *record = ldns_rr_new();
    ldns_rdf *owner = ldns_rdf_clone(name), *types = types_of(zone, name, but);

    if (record == NULL || owner == NULL || next == NULL || types == NULL ||
        !ldns_rr_push_rdf(record, next)) {
        ldns_rr_free(record);
        ldns_rdf_deep_free(owner);
        ldns_rdf_deep_free(next);
        ldns_rdf_deep_free(types);
        return -1;
    }
    ldns_rr_set_owner(record, owner);
    ldns_rr_set_type(record, LDNS_RR_TYPE_NSEC);
    ldns_rr_set_class(record, LDNS_RR_CLASS_IN);
    ldns_rr_set_ttl(record, NSEC_TTL);
    /* verifiers leave the letters of `next` as they are, or do not: RFC 6840 section 5.1 */
    ldns_rr2canonical(record);
    if (ldns_rr_push_rdf(record, types) && ldns_pkt_push_rr(packet, LDNS_SECTION_AUTHORITY, record))
        return 0;
    ldns_rr_free(record);
    return -1;
}

/* --- a type ------------------------------------------------------------------------------------- */

/* The very next name there could be: one below, whose label is a NUL.  NULL for want of memory. */
static ldns_rdf *successor(const struct dns_zone *zone, const ldns_rdf *name)
{
    static const uint8_t label[] = {1, 0};
    uint8_t octets[LDNS_MAX_DOMAINLEN];
    const ldns_rdf *after = dns_zone_after(zone, name);
    size_t size = ldns_rdf_size(name);

    if (size + sizeof label <= sizeof octets) {
        memcpy(octets, label, sizeof label);
        memcpy(octets + sizeof label, ldns_rdf_data(name), size);
        return ldns_dname_new_frm_data((uint16_t)(size + sizeof label), octets);
    }
    return after == NULL ? ldns_dname_new_frm_str(".") : ldns_rdf_clone(after);
}

int dns_deny_type(const struct dns_zone *zone, const ldns_rdf *name, ldns_rr_type type,
                  ldns_pkt *packet)
{
    return put_nsec(zone, name, successor(zone, name), type, packet);
}

/* --- a name ------------------------------------------------------------------------------------- */

/* Says that there is nothing between the names around it.  `top` is the root. */
static int put_around(const struct dns_zone *zone, const ldns_rdf *name, const ldns_rdf *top,
                      ldns_pkt *packet)
{
    const ldns_rdf *before = dns_zone_before(zone, name), *after = dns_zone_after(zone, name);

    return put_nsec(zone, before == NULL ? top : before,
                    ldns_rdf_clone(after == NULL ? top : after), 0, packet);
}

static bool is_above(const ldns_rdf *name, const ldns_rdf *other)
{
    return other != NULL &&
           (ldns_dname_compare(name, other) == 0 || ldns_dname_is_subdomain(other, name));
}

/* The wildcard below the closest name above that is there (RFC 4592 section 3.3.1); NULL for want of memory. */
static ldns_rdf *wildcard_for(const struct dns_zone *zone, const ldns_rdf *name)
{
    const ldns_rdf *before = dns_zone_before(zone, name), *after = dns_zone_after(zone, name);
    ldns_rdf *star = ldns_dname_new_frm_str("*."), *next;
    ldns_rdf *above = /* nothing is above the root */
        ldns_dname_label_count(name) == 0 ? ldns_rdf_clone(name) : ldns_dname_left_chop(name);

    while (above != NULL && ldns_dname_label_count(above) > 0 && !is_above(above, before) &&
           !is_above(above, after)) {
        next = ldns_dname_left_chop(above);
        ldns_rdf_deep_free(above);
        above = next;
    }
    next = above == NULL || star == NULL ? NULL : ldns_dname_cat_clone(star, above);
    ldns_rdf_deep_free(above);
    ldns_rdf_deep_free(star);
    return next;
}

static bool same_gap(const struct dns_zone *zone, const ldns_rdf *a, const ldns_rdf *b)
{
    return dns_zone_before(zone, a) == dns_zone_before(zone, b) &&
           dns_zone_after(zone, a) == dns_zone_after(zone, b);
}

int dns_deny_name(const struct dns_zone *zone, const ldns_rdf *name, ldns_pkt *packet)
{
    ldns_rdf *top = ldns_dname_new_frm_str("."), *wildcard = wildcard_for(zone, name);
    int status = top == NULL || wildcard == NULL ? -1 : put_around(zone, name, top, packet);

    if (status == 0 && !same_gap(zone, name, wildcard))
        status = put_around(zone, wildcard, top, packet);
    ldns_rdf_deep_free(top);
    ldns_rdf_deep_free(wildcard);
    return status;
}
