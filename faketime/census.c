#include "faketime/census.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "faketime/blob.h"
#include "faketime/page.h"
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

/* --- clocks that are none any more --------------------------------------------------------------- */

#define REMOVED " (deleted)" /* what the kernel puts behind the path, proc(5) */

/* Cuts that off. */
static bool was_removed(char *path)
{
    size_t length = strlen(path), mark = strlen(REMOVED);

    if (length < mark || strcmp(path + length - mark, REMOVED) != 0)
        return false;
    path[length - mark] = '\0';
    return true;
}

/* Whether the environment that the process began with has that entry. */
static bool began_with(pid_t pid, const char *entry)
{
    char path[40], *word = NULL;
    size_t room = 0;
    bool found = false;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    file = fopen(path, "re");
    while (!found && file != NULL && getdelim(&word, &room, '\0', file) > 0)
        found = strcmp(word, entry) == 0;
    if (file != NULL)
        fclose(file);
    free(word);
    return found;
}

/* Whether it is what the shim has mapped, whatever is in it. */
static bool is_shims(const struct resident *resident)
{
    char entry[REGION_NAME + 16];

    snprintf(entry, sizeof entry, "FAKECLOCK=%s", resident->clock);
    return resident->preloaded && began_with(resident->pid, entry);
}

static const char *spoilt_how(pid_t pid, const struct region *region)
{
    struct tracee unseized = {.pid = pid};
    struct error unheard;
    char byte;

    return tracee_read(&unseized, region->start, &byte, 1, &unheard) < 0 ? "cut off"
                                                                         : "overwritten";
}

/* --- a process -------------------------------------------------------------------------------------- */

static bool could_be_clock(const struct region *region)
{
    return region->shared && !region->executable && region->inode != 0 && region->offset == 0 &&
           region->end - region->start == PAGE_BYTES;
}

/* Fills in what the region tells, if it is a clock or was one. */
static bool take_clock(const struct region *region, int pages_fd, struct resident *resident)
{
    struct resident taken = *resident;
    bool redirected = is_marked(taken.pid, region->start - BLOB_CODE, BLOB_MAGIC);
    bool removed, whole;

    taken.redirected |= redirected;
    taken.has_read |= has_read(pages_fd, region);
    taken.inode = region->inode;
    memcpy(taken.clock, region->name, sizeof taken.clock);
    removed = was_removed(taken.clock);
    whole = maps_is_clock(taken.pid, region);
    if (!whole && !redirected && !is_shims(&taken))
        return false;
    if (removed)
        taken.trouble = "removed";
    if (!whole)
        taken.trouble = spoilt_how(taken.pid, region);
    *resident = taken;
    return true;
}

static bool look_at(const struct maps *maps, struct resident *resident)
{
    struct error unheard;
    int pages_fd = maps_open_pages(resident->pid, &unheard);
    bool found = false;

    for (size_t i = 0; i < maps->count; i++) {
        resident->preloaded |= strstr(maps->regions[i].name, "/libfakeclock.so") != NULL;
        resident->trapped |= is_trap(resident->pid, &maps->regions[i]);
    }
    for (size_t i = 0; i < maps->count; i++)
        if (could_be_clock(&maps->regions[i]))
            found |= take_clock(&maps->regions[i], pages_fd, resident);
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
    found = look_at(&maps, resident);
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
