/* The calendar that this library is on. */
#include "faketime/shim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int first_read(clockid_t id, struct timespec *now);

static const struct clock_page real_time; /* adds nothing */
struct shim_clock shim_clock = {
    .real = {.keep = VDSO_KEEP, .clock = first_read},
    .page = &real_time,
};

void shim_say(const char *text)
{
    char line[1100];
    int length = snprintf(line, sizeof line, "libfakeclock: %.1023s\n", text);

    if (write(STDERR_FILENO, line, (size_t)length) != length)
        return; /* there is nobody to tell */
}

static const struct clock_page *open_page(void)
{
    const char *path = getenv("FAKECLOCK");
    const struct clock_page *page = vdso_page();
    struct error e;

    if (page != NULL)
        return page;
    if (path == NULL)
        failed(&e, "FAKECLOCK is not set; expected the path of a clock");
    page = path == NULL ? NULL : page_map(path, &e);
    if (page != NULL)
        return page;
    failed_in(&e, "real time is kept");
    shim_say(e.text);
    return &real_time;
}

void shim_start(void)
{
    static int claimed;
    int saved = errno;

    if (__atomic_exchange_n(&claimed, 1, __ATOMIC_ACQ_REL) == 0) {
        __atomic_store_n(&shim_clock.page, open_page(), __ATOMIC_RELAXED);
        __atomic_store_n(&shim_clock.real.clock, vdso_clock(), __ATOMIC_RELEASE);
    }
    errno = saved;
}

/* A reader may come before our constructor: another library's, or an allocator. */
static int first_read(clockid_t id, struct timespec *now)
{
    shim_start();
    return page_clock_gettime(__atomic_load_n(&shim_clock.page, __ATOMIC_RELAXED), vdso_clock(), id,
                              now);
}

static __attribute__((constructor)) void start(void)
{
    shim_start();
    shim_real();
}

int shim_read(clockid_t id, struct timespec *now)
{
    return shim_gettime(id, now);
}

bool shim_follows(clockid_t id)
{
    shim_start();
    return deadline_follows(__atomic_load_n(&shim_clock.page, __ATOMIC_RELAXED), id);
}

bool shim_is_clock(void)
{
    return deadline_is_clock(shim_clock.page);
}

int64_t shim_left(clockid_t id, const struct timespec *until)
{
    return deadline_left(shim_clock.page, shim_clock.real.clock, id, until);
}

struct timespec shim_deadline(clockid_t id, int64_t left, int64_t limit)
{
    return deadline_real(shim_clock.real.clock, id, left, limit);
}

uint64_t shim_rate(clockid_t id)
{
    return page_rate(shim_clock.page, id);
}

uint32_t shim_generation(void)
{
    return deadline_generation(shim_clock.page);
}

int shim_await_change(uint32_t seen, const struct timespec *timeout)
{
    return deadline_await_change(shim_clock.page, seen, timeout);
}
