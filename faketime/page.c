#include "faketime/page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faketime/vdso.h"
#include "testbed/wire/moment.h"

__extension__ typedef __int128 wide; /* a century in nanoseconds, times a rate */

/* Bit n is set where clockid_t n belongs to the family (clock_gettime(2)). */
#define BIT(id) (1U << (id))
#define REAL_FAMILY                                                                                \
    (BIT(CLOCK_REALTIME) | BIT(CLOCK_REALTIME_COARSE) | BIT(CLOCK_REALTIME_ALARM) | BIT(CLOCK_TAI))
#define MONO_FAMILY                                                                                \
    (BIT(CLOCK_MONOTONIC) | BIT(CLOCK_MONOTONIC_RAW) | BIT(CLOCK_MONOTONIC_COARSE) |               \
     BIT(CLOCK_BOOTTIME) | BIT(CLOCK_BOOTTIME_ALARM))

static inline bool belongs(clockid_t id, unsigned family)
{
    return (unsigned)id < 32 && (family >> (unsigned)id & 1U) != 0;
}

static inline int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NANOSECONDS + time->tv_nsec;
}

static struct timespec timespec_of(int64_t time)
{
    int64_t seconds = time / NANOSECONDS;
    int64_t rest = time % NANOSECONDS;

    if (rest < 0) {
        rest += NANOSECONDS;
        seconds--;
    }
    return (struct timespec){.tv_sec = seconds, .tv_nsec = rest};
}

static int64_t clamped(wide time)
{
    if (time > INT64_MAX)
        return INT64_MAX;
    return time < INT64_MIN ? INT64_MIN : (int64_t)time;
}

/* The pair of lines that holds is never written to; if it stopped holding while we copied it, the
 * sequence has moved on. */
static struct page_line line_of(const struct clock_page *page, bool mono, uint32_t sequence)
{
    const struct page_lines *lines = &page->lines[sequence & 1];

    return mono ? lines->mono : lines->real;
}

int64_t page_line_at(const struct page_line *line, int64_t reference)
{
    wide passed = (wide)reference - line->base_reference;

    return clamped(line->base_virtual + (passed * (wide)line->rate >> 32));
}

/* How far one of the kernel's clocks runs ahead of another, in whole units.  Read again where somebody else had
 * the processor in between. */
static int64_t ahead(real_clock_fn real, clockid_t id, clockid_t of, int64_t unit)
{
    struct timespec before, now, after;

    do
        if (real(of, &before) != 0 || real(id, &now) != 0 || real(of, &after) != 0)
            return 0;
    while (nanoseconds(&after) - nanoseconds(&before) > unit / 4);
    return (nanoseconds(&now) - nanoseconds(&before) + unit / 2) / unit * unit;
}

/* What lasts also where the time is ours: leap seconds, and how long the machine was suspended. */
static int64_t kept_ahead(real_clock_fn real, clockid_t id)
{
    if (id == CLOCK_TAI)
        return ahead(real, id, CLOCK_REALTIME, NANOSECONDS);
    return id == CLOCK_BOOTTIME ? ahead(real, id, CLOCK_MONOTONIC, NANOSECONDS / 1000) : 0;
}

static __attribute__((noinline)) int slow_gettime(const struct clock_page *page, real_clock_fn real,
                                                  clockid_t id, struct timespec *now)
{
    bool mono = belongs(id, MONO_FAMILY);
    uint32_t sequence = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE);
    struct page_line line;
    struct timespec reference;
    int result;

    for (;;) {
        uint32_t again;

        line = line_of(page, mono, sequence);
        result = real(CLOCK_MONOTONIC, &reference);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        again = __atomic_load_n(&page->sequence, __ATOMIC_RELAXED);
        if (again == sequence)
            break;
        sequence = again;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    }
    *now = timespec_of(
        clamped((wide)page_line_at(&line, nanoseconds(&reference)) + kept_ahead(real, id)));
    return result;
}

int page_clock_gettime(const struct clock_page *page, real_clock_fn real, clockid_t id,
                       struct timespec *now)
{
    uint64_t offset = 0;
    int result;

