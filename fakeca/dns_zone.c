#include "fakeca/dns_zone.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct node {
    ldns_rdf *name;
    ldns_rr_list *records; /* never empty */
};

struct dns_zone {
    struct node *nodes; /* in the canonical order of names: what is below a name follows it */
    size_t count, room;
    size_t records;
    ldns_rdf *fallback, *fallback6;
};

struct dns_zone *dns_zone_new(struct error *e)
{
    struct dns_zone *zone = calloc(1, sizeof *zone);

    if (zone == NULL)
        failed(e, "out of memory");
    return zone;
}

static void node_free(struct node *node)
{
    ldns_rdf_deep_free(node->name);
    ldns_rr_list_deep_free(node->records);
}

void dns_zone_free(struct dns_zone *zone)
{
    if (zone == NULL)
        return;
    for (size_t i = 0; i < zone->count; i++)
        node_free(&zone->nodes[i]);
    ldns_rdf_deep_free(zone->fallback);
    ldns_rdf_deep_free(zone->fallback6);
    free(zone->nodes);
    free(zone);
}

/* --- names -------------------------------------------------------------------------------------- */

/* Where a name is, or would be. */
static size_t place_of(const struct dns_zone *zone, const ldns_rdf *name)
{
    size_t low = 0, high = zone->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ldns_dname_compare(zone->nodes[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct node *node_of(const struct dns_zone *zone, const ldns_rdf *name)
{
    size_t place = place_of(zone, name);

    return place < zone->count && ldns_dname_compare(zone->nodes[place].name, name) == 0
               ? &zone->nodes[place]
               : NULL;
}

const ldns_rr_list *dns_zone_find(const struct dns_zone *zone, const ldns_rdf *name)
{
    const struct node *node = node_of(zone, name);

    return node == NULL ? NULL : node->records;
}

/* Whether the name at that place is this one, or below it. */
static bool is_within(const struct dns_zone *zone, size_t place, const ldns_rdf *name)
{
    return place < zone->count && (ldns_dname_compare(zone->nodes[place].name, name) == 0 ||
                                   ldns_dname_is_subdomain(zone->nodes[place].name, name));
}

bool dns_zone_exists(const struct dns_zone *zone, const ldns_rdf *name)
{
    return zone->fallback != NULL || zone->fallback6 != NULL ||
           is_within(zone, place_of(zone, name), name);
}

const ldns_rdf *dns_zone_before(const struct dns_zone *zone, const ldns_rdf *name)
{
    size_t place = place_of(zone, name);

    return place == 0 ? NULL : zone->nodes[place - 1].name;
}

const ldns_rdf *dns_zone_after(const struct dns_zone *zone, const ldns_rdf *name)
{
    size_t place = place_of(zone, name);

    while (is_within(zone, place, name))
        place++;
    return place == zone->count ? NULL : zone->nodes[place].name;
}

static ldns_rdf *name_new(const char *text, struct error *e)
{
    /* libldns would read two dots in a row, and labels of 64 octets, as no name */
    ldns_rdf *name = ldns_dname_new_frm_str(text);

    if (name == NULL)
        failed(e, "'%s' is not a domain name", text);
    return name;
}

/* --- adding ------------------------------------------------------------------------------------- */

static struct node *insert(struct dns_zone *zone, const ldns_rdf *name)
{
    size_t place = place_of(zone, name);
    struct node node;

    if (zone->count == zone->room) {
        size_t room = zone->room == 0 ? 16 : zone->room * 2;
        struct node *more = realloc(zone->nodes, room * sizeof *more);

        if (more == NULL)
            return NULL;
        zone->nodes = more;
        zone->room = room;
    }
    node = (struct node){ldns_rdf_clone(name), ldns_rr_list_new()};
    if (node.name == NULL || node.records == NULL) {
        node_free(&node);
        return NULL;
    }
    memmove(&zone->nodes[place + 1], &zone->nodes[place],
            (zone->count - place) * sizeof zone->nodes[0]);
    zone->nodes[place] = node;
    zone->count++;
    return &zone->nodes[place];
}

/* Takes over `record`. */
static int add(struct dns_zone *zone, ldns_rr *record, struct error *e)
{
    struct node *node = node_of(zone, ldns_rr_owner(record));

    if (node != NULL && ldns_rr_list_contains_rr(node->records, record)) {
        ldns_rr_free(record);
        return 0;
    }
    if (zone->records == DNS_RECORDS_MOST) {
        ldns_rr_free(record);
        return failed(e, "the zone holds %d records, which is the most", DNS_RECORDS_MOST);
    }
    if (node == NULL)
        node = insert(zone, ldns_rr_owner(record));
    if (node == NULL || !ldns_rr_list_push_rr(node->records, record)) {
        ldns_rr_free(record);
        return failed(e, "out of memory");
    }
    zone->records++;
    return 0;
}

int dns_zone_add(struct dns_zone *zone, const char *line, struct error *e)
{
    ldns_rr *record = NULL;
    ldns_status status = ldns_rr_new_frm_str(&record, line, DNS_TTL, NULL, NULL);

    if (status != LDNS_STATUS_OK)
        return failed(e, "'%s' is not a record as in a master file: %s", line,
                      ldns_get_errorstr_by_id(status));
    if (ldns_rr_get_class(record) != LDNS_RR_CLASS_IN) {
        ldns_rr_free(record);
        return failed(e, "'%s': expected a record of class IN", line);
    }
    return add(zone, record, e);
}

/* The rdata of an address and its type; NULL with *e. */
static ldns_rdf *address_new(const char *text, ldns_rr_type *type, struct error *e)
{
    unsigned char octets[16];
    bool four = inet_pton(AF_INET, text, octets) == 1;
    ldns_rdf *data;

    if (!four && inet_pton(AF_INET6, text, octets) != 1)
        return failed(e, "'%s' is not an address; expected one such as 127.0.0.1 or ::1", text),
               NULL;
    *type = four ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA;
    data =
        ldns_rdf_new_frm_data(four ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA, four ? 4 : 16, octets);
    if (data == NULL)
        failed(e, "out of memory");
    return data;
}

int dns_zone_fallback(struct dns_zone *zone, const char *address, struct error *e)
{
    ldns_rr_type type;
    ldns_rdf *data = address_new(address, &type, e);
    ldns_rdf **place;

    if (data == NULL)
        return -1;
    place = type == LDNS_RR_TYPE_A ? &zone->fallback : &zone->fallback6;
    ldns_rdf_deep_free(*place);
    *place = data;
    return 0;
}

/* Whether a name has an address, or leads to one. */
static bool has_address(const ldns_rr_list *records)
{
    for (size_t i = 0; records != NULL && i < ldns_rr_list_rr_count(records); i++) {
        ldns_rr_type type = ldns_rr_get_type(ldns_rr_list_rr(records, i));

        if (type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_AAAA || type == LDNS_RR_TYPE_CNAME)
            return true;
    }
    return false;
}

const ldns_rdf *dns_zone_fallback_of(const struct dns_zone *zone, const ldns_rdf *name,
                                     ldns_rr_type type)
{
    const ldns_rdf *address = type == LDNS_RR_TYPE_A      ? zone->fallback
                              : type == LDNS_RR_TYPE_AAAA ? zone->fallback6
                                                          : NULL;

    return address == NULL || has_address(dns_zone_find(zone, name)) ? NULL : address;
}

/* --- taking away -------------------------------------------------------------------------------- */

int dns_zone_remove(struct dns_zone *zone, const char *name, const char *type, struct error *e)
{
    ldns_rr_type wanted = type == NULL ? 0 : ldns_get_rr_type_by_name(type);
    struct node *node;
    size_t kept = 0, before;
    ldns_rdf *owner;

    if (type != NULL && wanted == 0)
        return failed(e, "'%s' is not a type of record; expected one such as A or TXT", type);
    owner = name_new(name, e);
    if (owner == NULL)
        return -1;
    node = node_of(zone, owner);
    ldns_rdf_deep_free(owner);
    if (node == NULL)
        return 0;
    before = ldns_rr_list_rr_count(node->records);
    for (size_t i = 0; i < before; i++) {
        ldns_rr *record = ldns_rr_list_rr(node->records, i);

        if (wanted != 0 && ldns_rr_get_type(record) != wanted)
            ldns_rr_list_set_rr(node->records, record, kept++);
        else
            ldns_rr_free(record);
    }
    ldns_rr_list_set_rr_count(node->records, kept);
    zone->records -= before - kept;
    if (kept == 0) {
        node_free(node);
        zone->count--;
        memmove(node, node + 1, (size_t)(zone->nodes + zone->count - node) * sizeof *node);
    }
    return (int)(before - kept);
}
