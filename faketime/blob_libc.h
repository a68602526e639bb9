/* blob_libc.h -- the functions of libc that our code in a process knows.
 *
 * Where libc is mapped already, nobody resolves our calls for us.  So whoever puts the blob there looks the
 * functions up by these names, and fills the blob's table with where they are (blob.h): three lists in a row, of
 * which the first two are of functions that ours take the place of, or only call, and the third of such as
 * ours call by their names (blob_libc.S).
 */
#ifndef FAKETIME_BLOB_LIBC_H
#define FAKETIME_BLOB_LIBC_H

#include "faketime/shim_calls.h"

/* clang-format off */

/* The short forms of some of SHIM_REAL_CALLS, and what goes past all of them. */
#define BLOB_SHORT_CALLS(X)             \
    X(cnd_timedwait, NULL)              \
    X(mtx_timedlock, NULL)              \
    X(nanosleep, NULL)                  \
    X(pthread_mutex_timedlock, NULL)    \
    X(pthread_rwlock_timedrdlock, NULL) \
    X(pthread_rwlock_timedwrlock, NULL) \
    X(pthread_timedjoin_np, NULL)       \
    X(sem_timedwait, NULL)              \
    X(sleep, NULL)                      \
    X(syscall, NULL)                    \
    X(thrd_sleep, NULL)                 \
    X(usleep, NULL)

#define BLOB_OTHER_CALLS(X)              \
    X(__errno_location, NULL)            \
    X(__pthread_register_cancel, NULL)   \
    X(__pthread_unregister_cancel, NULL) \
    X(__pthread_unwind_next, NULL)       \
    X(__register_atfork, NULL)           \
    X(__sigsetjmp, NULL)                 \
    X(close, NULL)                       \
    X(open, NULL)                        \
    X(prctl, NULL)                       \
    X(pthread_attr_destroy, NULL)        \
    X(pthread_attr_init, NULL)           \
    X(pthread_attr_setdetachstate, NULL) \
    X(pthread_cond_broadcast, NULL)      \
    X(pthread_create, NULL)              \
    X(pthread_mutex_lock, NULL)          \
    X(pthread_mutex_unlock, NULL)        \
    X(pthread_setcanceltype, NULL)       \
    X(pthread_sigmask, NULL)             \
    X(read, NULL)                        \
    X(sigfillset, NULL)                  \
    X(snprintf, NULL)                    \
    X(strtol, NULL)

#define BLOB_LIBC_CALLS(X) SHIM_REAL_CALLS(X) BLOB_SHORT_CALLS(X) BLOB_OTHER_CALLS(X)

/* clang-format on */

#endif
