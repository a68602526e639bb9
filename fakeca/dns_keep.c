/* Things of kind "dns", by the names that they are about, in lower case: {"told": [...]}, each {"perspective", "name",
 * "type", "record"}; without "record" what is removed there, without "type" all of the name's. */
#include "fakeca/dns_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- again -------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *said, const char *name)
{
    return json_string_value(json_object_get(said, name));
}

static int64_t perspective_of(const json_t *said)
{
    return json_integer_value(json_object_get(said, "perspective"));
}

static int tell(struct dns_views *views, const json_t *said, struct error *e)
{
    const char *record = text_of(said, "record");

    if (record != NULL)
        return dns_views_add(views, perspective_of(said), record, e);
    return dns_views_remove(views, perspective_of(said), text_of(said, "name"),
                            text_of(said, "type"), e);
}

static void tell_all(void *views, int64_t number, json_t *body)
{
    json_t *said;
    struct error e;
    size_t i;

    (void)number;
    json_array_foreach (json_object_get(body, "told"), i, said)
        if (tell(views, said, &e) < 0)
            fprintf(stderr, "fakeca: DNS was told of it, and is not now: %s\n", e.text);
}

void dns_keep_restore(struct store *store, struct dns_views *views)
{
    store_each(store, "dns", tell_all, views);
}

/* --- what is said now --------------------------------------------------------------------------- */

/* Whether it makes no difference any more that `old` was said. */
static bool undoes(const json_t *said, const json_t *old)
{
    const char *type = text_of(said, "type"), *of_old = text_of(old, "type");

    if (text_of(said, "record") != NULL)
        return json_equal(said, old);
    return (type == NULL || (of_old != NULL && strcmp(type, of_old) == 0)) &&
           (perspective_of(said) == 0 || perspective_of(said) == perspective_of(old));
}

/* A removal says something to the next start only where all perspectives may have been told of what one is not to
 * know. */
static bool lasts(const json_t *said, const json_t *before)
{
    return text_of(said, "record") != NULL ||
           (perspective_of(said) != 0 && json_array_size(before) > 0);
}

/* Takes `said` over; NULL stands for memory that ran out. */
static int keep(struct store *store, json_t *said, struct error *e)
{
    const char *name = text_of(said, "name");
    int64_t number;
    json_t *body = said == NULL ? NULL : store_find(store, "dns", name, &number), *old;
    json_t *told = json_array(), *after = json_pack("{s:o}", "told", told);
    int status;
    size_t i;

    json_array_foreach (json_object_get(body, "told"), i, old)
        if (!undoes(said, old))
            json_array_append(told, old);
    if (lasts(said, told))
        json_array_append(told, said);
    status = said == NULL                 ? failed(e, "out of memory")
             : json_array_size(told) == 0 ? store_unset(store, "dns", name, e)
                                          : store_set(store, "dns", name, after, e);
    json_decref(after);
    json_decref(body);
    json_decref(said);
    return status;
}

/* Frees the name; NULL without memory. */
static json_t *say(int64_t perspective, ldns_rdf *name, ldns_rr_type type, const char *record)
{
    char *owner = NULL, *type_text = type == 0 ? NULL : ldns_rr_type2str(type);
    json_t *said = NULL;

    if (name != NULL) {
        ldns_dname2canonical(name);
        owner = ldns_rdf2str(name);
    }
    if (owner != NULL)
        said = json_pack("{s:I, s:s, s:s*, s:s*}", "perspective", (json_int_t)perspective, "name",
                         owner, "type", type_text, "record", record);
    ldns_rdf_deep_free(name);
    free(owner);
    free(type_text);
    return said;
}

int dns_keep_added(struct store *store, int64_t perspective, const char *record, struct error *e)
{
    ldns_rr *parsed = NULL;
    json_t *said = NULL;

    if (ldns_rr_new_frm_str(&parsed, record, DNS_TTL, NULL, NULL) == LDNS_STATUS_OK)
        said = say(perspective, ldns_rdf_clone(ldns_rr_owner(parsed)), ldns_rr_get_type(parsed),
                   record);
    ldns_rr_free(parsed);
    return keep(store, said, e);
}

int dns_keep_removed(struct store *store, int64_t perspective, const char *name, const char *type,
                     struct error *e)
{
    ldns_rr_type wanted = type == NULL ? 0 : ldns_get_rr_type_by_name(type);

    return keep(store, say(perspective, ldns_dname_new_frm_str(name), wanted, NULL), e);
}
