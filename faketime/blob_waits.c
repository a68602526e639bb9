/* The shim's waits (shim.h), as they run in a blob: on its clock, and with libc as its table knows it. */
#include "faketime/blob.h"
#include "faketime/shim.h"

extern const struct clock_page blob_clock INSIDE;
extern const struct blob blob_header INSIDE;
extern const struct blob_libc blob_libc INSIDE;

static real_clock_fn real_clock(void)
{
    return (real_clock_fn)blob_header.originals[BLOB_CLOCK_GETTIME];
}

int shim_read(clockid_t id, struct timespec *now)
{
    return page_clock_gettime(&blob_clock, real_clock(), id, now);
}

bool shim_follows(clockid_t id)
{
    return deadline_follows(&blob_clock, id);
}

bool shim_is_clock(void)
{
    return deadline_is_clock(&blob_clock);
}

int64_t shim_left(clockid_t id, const struct timespec *until)
{
    return deadline_left(&blob_clock, real_clock(), id, until);
}

struct timespec shim_deadline(clockid_t id, int64_t left, int64_t limit)
{
    return deadline_real(real_clock(), id, left, limit);
}

uint64_t shim_rate(clockid_t id)
{
    return page_rate(&blob_clock, id);
}

uint32_t shim_generation(void)
{
    return deadline_generation(&blob_clock);
}

int shim_await_change(uint32_t seen, const struct timespec *timeout)
{
    return deadline_await_change(&blob_clock, seen, timeout);
}

/* The program has not asked for us, and its stderr is its own. */
void shim_say(const char *text)
{
    (void)text;
}

/* The table begins with them, in the same order. */
const struct shim_real *shim_real(void)
{
    return (const struct shim_real *)blob_libc.theirs;
}

__typeof__(epoll_pwait2) *shim_epoll_pwait2(void)
{
    return NULL;
}

/* libc has it only in the part that is linked into every program. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): glibc calls it so */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
                             void *library);

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return __register_atfork(prepare, parent, child, NULL);
}
