/* misbehaviour.h -- the ways in which the authority misbehaves, and which of them are armed.
 *
 * There is one table, serve_faults().  A fault is armed with where (an endpoint, an account, a name, a
 * serial number) and when (the nth request there, how many times, from and until a point on the
 * calendar, a seeded share of requests).  Requests are counted where they have got so far
 * that their signature is good: what a client was refused for its own mistakes does not count.
 *
 * For each request misbehaviour_choose says which fault it meets, if any; the first one armed goes
 * first.  The same seed and the same requests give the same faults.
 *
 * A row of the table says what it does by its hooks, which are called where an answer comes about:
 *
 *     replan    misbehave_replan    what is about to be issued
 *     instead   misbehave_instead   an answer of its own: the request is not looked into
 *     retell    misbehave_retell    what is told, as JSON
 *     deform    misbehave_after     the answer, which is right up to here
 *
 * and by plain data for those who do not speak of requests: framing and delivery (http_answer.h), what is
 * wrong with a chain or with the one that a TLS client is shown, whether connections are refused, what
 * a validation meets on its way (validate.h), and what OCSP, CRLs and DNS have of their own.
 *
 * What is armed, what was, and how often it was met outlive a restart once misbehaviour_remember has said where it
 * is kept; whoever chooses calls misbehaviour_keep before the answer leaves, outside of any transaction.
 *
 * Order of calls: misbehaviour_new; misbehaviour_log, misbehaviour_know and misbehaviour_remember at most once
 * each, in this order; any of the rest; misbehaviour_free.
 */
#ifndef FAKECA_MISBEHAVIOUR_H
#define FAKECA_MISBEHAVIOUR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fakeca/authority.h"
#include "fakeca/crl_answer.h"
#include "fakeca/dns_answer.h"
#include "fakeca/http_answer.h"
#include "fakeca/ocsp_answer.h"
#include "fakeca/problem.h"
#include "fakeca/store.h"
#include "fakeca/validate.h"
#include "testbed/wire/error.h"

#define ARMED_MOST          256
#define SERVICE_FAULTS_MOST 64 /* of OCSP, CRLs and DNS together */

struct serve_fault;

/* What a request, a validation or a query for DNS can be like. */
enum trait {
    OVER_HTTP = 1, /* http-01 */
    CONNECTS = 2,  /* to what the name stands for */
    BY_NAME = 4,   /* and not by address */
    REPLACES = 8,  /* the order says which certificate is to be replaced */
    SECURED = 16,  /* the query asks for signatures, and there are some */
    SEVERAL = 32,  /* the order has more than one name */
    WILD = 64,     /* the authorization is for a wildcard */
    CROSSED = 128, /* other chains are offered besides the usual one */
};

struct chosen {
    const struct serve_fault *fault; /* NULL: none */
    int64_t now;
    /* as armed, or as usual; borrowed until the next call here */
    int status;            /* of the answer */
    const char *after;     /* for Retry-After, or NULL */
    int64_t after_seconds; /* the same as an HTTP date so far from now; 0: not */
    const char *chain;     /* a fault of fault.h, or NULL */
    const char *key;       /* of a JSON object */
    int perspectives;      /* besides the first; -1: all of them */
    int64_t skew;          /* seconds that the clock is off by which what is signed is dated */
};

struct serve_fault {
    const char *name;    /* kebab-case */
    const char *on;      /* endpoints it applies to, "newOrder order"; "*": any request over HTTP */
    const char *what;    /* one line */
    const char *takes;   /* parameters: "status after" */
    const char *replays; /* the outage or issue it is known from, or the clause that allows it */
    int status;          /* of an answer of its own */
    enum problem problem;
    const char *argument;            /* of its hooks */
    const char *field[2];            /* a header field of its own answer: name and value */
    const char *key, *after, *chain; /* what these are where it was not armed with them */
    const char *keys;                /* what its `key` can be, "meta newOrder" */
    int64_t window_from, window_end; /* seconds from now */
    int64_t skew;                    /* seconds, where it was not armed with them; 0: takes none */
    void (*replan)(const struct chosen *chosen, struct leaf_plan *plan);
    void (*instead)(const struct chosen *chosen, struct http_answer *answer);
    void (*retell)(const struct chosen *chosen, json_t *told);
    void (*deform)(const struct chosen *chosen, struct http_answer *answer);
    bool breaks_chain;  /* of what is issued, or of the server itself: as `chain` says */
    bool keyless;       /* the chain's leaf has a key that we do not have */
    bool encoded;       /* the chain is sent by a TLS library: certificates and nothing else */
    bool shows_nothing; /* the server has no certificate at all */
    struct framing framing;
    enum delivery delivery;
    bool refuses;         /* connections */
    bool reuses_order;    /* for a new one */
    bool moves;           /* the entries of the directory */
    bool turns_chains;    /* each chain that is offered is what the next one was */
    bool turns_issuers;   /* where one's certificate is asked for, another's comes */
    struct detour detour; /* of a validation */
    unsigned needs;       /* traits without which a request is none of its */
    const struct ocsp_misbehaviour *ocsp; /* one of these three, or none */
    const struct crl_misbehaviour *crl;
    const struct dns_misbehaviour *dns;
};

