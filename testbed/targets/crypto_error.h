/* crypto_error.h -- what libssl and libcrypto have to say about a call of theirs that failed. */
#ifndef TARGETS_CRYPTO_ERROR_H
#define TARGETS_CRYPTO_ERROR_H

/* The reason of the newest error on this thread's queue, and the queue is empty afterwards.
 * Static text, never NULL. */
const char *crypto_reason(void);

#endif
