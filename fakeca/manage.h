/* manage.h -- telling a running authority what to do: a Unix socket in its state directory, mode 0600.
 *
 * JSON lines: a request is {"do": VERB, ...}, and each is answered by one line, {"ok": true, ...} or
 * {"error": "one line", "status": of status.h, whether it or its machine refuses}.  The verbs:
 *
 *     arm       what misbehaviour_arm takes     -> "number": which arming it is
 *     disarm    "fault" or "all": true, maybe "on" -> "disarmed": how many
 *     armed                                     -> "armed", "disarmed", "lapsed": what misbehaviour.h gives
 *     accounts, orders, certificates            -> under that name: all there are
 *     forget-accounts                           -> "forgotten": how many
 *     profile   "name", "lifetime" in seconds, of what is issued from now on; made where there is none
 *     withdraw-profile "name"
 *     revoke    "serials", an array, or "name", or "all": true; maybe "reason", "explanation", and "after" in
 *               seconds
 *                                               -> "revoked": the serials, "at": when
 *     rotate-issuer                             -> "issuer": the new one's number, which issues from now on
 *     set       "settings": ["caa=on", ...]     -> "settings": what policy_describe gives
 *     settings                                  -> the same
 *     eab-add   maybe "kid"                     -> "kid", "hmac" (base64url)
 *     eab-keys                                  -> "keys": all there are
 *     unpause   "account"                       -> "unpaused": how many names
 *     dns-add   "record": as in a master file; maybe "perspective", a number: in its DNS alone
 *     dns-remove "name", maybe "type", "perspective" -> "removed": how many
 *
 * Order of calls: the borrowed fields set, all else zero; manage_open; manage_close.
 */
#ifndef FAKECA_MANAGE_H
#define FAKECA_MANAGE_H

#include <ev.h>
#include <jansson.h>

#include "fakeca/dns_views.h"
#include "fakeca/misbehaviour.h"
#include "fakeca/policy.h"
#include "fakeca/profile.h"
#include "fakeca/serve_plain.h"
#include "fakeca/store.h"

#define MANAGE_SOCKET "manage.sock"
#define MANAGE_MOST   32 /* who may be connected at once; others get an "error", and are hung up on */

struct manager;

struct manage {
    struct ev_loop *loop; /* borrowed, as are the next six */
    struct plain *plain;
    struct policy *policy;
    struct misbehaviour *misbehaviour;
    struct store *store;
    struct dns_views *names;
    struct profiles *profiles;
    /* Something is about to be armed that tells of an address that swallows packets; or NULL. */
    int (*swallow)(void *context, struct error *e);
    void (*changed)(void *context); /* other faults are armed than before; or NULL */
    void *context;
    /* the rest is its own */
    struct manager *first;
    size_t count;
    int fd;
    ev_io accepting;
    char path[108];
};

/* A socket that a killed process left is replaced; one that is listened on is an error. */
int manage_open(struct manage *manage, const char *directory, struct error *e);
void manage_close(struct manage *manage);

/* The other end: one request to whoever serves `directory`, and its answer, to be decref'd; NULL
 * with *e, also where the answer is an error.  errno is then 0 where it refuses, EIO where its machine does. */
json_t *manage_ask(const char *directory, const json_t *request, struct error *e);

#endif
