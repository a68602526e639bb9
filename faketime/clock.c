#include "faketime/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faketime/vdso.h"
#include "testbed/wire/moment.h"

#define OFFSET_LIMIT (INT64_C(8589934592) * NANOSECONDS) /* 2^33 s: what a packed offset holds */

#define INSTANT_NS 5000

static const struct clock_page new_page = {
    .magic = PAGE_MAGIC,
    .version = PAGE_VERSION,
    .lines = {{.real = {.rate = PAGE_RATE_1}, .mono = {.rate = PAGE_RATE_1}},
              {.real = {.rate = PAGE_RATE_1}, .mono = {.rate = PAGE_RATE_1}}},
};

/* Written, not stretched: a hole would be a SIGBUS on the day the disk is full. */
static int fill(int fd, const char *path, struct error *e)
{
    char bytes[PAGE_BYTES] = {0};

    memcpy(bytes, &new_page, sizeof new_page);
    errno = ENOSPC; /* what a short write means */
    if (write(fd, bytes, sizeof bytes) != sizeof bytes || fchmod(fd, 0644) < 0)
        return failed(e, "%s: cannot write the clock: %s", path, strerror(errno));
    return 0;
}

/* link(2) and not rename(2): it refuses where there is a file already. */
static int publish(int fd, const char *draft, const char *path, struct error *e)
{
    if (fill(fd, path, e) < 0)
        return -1;
    if (link(draft, path) == 0)
        return 0;
    if (errno == EEXIST)
        return failed(e, "%s: exists already; expected a new file", path);
    return failed(e, "%s: cannot create the clock: %s", path, strerror(errno));
}

static int create_file(const char *path, struct error *e)
{
    char draft[PATH_MAX];
    int fd, result;

    if ((size_t)snprintf(draft, sizeof draft, "%s.XXXXXX", path) >= sizeof draft)
        return failed(e, "%.40s...: cannot create the clock: %s", path, strerror(ENAMETOOLONG));
    fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0)
        return failed(e, "%s: cannot create the clock: %s", path, strerror(errno));
    result = publish(fd, draft, path, e);
    unlink(draft);
    close(fd);
    return result;
}

int clock_create(const char *path, struct clock *clock, struct error *e)
{
    return create_file(path, e) < 0 ? -1 : clock_open(path, clock, e);
}

int clock_open(const char *path, struct clock *clock, struct error *e)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    void *page;

    if (fd < 0)
        return failed(e, "%s: cannot open the clock: %s", path, strerror(errno));
    if (page_check(fd, path, e) < 0) {
        close(fd);
        return -1;
    }
    page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        failed(e, "%s: cannot map the clock: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    *clock = (struct clock){.fd = fd, .page = page};
    return 0;
}

void clock_close(struct clock *clock)
{
    if (clock->page == NULL)
        return;
    munmap(clock->page, PAGE_BYTES);
    close(clock->fd);
    *clock = (struct clock){.fd = -1};
}

/* One instant on both of the kernel's clocks. */
struct instant {
    int64_t real, mono;
};

