/* policy.h -- the switches of an authority that serves: what it demands, checks and remembers.
 *
 * `fakeca serve --set NAME=VALUE` sets one from the start, `fakeca set NAME=VALUE` while it serves, and
 * `fakeca settings` lists them; the next request goes by what was set last.  What was set while it served holds
 * over a restart, but for what the next start sets by itself.
 */
#ifndef FAKECA_POLICY_H
#define FAKECA_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "fakeca/limit.h"

struct policy {
    bool eab_required;
    bool reuse_authorizations, reuse_orders;
    bool rate_limits;
    bool caa;
    bool ocsp_delegated;
    struct limit_rate limits[LIMITS];
};

/* As it is when nobody has set anything. */
void policy_usual(struct policy *policy);
/* "caa=on", "orders-per-account=3/1h". */
int policy_set(struct policy *policy, const char *assignment, struct error *e);
/* Keeps an assignment that policy_set took, in place of an older one of that name; and sets all that were kept. */
int policy_keep(struct store *store, const char *assignment, struct error *e);
int policy_restore(struct store *store, struct policy *policy, struct error *e);
/* {"caa": "on", ...} */
json_t *policy_describe(const struct policy *policy);
/* A chapter in Markdown: name, usual value, what it does. */
void policy_markdown(FILE *out);

#endif
