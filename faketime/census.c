#include "faketime/census.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "faketime/blob.h"
#include "faketime/trap.h"

static void read_command(pid_t pid, char command[32])
{
    char path[40];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    file = fopen(path, "re");
    if (file == NULL || fgets(command, 32, file) == NULL)
        strcpy(command, "?");
    command[strcspn(command, "\n")] = '\0';
    if (file != NULL)
        fclose(file);
}

static bool is_marked(pid_t pid, uint64_t address, uint64_t mark)
{
    uint64_t there;
    struct iovec ours = {&there, sizeof there};
    struct iovec theirs = {(void *)(uintptr_t)address, sizeof there};

    return process_vm_readv(pid, &ours, 1, &theirs, 1, 0) == (ssize_t)sizeof there && there == mark;
}

static bool is_trap(pid_t pid, const struct region *region)
{
    return region->inode == 0 && region->executable && !region->writable &&
           region->end - region->start == TRAP_CODE && is_marked(pid, region->start, TRAP_MAGIC);
}

/* Asked before we look at the page ourselves, though that is another page table. */
static bool has_read(int pages_fd, const struct region *region)
{
    enum page_state state;

    return pages_fd >= 0 && maps_pages(pages_fd, region->start, 1, &state) == 0 &&
           state != PAGE_UNTOUCHED;
}

static bool look_at(pid_t pid, const struct maps *maps, struct resident *resident)
{
    struct error unheard;
    int pages_fd = maps_open_pages(pid, &unheard);
    bool found = false;

    for (size_t i = 0; i < maps->count; i++) {
        const struct region *region = &maps->regions[i];

        if (strstr(region->name, "/libfakeclock.so") != NULL)
            resident->preloaded = true;
        resident->trapped |= is_trap(pid, region);
        if (!region->shared || region->executable || !maps_is_clock(pid, region))
            continue;
        found = true;
        resident->inode = region->inode;
        resident->redirected |= is_marked(pid, region->start - BLOB_CODE, BLOB_MAGIC);
        resident->has_read |= has_read(pages_fd, region);
        memcpy(resident->clock, region->name, sizeof resident->clock);
    }
    if (pages_fd >= 0)
        close(pages_fd);
    return found;
}

bool census_look(pid_t pid, struct resident *resident)
{
    struct error unheard;
    struct maps maps;
    bool found;

    *resident = (struct resident){.pid = pid};
    if (pid == getpid() || maps_read(pid, &maps, &unheard) < 0)
        return false;
    found = look_at(pid, &maps, resident);
    maps_free(&maps);
    read_command(pid, resident->command);
    return found;
}

void census(void (*each)(const struct resident *resident, void *context), void *context)
{
    DIR *folder = opendir("/proc");
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        struct resident resident;

        if (isdigit((unsigned char)entry->d_name[0]) &&
            census_look((pid_t)strtol(entry->d_name, NULL, 10), &resident))
            each(&resident, context);
    }
    if (folder != NULL)
        closedir(folder);
}