static int64_t kernel_now(clockid_t id)
{
    struct timespec now = {0};

    vdso_clock()(id, &now);
    return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

/* Read again where somebody else had the processor in between. */
static struct instant instant_now(void)
{
    struct instant now;
    int tries = 10;

    do {
        now.mono = kernel_now(CLOCK_MONOTONIC);
        now.real = kernel_now(CLOCK_REALTIME);
    } while (kernel_now(CLOCK_MONOTONIC) - now.mono > INSTANT_NS && --tries > 0);
    return now;
}

static uint64_t packed(int64_t offset)
{
    int64_t seconds = offset / NANOSECONDS;
    int64_t rest = offset % NANOSECONDS;

    if (rest < 0) {
        rest += NANOSECONDS;
        seconds--;
    }
    return ((uint64_t)seconds << PAGE_NS_BITS) | (uint64_t)rest;
}

static void write_line(struct clock_page *page, const struct page_line *line)
{
    uint32_t sequence = page->sequence;
    struct page_lines *spare = &page->lines[(sequence + 1) & 1];

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* nobody still holds the spare as the current one */
    *spare = page->lines[sequence & 1];
    spare->real = *line;
    __atomic_store_n(&page->sequence, sequence + 1, __ATOMIC_RELEASE);
}

static int64_t unpacked(uint64_t offset)
{
    return ((int64_t)offset >> PAGE_NS_BITS) * NANOSECONDS + (int64_t)(offset & PAGE_NS_MASK);
}

/* What to add to the kernel's calendar now.  Exact where the page holds an offset: a thousand
 * jumps of a day are a thousand days. */
static int64_t offset_at(const struct clock_page *page, const struct instant *at)
{
    uint64_t offset = page->real_offset;

    if ((offset & PAGE_NS_MASK) == PAGE_SLOW)
        return page_line_at(&page->lines[page->sequence & 1].real, at->mono) - at->real;
    return unpacked(offset);
}

static void write_calendar(struct clock_page *page, const struct instant *at, int64_t offset,
                           uint64_t rate)
{
    uint64_t word = PAGE_SLOW;

    if (rate == PAGE_RATE_1 && llabs(offset) < OFFSET_LIMIT)
        word = packed(offset);
    else
        write_line(page, &(struct page_line){.base_reference = at->mono,
                                             .base_virtual = at->real + offset,
                                             .rate = rate});
    __atomic_store_n(&page->real_offset, word, __ATOMIC_RELEASE);
    __atomic_add_fetch(&page->generation, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &page->generation, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

struct change {
    enum { FROM_VIRTUAL_NOW, FROM_REAL_NOW, FROM_EPOCH } from;
    int64_t by;
    const struct clock_page *leader; /* whose virtual time and rate are meant; NULL: its own */
    const uint64_t *rate;            /* NULL keeps it */
    bool passes;                     /* the monotonic clocks move as far */
};

/* The monotonic clocks' new word. */
static int pass(const struct clock_page *page, int64_t by, uint64_t *word, struct error *e)
{
    int64_t passed;

    if (by < 0)
        return failed(e, "the monotonic clocks never go back; expected a time that is to come");
    if (__builtin_add_overflow(unpacked(page->mono_offset), by, &passed) || passed >= OFFSET_LIMIT)
        return failed(e, "more time than there is has passed; expected less than 272 years in all");
    *word = packed(passed);
    return 0;
}

/* With the lock held. */
static int apply(struct clock_page *page, const struct change *change, struct error *e)
{
    const struct clock_page *leader = change->leader == NULL ? page : change->leader;
    struct instant at = instant_now();
    const int64_t base[] = {
        [FROM_VIRTUAL_NOW] = offset_at(leader, &at),
        [FROM_REAL_NOW] = 0,
        [FROM_EPOCH] = -at.real,
    };
    uint64_t mono = page->mono_offset;
    int64_t offset, now;

    if (__builtin_add_overflow(base[change->from], change->by, &offset) ||
        __builtin_add_overflow(at.real, offset, &now) || now < CLOCK_EARLIEST || now > CLOCK_LATEST)
        return failed(e, "beyond the calendar; expected a time from 1900-01-01 to 2259-12-31");
    if (change->passes && pass(page, offset - base[FROM_VIRTUAL_NOW], &mono, e) < 0)
        return -1;
    __atomic_store_n(&page->mono_offset, mono, __ATOMIC_RELEASE);
    write_calendar(page, &at, offset,
                   change->rate == NULL ? page_rate(leader, CLOCK_REALTIME) : *change->rate);
    return 0;
}

static int change(struct clock *clock, const struct change *change, struct error *e)
{
    int result;

    while (flock(clock->fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return failed(e, "cannot lock the clock: %s", strerror(errno));
    result = apply(clock->page, change, e);
    flock(clock->fd, LOCK_UN);
    return result;
}

int64_t clock_offset(const struct clock *clock)
{
    struct instant at = instant_now();

    return offset_at(clock->page, &at);
}

int64_t clock_now(const struct clock *clock)
{
    return page_now(clock->page);
}

int clock_set(struct clock *clock, int64_t now, struct error *e)
{
    return change(clock, &(struct change){.from = FROM_EPOCH, .by = now}, e);
}

int clock_set_offset(struct clock *clock, int64_t offset, struct error *e)
{
    return change(clock, &(struct change){.from = FROM_REAL_NOW, .by = offset}, e);
}

int clock_advance(struct clock *clock, int64_t by, struct error *e)
{
    return change(clock, &(struct change){.from = FROM_VIRTUAL_NOW, .by = by}, e);
}

int clock_pass(struct clock *clock, int64_t by, struct error *e)
{
    return change(clock, &(struct change){.from = FROM_VIRTUAL_NOW, .by = by, .passes = true}, e);
}

int clock_pass_until(struct clock *clock, int64_t now, struct error *e)
{
    return change(clock, &(struct change){.from = FROM_EPOCH, .by = now, .passes = true}, e);
}

int64_t clock_passed(const struct clock *clock)
{
    return unpacked(__atomic_load_n(&clock->page->mono_offset, __ATOMIC_ACQUIRE));
}

int clock_follow(struct clock *clock, const struct clock *leader, int64_t skew, struct error *e)
{
    return change(
        clock, &(struct change){.from = FROM_VIRTUAL_NOW, .by = skew, .leader = leader->page}, e);
}

int clock_rate(struct clock *clock, double rate, struct error *e)
{
    uint64_t fixed;

    if (!(rate >= 0 && rate <= CLOCK_FASTEST))
        return failed(e, "%g is not a rate; expected 0 (frozen) to %.0f", rate, CLOCK_FASTEST);
    fixed = (uint64_t)(rate * (double)PAGE_RATE_1 + 0.5);
    return change(clock, &(struct change){.from = FROM_VIRTUAL_NOW, .rate = &fixed}, e);
}

double clock_rate_now(const struct clock *clock)
{
    return (double)page_rate(clock->page, CLOCK_REALTIME) / (double)PAGE_RATE_1;
}
