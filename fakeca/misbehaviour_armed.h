/* misbehaviour_armed.h -- one armed fault, and all of them, between misbehaviour_choose.c, which chooses among them,
 * misbehaviour_check.c, which reads what is to be armed and refuses what could not be meant, and
 * misbehaviour_keep.c, which keeps them over a restart. */
#ifndef FAKECA_MISBEHAVIOUR_ARMED_H
#define FAKECA_MISBEHAVIOUR_ARMED_H

#include "fakeca/misbehaviour.h"

struct armed {
    const struct serve_fault *fault;
    json_t *order; /* as it was given */
    /* borrowed from `order`; or NULL */
    const char *on, *identifier, *serial, *after, *chain, *key;
    int64_t account, nth, times, from, until, lasts, after_seconds, skew;
    double share; /* of 1 */
    int status, perspectives;
    uint64_t number; /* in order of arming */
    uint64_t draw;   /* from 1 among those that are armed at once: a share is drawn by it */
    int64_t requests, fired, first, last;
    bool refusing; /* now */
    bool kept;     /* in the store, as it is now */
};

/* Where faults can be, and what is known there. */
enum knows { ACCOUNT = 1, NAMES = 2, NUMBER = 4, REQUEST = 8 /* over HTTP: what "*" stands for */ };

struct place {
    const char *name;
    unsigned knows;
};

/* NULL where there is none. */
const struct place *place_named(const char *name);
/* Whether a fault can be there at all. */
bool place_admits(const struct serve_fault *fault, const struct place *place);

/* What there is to go wrong: how many intermediates in what is issued, and in what the server shows of itself; and
 * whether its DNS signs. */
struct means {
    int issued, shown;
    bool signs;
};

struct misbehaviour {
    uint64_t seed, last;
    struct armed armed[ARMED_MOST];
    size_t count;
    struct means means;
    json_t *past;        /* those that were disarmed, as misbehaviour_armed tells them */
    json_t *lapsed;      /* those that the store has armed, and that cannot be */
    int log;             /* -1: there is none */
    struct store *store; /* borrowed; NULL: there is none */
};

/* Takes *armed in, as it is, but for a reference to its order; a `draw` of 0 is given one. */
int misbehaviour_add(struct misbehaviour *misbehaviour, const struct armed *armed, struct error *e);
/* That one is armed no longer: what is told of it, a reference that is taken, stands among those that were. */
void misbehaviour_lay_down(struct misbehaviour *misbehaviour, uint64_t number, json_t *told);

/* Everything of *out but `order` and `number`; it borrows from `order`. */
int armed_read(const json_t *order, struct means means, struct armed *out, struct error *e);

/* Names and hexadecimal digits are the same in both cases; NULL is the same as NULL only. */
bool same_text(const char *a, const char *b);

#endif
