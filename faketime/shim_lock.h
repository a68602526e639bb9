/* shim_lock.h -- a wait that can be cut into slices, because what it waits for lasts. */
#ifndef FAKETIME_SHIM_LOCK_H
#define FAKETIME_SHIM_LOCK_H

#include "faketime/shim.h"

struct attempt {
    /* Waits until the real time `until`: 0 got it, ETIMEDOUT not yet, or another errno. */
    int (*once)(const struct attempt *attempt, const struct timespec *until);
    void *object;
    pthread_t thread;
    clockid_t id;
};

/* The same until the virtual time `until`, whatever becomes of the calendar meanwhile. */
int shim_sliced(const struct attempt *attempt, clockid_t id, const struct timespec *until);

#endif