/* The table, with what the services for OCSP, CRLs and DNS have of their own; *count rows. */
const struct serve_fault *serve_faults(size_t *count);
/* NULL with the nearest right name in *e. */
const struct serve_fault *serve_fault_named(const char *name, struct error *e);
void serve_faults_print(FILE *out);
void serve_faults_markdown(FILE *out);
/* An array of {"name", "on", "what", "takes", "replays"}, with the meaning of the fields above. */
json_t *serve_faults_describe(void);

struct misbehaviour;

struct misbehaviour *misbehaviour_new(unsigned long seed);
void misbehaviour_free(struct misbehaviour *misbehaviour);
/* From now on a line of JSON is added to the file for every fault that fires: {"at": Unix seconds on the
 * calendar, "fault", "number": which arming, from 1, "on": the endpoint, "request": the how-manieth that
 * the arming could have hit, "fired": the how-manieth that it hit, and "account", "names" and
 * "serial" where the request has them}. */
int misbehaviour_log(struct misbehaviour *misbehaviour, const char *path, struct error *e);

/* How many intermediates there are in what is issued, and in what the server shows of itself: some chain
 * faults take two; and whether its DNS signs what it says.  Unless this is called there are enough, and it does. */
void misbehaviour_know(struct misbehaviour *misbehaviour, int issued, int shown, bool signs);

/* From now on it is kept in the store, borrowed, which first tells what was armed before: how many there are.  What
 * can be armed no longer, because the table or the authority is not what it was, is said on stderr, and stays in the
 * store until it is disarmed. */
int misbehaviour_remember(struct misbehaviour *misbehaviour, struct store *store);
/* Writes down what has changed since.  Should that fail, stderr says so. */
void misbehaviour_keep(struct misbehaviour *misbehaviour);

/* {"fault", "on", "account", "identifier", "serial", "nth", "times", "from", "until", "for", "share", "status",
 * "after", "after_date", "chain", "key", "perspectives", "skew"}, of which only the first is needed; "from" and
 * "until" are Unix seconds, "for" seconds from when it first fires, "after_date" seconds from then on, "skew" seconds
 * ahead.  What is armed already for the same place is an error, and so is what could never fire there.  Which arming it
 * is, from 1 on. */
int64_t misbehaviour_arm(struct misbehaviour *misbehaviour, const json_t *order, struct error *e);
/* Of that name, on that endpoint (NULL: wherever); how many, or -1 with *e where there is none.  Without a name all
 * of them are meant, which may be none.  Those that lapsed are among them. */
int misbehaviour_disarm(struct misbehaviour *misbehaviour, const char *name, const char *on,
                        struct error *e);
/* Arrays of what was given to misbehaviour_arm, each with "number", "requests" and "fired", and where it
 * fired "first" and "last": Unix seconds on the calendar.  Those that are armed, those that were, and those that
 * lapsed, of which there is no more to tell than the "number", and "why". */
json_t *misbehaviour_armed(const struct misbehaviour *misbehaviour);
json_t *misbehaviour_disarmed(const struct misbehaviour *misbehaviour);
json_t *misbehaviour_lapsed(const struct misbehaviour *misbehaviour);

struct subject { /* a request, as far as faults tell requests apart */
    const char *endpoint;
    int64_t account;
    const json_t *names; /* an array of strings; NULL: none */
    const char *serial;  /* or NULL */
    unsigned traits;     /* enum trait */
    const char *type;    /* of the records that a query asks for; NULL: it is none */
    int64_t now;
};

/* Counts the request, and chooses. */
struct chosen misbehaviour_choose(struct misbehaviour *misbehaviour, const struct subject *subject);
/* The same for who acts on it later, maybe after a restart: to be decref'd, or NULL where there is no fault; and back
 * again, with text borrowed from `kept`.  NULL is none, and so is a fault that there is no longer. */
json_t *chosen_keep(const struct chosen *chosen);
struct chosen chosen_kept(const json_t *kept);
/* Whether any armed fault asks for names, serial numbers or traits. */
bool misbehaviour_needs_details(const struct misbehaviour *misbehaviour);

/* Whether the next connection to a port ("acme" or "http") is to be refused, which nobody will see: as
 * fired counts how often that came to be so.  Connections that are not are counted by
 * misbehaviour_choose. */
bool misbehaviour_refuses(struct misbehaviour *misbehaviour, const char *port, int64_t now);
/* Whether that can change with the calendar alone. */
bool misbehaviour_watches(const struct misbehaviour *misbehaviour);
/* Whether an armed fault tells of an address that swallows packets. */
bool misbehaviour_swallows(const struct misbehaviour *misbehaviour);

void misbehave_replan(const struct chosen *chosen, struct leaf_plan *plan);
/* true where the answer is made. */
bool misbehave_instead(const struct chosen *chosen, struct http_answer *answer);
/* Takes the JSON that would be told, and gives back what is told; both are freed with free(), and NULL is where memory
 * ran out. */
char *misbehave_retell(const struct chosen *chosen, char *told);
void misbehave_after(const struct chosen *chosen, struct http_answer *answer);

#endif