    if (belongs(id, REAL_FAMILY))
        offset = __atomic_load_n(&page->real_offset, __ATOMIC_ACQUIRE);
    else if (belongs(id, MONO_FAMILY))
        offset = __atomic_load_n(&page->mono_offset, __ATOMIC_ACQUIRE);
    if (__builtin_expect((offset & PAGE_NS_MASK) == PAGE_SLOW, 0))
        return slow_gettime(page, real, id, now);

    result = real(id, now);
    if (offset == 0 || result != 0)
        return result;
    now->tv_sec += (int64_t)offset >> PAGE_NS_BITS;
    now->tv_nsec += (long)(offset & PAGE_NS_MASK);
    if (now->tv_nsec >= NANOSECONDS) {
        now->tv_nsec -= NANOSECONDS;
        now->tv_sec++;
    }
    return result;
}

uint64_t page_rate(const struct clock_page *page, clockid_t id)
{
    bool mono = belongs(id, MONO_FAMILY);
    uint64_t offset =
        __atomic_load_n(mono ? &page->mono_offset : &page->real_offset, __ATOMIC_ACQUIRE);
    uint32_t sequence;
    uint64_t rate;

    if ((offset & PAGE_NS_MASK) != PAGE_SLOW || !(mono || belongs(id, REAL_FAMILY)))
        return PAGE_RATE_1;
    do {
        sequence = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE);
        rate = line_of(page, mono, sequence).rate;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (__atomic_load_n(&page->sequence, __ATOMIC_RELAXED) != sequence);
    return rate;
}

int64_t page_left(const struct clock_page *page, real_clock_fn real, clockid_t id,
                  const struct timespec *until)
{
    uint64_t rate = page_rate(page, id);
    struct timespec now = {0};
    wide left;

    page_clock_gettime(page, real, id, &now);
    left = ((wide)until->tv_sec - now.tv_sec) * NANOSECONDS + until->tv_nsec - now.tv_nsec;
    if (rate == PAGE_RATE_1)
        return clamped(left);
    if (rate == 0)
        return left > 0 ? PAGE_NEVER : 0;
    /* rounded up: to look a nanosecond late is right, to look early is not */
    return clamped((left * (wide)PAGE_RATE_1 + (wide)rate - 1) / (wide)rate);
}

int64_t page_now(const struct clock_page *page)
{
    struct timespec now = {0};

    page_clock_gettime(page, vdso_clock(), CLOCK_REALTIME, &now);
    return clamped((wide)now.tv_sec * NANOSECONDS + now.tv_nsec);
}

int page_check(int fd, const char *path, struct error *e)
{
    struct {
        uint64_t magic;
        uint32_t version;
    } mark;
    struct stat stat;

    if (fstat(fd, &stat) < 0)
        return failed(e, "%s: %s", path, strerror(errno));
    if (!S_ISREG(stat.st_mode) || stat.st_size != PAGE_BYTES)
        return failed(e, "%s: not a clock; expected a file of %d bytes made by 'fakeclock new'",
                      path, PAGE_BYTES);
    if (pread(fd, &mark, sizeof mark, offsetof(struct clock_page, magic)) != sizeof mark ||
        mark.magic != PAGE_MAGIC)
        return failed(e, "%s: not a clock; expected a file made by 'fakeclock new'", path);
    if (mark.version != PAGE_VERSION)
        return failed(e, "%s: a clock of version %u; expected version %d", path, mark.version,
                      PAGE_VERSION);
    return 0;
}

const struct clock_page *page_map(const char *path, struct error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    void *page;

    if (fd < 0)
        return failed(e, "%s: cannot open the clock: %s", path, strerror(errno)), NULL;
    if (page_check(fd, path, e) < 0) {
        close(fd);
        return NULL;
    }
    page = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED)
        return failed(e, "%s: cannot map the clock: %s", path, strerror(errno)), NULL;
    return page;
}

void page_unmap(const struct clock_page *page)
{
    if (page != NULL)
        munmap((void *)(uintptr_t)page, PAGE_BYTES);
}
