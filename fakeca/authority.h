/* authority.h -- a rehearsal CA: a state directory with a root, intermediates, and what
 * has been issued.
 *
 *     authority.json       what there is, and the next serial number
 *     root.pem/.key        every root says NOT FOR PRODUCTION, in its name and in an extension
 *     intermediate-N.*     in order of making; a rotated one stays, to judge old chains by
 *     cross.pem            the root's name and key, signed by another authority's root, which is cross-root.pem;
 *                          those of further ones: cross-2.pem, cross-root-2.pem, ...
 *     issued.jsonl         one line a leaf
 *     revoked.jsonl        one line a revoked certificate
 *     pool/                RSA keys (key.h)
 *
 * The directory is 0700 and keys in it are 0600.  authority_create refuses a place where
 * something is.  authority_open waits for its turn, with flock(2) on the directory: two
 * commands at once take turns, until authority_close.  Who keeps an authority open for long lets
 * others have their turn with authority_pause, and calls authority_resume before it changes
 * anything again.
 *
 * Order of calls: authority_create once; then authority_open, any of the rest, authority_close.
 */
#ifndef FAKECA_AUTHORITY_H
#define FAKECA_AUTHORITY_H

#include <jansson.h>

#include "fakeca/certificate.h"
#include "fakeca/chain.h"
#include "fakeca/key.h"

#define SIGNERS_MOST       256 /* root and intermediates, rotated ones included */
#define INTERMEDIATES_MOST 32  /* between root and leaf */
/* Seconds, a year: a client whose clock is slow must not trip over a CA. */
#define AUTHORITY_BACKDATE INT64_C(31536000)

struct authority {
    const char *path; /* borrowed: the state directory, for messages */
    int directory;    /* open and locked */
    json_t *record;   /* authority.json ... */
    int record_file;  /* ... open, so that its inode is no other's; -1: not read */
    struct signer signers[SIGNERS_MOST]; /* read when first needed; number 0 is the root */
    size_t count;
    /* Numbers that were written down as given before they are: a process that ends loses them.  More
     * than none `ahead` saves who issues many from writing each time. */
    int64_t ahead;
    int64_t last_serial, reserved;
};

struct authority_plan {
    const char *name; /* the organization; NULL: "Rehearsal" */
    const struct key_kind *kind;
    size_t intermediates;
    int64_t at;
    int64_t root_until, intermediate_until; /* Unix seconds */
    int path_length;                  /* of the topmost intermediate; -1: as many as there are */
    struct words permitted, excluded; /* names that all intermediates are held to */
};

struct leaf_plan {
    struct words names;
    const struct key_kind *kind;
    EVP_PKEY
    *public_key; /* the leaf's, of the kind above, where somebody else holds the private half;
                           * NULL: a key from the pool */
    bool no_common_name;
    int64_t at, not_before, not_after;
    struct words purposes;
    unsigned key_usage; /* 0: as TLS wants it for the kind of key */
    const char *ca_issuers, *ocsp, *crl;
    bool must_staple;
    bool cross; /* send the cross-sign too, and let both roots be trusted */
};

int authority_create(const char *path, const struct authority_plan *plan, struct error *e);
int authority_open(const char *path, struct authority *authority, struct error *e);
void authority_close(struct authority *authority);

void authority_pause(struct authority *authority);
/* Waits for its turn, and reads what others have changed, if they have. */
int authority_resume(struct authority *authority, struct error *e);

/* A fresh leaf with its chain and trust; to be freed with chain_free. */
struct chain *authority_issue(struct authority *authority, const struct leaf_plan *plan,
                              struct error *e);
/* The same in parts: what a leaf is to hold, borrowed from the plan; what stands between it and the root,
 * from its issuer upwards; and writing down that it was issued. */
struct certificate_spec authority_leaf(const struct leaf_plan *plan, const char *serial);
int authority_push_path(struct authority *authority, STACK_OF(X509) * certificates,
                        struct error *e);
int authority_note(struct authority *authority, const struct leaf_plan *plan, const char *serial,
                   struct error *e);
/* A new lowest intermediate with a new key, from which later leaves come. */
int authority_rotate(struct authority *authority, int64_t at, int64_t until, struct error *e);
/* Lets the root of `old` sign the root of `authority`, in place of what that root has signed before. */
int authority_cross_sign(struct authority *authority, struct authority *old, int64_t at,
                         int64_t until, struct error *e);

/* Signer number `i`, root first; NULL with *e.  Borrowed. */
const struct signer *authority_signer(struct authority *authority, size_t i, struct error *e);
/* How many cross-signs of the root there are; number `i` of them, from 1 on, as PEM, to be freed, or NULL with *e; and
 * the name of the file with the root that has signed it. */
size_t authority_crosses(const struct authority *authority);
char *authority_cross_pem(const struct authority *authority, size_t i, struct error *e);
const char *authority_cross_root(size_t i, char out[64]);
/* The newest after what is sent, and the root that signed it among what is trusted. */
int authority_push_cross(struct authority *authority, struct chain *chain, struct error *e);
/* Which number a signer that these gave has. */
size_t authority_number(const struct authority *authority, const struct signer *signer);
/* The number of the one that leaves come from now. */
size_t authority_issuer(const struct authority *authority);
/* Who of this authority signed `certificate`, or NULL with *e.  Borrowed. */
const struct signer *authority_signer_of(struct authority *authority, X509 *certificate,
                                         struct error *e);

/* The next serial number as hex: the authority's own four octets, then four that count. */
int authority_serial(struct authority *authority, char out[SERIAL_TEXT], struct error *e);

#endif
