/* profile.h -- the kinds of certificates that clients may choose among (draft-ietf-acme-profiles).
 *
 * Let's Encrypt's of 2026 are there from the start.  `fakeca profile` changes how long one lasts, makes another and
 * withdraws one, while the authority serves; that is kept as things of kind "profile" and holds over a restart, but for
 * those that the next start says by itself.
 */
#ifndef FAKECA_PROFILE_H
#define FAKECA_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fakeca/store.h"

#define PROFILES_MOST 64 /* those that were withdrawn count */
#define PROFILE_NAME  32 /* room for a name */

struct profile {
    char name[PROFILE_NAME];
    int64_t lifetime; /* seconds, as are the next three */
    bool no_common_name;
    int64_t order;   /* how long an order is open */
    int64_t pending; /* how long an authorization waits */
    int64_t reuse;   /* how long one that is valid is good for later orders */
    size_t names_most;
    bool given;     /* by whoever started the authority: what was kept does not count */
    bool withdrawn; /* there is none of that name, until it is set again */
};

struct profiles {
    struct profile all[PROFILES_MOST];
    size_t count;
};

/* classic, tlsserver and shortlived */
void profiles_usual(struct profiles *profiles);
/* NULL where there is none; a name of NULL is for who names none: the first that was not withdrawn. */
const struct profile *profile_find(const struct profiles *profiles, const char *name);

/* "brief=6h": a name and seconds. */
int profile_parse(const char *text, char name[PROFILE_NAME], int64_t *lifetime, struct error *e);

/* What is issued from now on under that name lasts so many seconds.  One that is not among the usual is otherwise like
 * classic. */
int profile_set(struct profiles *profiles, const char *name, int64_t lifetime, struct error *e);
/* The same, by whoever starts the authority. */
int profile_give(struct profiles *profiles, const char *name, int64_t lifetime, struct error *e);
/* From now on there is none of that name.  The last one stays. */
int profile_withdraw(struct profiles *profiles, const char *name, struct error *e);

/* Keeps what was set or withdrawn; and does again what was kept, but for those that were given.  What cannot be done
 * again is said on stderr. */
int profile_keep(struct store *store, const struct profiles *profiles, const char *name,
                 struct error *e);
void profiles_restore(struct store *store, struct profiles *profiles);

#endif
