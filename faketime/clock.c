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
#define TRIES      10
#define WRITING_NS 10000000 /* that lasts at most, after the last try */

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
    int tries = TRIES;

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

static int64_t unpacked(uint64_t offset)
{
    return ((int64_t)offset >> PAGE_NS_BITS) * NANOSECONDS + (int64_t)(offset & PAGE_NS_MASK);
}

/* A clock of the kernel's with what the page adds to it. */
struct dial {
    int64_t offset; /* now */
    uint64_t rate;
};

/* `real` is what the kernel's own clock reads, `word` what the page says of it.  Exact where the page holds an
 * offset: a thousand jumps of a day are a thousand days. */
static int64_t offset_of(uint64_t word, const struct page_line *line, int64_t real, int64_t mono)
{
    return (word & PAGE_NS_MASK) == PAGE_SLOW ? page_line_at(line, mono) - real : unpacked(word);
}

static struct dial calendar_at(const struct clock_page *page, const struct instant *at)
{
    const struct page_line *line = &page->lines[page->sequence & 1].real;

    return (struct dial){.offset = offset_of(page->real_offset, line, at->real, at->mono),
                         .rate = page_rate(page, CLOCK_REALTIME)};
}

static struct dial monotonic_at(const struct clock_page *page, const struct instant *at)
{
    const struct page_line *line = &page->lines[page->sequence & 1].mono;

    return (struct dial){.offset = offset_of(page->mono_offset, line, at->mono, at->mono),
                         .rate = page_rate(page, CLOCK_MONOTONIC)};
}

/* The dial's word; where that is PAGE_SLOW, its line, too. */
static uint64_t word_of(const struct dial *dial, int64_t real, int64_t mono, struct page_line *line)
{
    if (dial->rate == PAGE_RATE_1 && llabs(dial->offset) < OFFSET_LIMIT)
        return packed(dial->offset);
    *line = (struct page_line){
        .base_reference = mono, .base_virtual = real + dial->offset, .rate = dial->rate};
    return PAGE_SLOW;
}

/* What the page is to say. */
struct next {
    uint64_t real_word, mono_word;
    struct page_lines lines;
};

static void write_lines(struct clock_page *page, const struct page_lines *lines)
{
    uint32_t sequence = page->sequence;

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* nobody still holds the spare as the current one */
    page->lines[(sequence + 1) & 1] = *lines;
    __atomic_store_n(&page->sequence, sequence + 1, __ATOMIC_RELEASE);
}

