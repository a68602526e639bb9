/* maps.h -- what a process has mapped, as /proc/PID/maps tells it (proc(5)).
 *
 * A list is a snapshot: it is worth what the process's being stopped makes it worth.
 */
#ifndef FAKETIME_MAPS_H
#define FAKETIME_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "testbed/wire/error.h"

#define REGION_NAME 512

struct region {
    uint64_t start, end;
    uint64_t inode;  /* 0: not a file */
    uint64_t offset; /* in the file */
    bool readable, writable, executable, shared;
    char name[REGION_NAME]; /* a path or [vdso]; cut to its end where it is longer */
};

struct maps {
    struct region *regions; /* in the order of their addresses */
    size_t count;
};

/* -1 with one line where the process is gone, is not ours, or has no memory (a zombie, the kernel's). */
int maps_read(pid_t pid, struct maps *maps, struct error *e);
void maps_free(struct maps *maps);

/* The region of that name; NULL where there is none. */
const struct region *maps_named(const struct maps *maps, const char *name);

/* Whether a clock file is mapped there: shared, of one page that begins as clocks do.  The file is looked at, not the
 * process's memory, as long as it has its name: a look there would count as one of the process's own
 * (census.h). */
bool maps_is_clock(pid_t pid, const struct region *region);

/* What the kernel knows of each page (/proc/PID/pagemap). */
enum page_state {
    PAGE_UNTOUCHED, /* nobody has ever used it: it reads as zeros, or as its file */
    PAGE_PRIVATE,   /* the process's own: written to, or anonymous */
    PAGE_OF_FILE,   /* or otherwise shared */
};

/* An open pagemap: its descriptor, or -1 with one line. */
int maps_open_pages(pid_t pid, struct error *e);
/* Fills states of the `count` pages from `address`; -1 where the kernel does not say. */
int maps_pages(int fd, uint64_t address, size_t count, enum page_state *states);

#endif
