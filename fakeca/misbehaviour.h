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
 * Order of calls: misbehaviour_new; any of the rest; misbehaviour_free.
 */
#ifndef FAKECA_MISBEHAVIOUR_H
#define FAKECA_MISBEHAVIOUR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fakeca/crl_answer.h"
#include "fakeca/dns_answer.h"
#include "fakeca/http_answer.h"
#include "fakeca/ocsp_answer.h"
#include "fakeca/problem.h"
#include "testbed/wire/error.h"

#define ARMED_MOST          256
#define SERVICE_FAULTS_MOST 64 /* of OCSP, CRLs and DNS together */

enum fault_action {
    ACT_ANSWER,  /* `status` and `body` in place of an answer; the request is not looked into */
    ACT_PROBLEM, /* the same with a problem document */
    ACT_DELIVER, /* the right answer, delivered as `delivery` says */
    ACT_TYPE,    /* the right answer, called text/html */
    ACT_DROP,    /* the right answer without the header field `body` */
    ACT_EMPTY,   /* the right answer's status and header, and no body */
    ACT_ORDER,   /* the right answer, with the order told as the fault's name says */
    ACT_CHAIN,   /* what is issued is broken as `fakeca break` would */
    ACT_KEY,     /* what is issued is for another key */
    ACT_WINDOW,  /* another renewal window */
    ACT_SERVICE, /* what `ocsp`, `crl` or `dns` says */
};

struct serve_fault {
    const char *name;    /* kebab-case */
    const char *on;      /* endpoints it applies to, "newOrder order"; "*": any */
    const char *what;    /* one line */
    const char *takes;   /* parameters: "status after fault" */
    const char *replays; /* the outage or issue it is known from */
    enum fault_action action;
    int status;
    enum problem problem;
    enum delivery delivery;
    const char *body;
    int64_t from, until;                  /* of a window, seconds from now */
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
json_t *serve_faults_describe(void);

struct misbehaviour;

struct misbehaviour *misbehaviour_new(unsigned long seed);
void misbehaviour_free(struct misbehaviour *misbehaviour);

/* {"fault", "on", "account", "identifier", "serial", "nth", "times", "from", "until", "share", "status",
 * "after", "chain"}, of which only the first is needed; "from" and "until" are Unix seconds.
 * What is armed already for the same place is an error. */
int misbehaviour_arm(struct misbehaviour *misbehaviour, const json_t *order, struct error *e);
/* Of that name, on that endpoint (NULL: wherever); how many, or -1 with *e where there is none. */
int misbehaviour_disarm(struct misbehaviour *misbehaviour, const char *name, const char *on,
                        struct error *e);
/* An array of what was given to misbehaviour_arm, each with "requests" and "fired". */
json_t *misbehaviour_armed(const struct misbehaviour *misbehaviour);

struct subject { /* a request, as far as faults tell requests apart */
    const char *endpoint;
    int64_t account;
    const json_t *names; /* an array of strings; NULL: none */
    const char *serial;  /* or NULL */
    int64_t now;
};

struct chosen {
    const struct serve_fault *fault; /* NULL: none */
    int status;                      /* of the answer, as armed or as usual */
    const char *after; /* for Retry-After, or NULL; borrowed until the next call here */
    const char *chain; /* a fault of fault.h, or NULL */
};

/* Counts the request, and chooses. */
struct chosen misbehaviour_choose(struct misbehaviour *misbehaviour, const struct subject *subject);
/* Whether any armed fault asks for names. */
bool misbehaviour_needs_names(const struct misbehaviour *misbehaviour);

/* Makes the chosen fault's answer, for ACT_ANSWER and ACT_PROBLEM; true where that is all. */
bool misbehave_instead(const struct chosen *chosen, struct http_answer *answer);
/* Deforms an answer that is right, for the actions that do. */
void misbehave_after(const struct chosen *chosen, struct http_answer *answer);

#endif