static void write_page(struct clock_page *page, const struct next *next)
{
    if (next->real_word == PAGE_SLOW || next->mono_word == PAGE_SLOW)
        write_lines(page, &next->lines);
    __atomic_store_n(&page->mono_offset, next->mono_word, __ATOMIC_RELEASE);
    __atomic_store_n(&page->real_offset, next->real_word, __ATOMIC_RELEASE);
    __atomic_add_fetch(&page->generation, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &page->generation, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

struct change {
    enum { FROM_VIRTUAL_NOW, FROM_REAL_NOW, FROM_EPOCH } from;
    int64_t by;
    const struct clock_page *leader; /* whose virtual time and rate are meant; NULL: its own */
    const uint64_t *rate;            /* NULL keeps it, and that of the monotonic clocks */
    bool passes;                     /* the monotonic clocks move as far, or run as fast */
};

/* Where the calendar is to be. */
static int move(const struct clock_page *page, const struct change *change,
                const struct instant *at, struct dial *calendar, struct error *e)
{
    struct dial leader = calendar_at(change->leader == NULL ? page : change->leader, at);
    const int64_t base[] = {
        [FROM_VIRTUAL_NOW] = leader.offset,
        [FROM_REAL_NOW] = 0,
        [FROM_EPOCH] = -at->real,
    };
    int64_t now;

    if (__builtin_add_overflow(base[change->from], change->by, &calendar->offset) ||
        __builtin_add_overflow(at->real, calendar->offset, &now) || now < CLOCK_EARLIEST ||
        now > CLOCK_LATEST)
        return failed(e, "beyond the calendar; expected a time from 1900-01-01 to 2259-12-31");
    calendar->rate = change->rate == NULL ? leader.rate : *change->rate;
    return 0;
}

/* The same for the monotonic clocks, where the calendar has moved from one offset to another. */
static int pass(const struct change *change, int64_t from, int64_t to, struct dial *monotonic,
                struct error *e)
{
    int64_t by;

    if (change->rate != NULL)
        monotonic->rate = change->passes ? *change->rate : PAGE_RATE_1;
    if (!change->passes)
        return 0;
    if (to < from)
        return failed(e, "the monotonic clocks never go back; expected a time that is to come");
    if (__builtin_sub_overflow(to, from, &by) ||
        __builtin_add_overflow(monotonic->offset, by, &monotonic->offset) ||
        monotonic->offset >= OFFSET_LIMIT)
        return failed(e, "more time than there is has passed; expected less than 272 years in all");
    return 0;
}

/* Until all is written there are readers of what was.  So the monotonic clocks, which never go back, are put ahead
 * of it where they are slowed down. */
static int compute(const struct clock_page *page, const struct change *change,
                   const struct instant *at, struct next *next, struct error *e)
{
    struct dial calendar = calendar_at(page, at), monotonic = monotonic_at(page, at);
    const struct dial before = monotonic;
    int64_t offset = calendar.offset;
    struct instant from = *at;

    if (move(page, change, at, &calendar, e) < 0 ||
        pass(change, offset, calendar.offset, &monotonic, e) < 0)
        return -1;
    if (monotonic.rate < before.rate) {
        from.mono += WRITING_NS;
        monotonic.offset += monotonic_at(page, &from).offset - before.offset;
    }
    next->lines = page->lines[page->sequence & 1];
    next->real_word = word_of(&calendar, at->real, at->mono, &next->lines.real);
    next->mono_word = word_of(&monotonic, from.mono, from.mono, &next->lines.mono);
    return 0;
}

/* With the lock held.  Computed again where somebody else had the processor meanwhile. */
static int apply(struct clock_page *page, const struct change *change, struct error *e)
{
    int tries = TRIES;
    struct instant at;
    struct next next;

    do {
        at = instant_now();
        if (compute(page, change, &at, &next, e) < 0)
            return -1;
    } while (kernel_now(CLOCK_MONOTONIC) - at.mono > INSTANT_NS && --tries > 0);
    write_page(page, &next);
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

    return calendar_at(clock->page, &at).offset;
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

int clock_follow(struct clock *clock, const struct clock *leader, int64_t skew, struct error *e)
{
    return change(
        clock, &(struct change){.from = FROM_VIRTUAL_NOW, .by = skew, .leader = leader->page}, e);
}

static int set_rate(struct clock *clock, double rate, bool passes, struct error *e)
{
    uint64_t fixed;

    if (!(rate >= 0 && rate <= CLOCK_FASTEST))
        return failed(e, "%g is not a rate; expected 0 (frozen) to %.0f", rate, CLOCK_FASTEST);
    fixed = (uint64_t)(rate * (double)PAGE_RATE_1 + 0.5);
    return change(clock,
                  &(struct change){.from = FROM_VIRTUAL_NOW, .rate = &fixed, .passes = passes}, e);
}

int clock_rate(struct clock *clock, double rate, struct error *e)
{
    return set_rate(clock, rate, false, e);
}

int clock_pace(struct clock *clock, double rate, struct error *e)
{
    return set_rate(clock, rate, true, e);
}

double clock_rate_now(const struct clock *clock)
{
    return (double)page_rate(clock->page, CLOCK_REALTIME) / (double)PAGE_RATE_1;
}

double clock_pace_now(const struct clock *clock)
{
    return (double)page_rate(clock->page, CLOCK_MONOTONIC) / (double)PAGE_RATE_1;
}
