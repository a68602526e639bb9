#include "faketime/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "faketime/page.h"

#define LINE_MAX_BYTES 4600 /* a path, and what stands before it */

static bool parse(const char *line, struct region *region)
{
    char mode[5] = "", device[16];
    int name = 0;
    size_t length, kept;

    *region = (struct region){0};
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers, proc(5) */
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %15s %" SCNu64 " %n", &region->start,
               &region->end, mode, &region->offset, device, &region->inode, &name) < 6)
        return false;
    region->readable = mode[0] == 'r';
    region->writable = mode[1] == 'w';
    region->executable = mode[2] == 'x';
    region->shared = mode[3] == 's';
    length = strcspn(line + name, "\n");
    kept = length < REGION_NAME ? length : REGION_NAME - 1;
    memcpy(region->name, line + name + length - kept, kept);
    return true;
}

static int append(struct maps *maps, const struct region *region)
{
    if ((maps->count & (maps->count - 1)) == 0) { /* full: the room is a power of two */
        size_t room = maps->count == 0 ? 1 : 2 * maps->count;
        struct region *more = realloc(maps->regions, room * sizeof *more);

        if (more == NULL)
            return -1;
        maps->regions = more;
    }
    maps->regions[maps->count++] = *region;
    return 0;
}

int maps_read(pid_t pid, struct maps *maps, struct error *e)
{
    char path[40], line[LINE_MAX_BYTES];
    struct region region;
    FILE *file;

    *maps = (struct maps){0};
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return failed(e, "process %d: %s", (int)pid,
                      errno == ENOENT || errno == ESRCH ? "there is none" : strerror(errno));
    while (fgets(line, sizeof line, file) != NULL)
        if (parse(line, &region) && append(maps, &region) < 0)
            break;
    fclose(file);
    if (maps->count > 0)
        return 0;
    return failed(e, "process %d: has no memory of its own; expected a program that runs",
                  (int)pid);
}

void maps_free(struct maps *maps)
{
    free(maps->regions);
    *maps = (struct maps){0};
}

const struct region *maps_named(const struct maps *maps, const char *name)
{
    for (size_t i = 0; i < maps->count; i++)
        if (strcmp(maps->regions[i].name, name) == 0)
            return &maps->regions[i];
    return NULL;
}

/* 1: a clock; 0: another file; -1: that name leads somewhere else by now. */
static int check_file(pid_t pid, const struct region *region)
{
    char path[REGION_NAME + 40];
    struct stat file;
    struct error unheard;
    int fd, result = -1;

    snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, region->name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, &file) == 0 && file.st_ino == region->inode)
        result = page_check(fd, path, &unheard) == 0;
    close(fd);
    return result;
}

bool maps_is_clock(pid_t pid, const struct region *region)
{
    struct clock_page page;
    struct iovec ours = {&page, sizeof page};
    struct iovec theirs = {(void *)(uintptr_t)region->start, sizeof page};
    int by_name;

    if (!region->shared || region->inode == 0 || region->offset != 0 || !region->readable ||
        region->end - region->start != PAGE_BYTES)
        return false;
    by_name = check_file(pid, region);
    if (by_name >= 0)
        return by_name;
    return process_vm_readv(pid, &ours, 1, &theirs, 1, 0) == (ssize_t)sizeof page &&
           page.magic == PAGE_MAGIC && page.version == PAGE_VERSION;
}

int maps_open_pages(pid_t pid, struct error *e)
{
    char path[40];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? failed(e, "%s: %s", path, strerror(errno)) : fd;
}

/* Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)
#define PAGEMAP_FILE    (UINT64_C(1) << 61)

int maps_pages(int fd, uint64_t address, size_t count, enum page_state *states)
{
    while (count > 0) {
        uint64_t entries[512];
        size_t some = count < 512 ? count : 512;

        if (pread(fd, entries, some * sizeof *entries, (off_t)(address / PAGE_BYTES * 8)) !=
            (ssize_t)(some * sizeof *entries))
            return -1;
        for (size_t i = 0; i < some; i++) {
            if ((entries[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) == 0)
                states[i] = PAGE_UNTOUCHED;
            else
                states[i] = entries[i] & PAGEMAP_FILE ? PAGE_OF_FILE : PAGE_PRIVATE;
        }
        states += some;
        count -= some;
        address += some * PAGE_BYTES;
    }
    return 0;
}
