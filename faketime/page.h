/* page.h -- a calendar that many processes share.
 *
 * A clock is one file of PAGE_BYTES bytes.  Whoever maps it reads virtual time in
 * tens of nanoseconds, without a lock or a system call; whoever writes it (clock.h)
 * moves every process on that clock at once, running or not yet born.
 *
 * This header is the file format and the reading half; it is the one header of this folder
 * that all others may include (whoever moves a calendar needs clock.h, too).  The arithmetic is
 * async-signal-safe and needs no libc, so that it can also run inside a shim.
 *
 * The layout: a jump is one aligned 8-byte store.  `real_offset` and `mono_offset` hold
 * what to add to the real clock: seconds in the top 34 bits (signed), nanoseconds in the
 * low 30.  The impossible nanosecond value PAGE_SLOW sends the reader to the
 * lines beside it, where rate and freeze live.  There are two pairs of lines: the lowest bit of
 * `sequence` says which pair holds; a writer fills the other one and then adds one.  So a
 * writer that is killed half-way leaves readers on the old line, never waiting for it.
 * On a line the monotonic clocks all read the same, but for BOOTTIME, which is ahead by as many milliseconds as the
 * machine was suspended.
 * `generation` is bumped, and futex-woken, after every change: a sleeper can wait on it.
 */
#ifndef FAKETIME_PAGE_H
#define FAKETIME_PAGE_H

#include <stdint.h>
#include <time.h>

#include "faketime/vdso.h"
#include "testbed/wire/error.h"

#define PAGE_BYTES   4096
#define PAGE_MAGIC   UINT64_C(0x314b434f4c434b46) /* "FKCLOCK1", little endian */
#define PAGE_VERSION 1
#define PAGE_NS_BITS 30
#define PAGE_NS_MASK UINT64_C(0x3fffffff)
#define PAGE_SLOW    PAGE_NS_MASK
#define PAGE_RATE_1  (UINT64_C(1) << 32)
#define PAGE_NEVER   INT64_MAX

/* virtual = base_virtual + (reference - base_reference) * rate / 2^32, where the reference is
 * the real CLOCK_MONOTONIC; both in nanoseconds. */
struct page_line {
    int64_t base_reference;
    int64_t base_virtual;
    uint64_t rate; /* 32.32 fixed point: 0 frozen, PAGE_RATE_1 real speed */
};

struct page_lines {
    struct page_line real; /* used where real_offset says PAGE_SLOW */
    struct page_line mono;
};

struct clock_page {
    uint64_t real_offset; /* for REALTIME, REALTIME_COARSE, TAI */
    uint64_t mono_offset; /* for MONOTONIC and BOOTTIME; 0 unless asked for */
    uint32_t sequence;    /* lines[sequence & 1] hold */
    uint32_t generation;  /* futex word */
    struct page_lines lines[2];
    uint64_t magic;
    uint32_t version;
    uint32_t unused;
};

/* The time on clock `id` as the page tells it; clocks the page knows nothing of (CPU time)
 * are the real ones.  Returns what `real` returned. */
int page_clock_gettime(const struct clock_page *page, real_clock_fn real, clockid_t id,
                       struct timespec *now);

/* Real nanoseconds until clock `id` reads `until`, were nobody to touch the page again:
 * not positive where it is past, PAGE_NEVER where the clock is frozen before it. */
int64_t page_left(const struct clock_page *page, real_clock_fn real, clockid_t id,
                  const struct timespec *until);

/* How fast clock `id` runs beside the real one, in 32.32 fixed point. */
uint64_t page_rate(const struct clock_page *page, clockid_t id);

/* Where a line is when the real CLOCK_MONOTONIC reads `reference`. */
int64_t page_line_at(const struct page_line *line, int64_t reference);

/* The virtual calendar, in nanoseconds since 1970, read against the kernel's own clock. */
int64_t page_now(const struct clock_page *page);

/* Maps the clock file read-only.  NULL with one line in *e: no such file, or a file
 * that is not a clock.  The mapping lives until page_unmap or exit. */
const struct clock_page *page_map(const char *path, struct error *e);
void page_unmap(const struct clock_page *page);

/* For a program that reads or writes clocks: where somebody cuts off the file under it, reading the page is a SIGBUS.
 * From now on the program then ends with `status` and one line that names the file. `program`, which begins it,
 * is to last.  Not for libraries: the signal's handler is the program's. */
void page_guard(const char *program, int status);

/* Whether `fd` is a regular file of the right size and kind; -1 with one line naming `path`.
 * Asked before mapping: a page that is shorter than its mapping kills its reader (SIGBUS). */
int page_check(int fd, const char *path, struct error *e);

#endif
