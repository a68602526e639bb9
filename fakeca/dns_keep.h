/* dns_keep.h -- what the rehearsal's DNS was told while it served (dns_views.h), over a restart.
 *
 * It stands in the store as it was said, by the name that it is about, so that perspectives that are new at the next
 * start know what all were told.  What later words undid is left out.
 *
 * Order of calls: dns_keep_restore once, before anything else is told; then dns_keep_added and dns_keep_removed after
 * each dns_views_add and dns_views_remove that succeeded, with the same arguments.
 */
#ifndef FAKECA_DNS_KEEP_H
#define FAKECA_DNS_KEEP_H

#include "fakeca/dns_views.h"
#include "fakeca/store.h"

/* What cannot be told now, because there are fewer perspectives, is said on stderr, and stays. */
void dns_keep_restore(struct store *store, struct dns_views *views);

int dns_keep_added(struct store *store, int64_t perspective, const char *record, struct error *e);
int dns_keep_removed(struct store *store, int64_t perspective, const char *name, const char *type,
                     struct error *e);

#endif
