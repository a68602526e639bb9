#include "faketime/redirect.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "faketime/image.h"
#include "faketime/libc.h"
#include "faketime/page.h"
#include "faketime/pointers.h"
#include "faketime/symbols.h"

/* --- the vDSO --------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum blob_call call;
    int alias;
} names[] = {
    {"__vdso_clock_gettime", BLOB_CLOCK_GETTIME, 0},
    {"clock_gettime",        BLOB_CLOCK_GETTIME, 1},
    {"__vdso_gettimeofday",  BLOB_GETTIMEOFDAY,  0},
    {"gettimeofday",         BLOB_GETTIMEOFDAY,  1},
    {"__vdso_time",          BLOB_TIME,          0},
    {"time",                 BLOB_TIME,          1},
};

static void take_symbol(struct redirect *redirect, const struct symbol *symbol)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(symbol->name, names[i].name) == 0) {
            redirect->symbols[names[i].call][names[i].alias] = symbol->where;
            redirect->originals[names[i].call] = symbol->leads_to;
            if (symbol->leads_to < redirect->vdso || symbol->leads_to >= redirect->vdso_end)
                redirect->blob = symbol->leads_to & ~(BLOB_PAGE - 1);
        }
}

static int take_symbols(const struct tracee *tracee, struct redirect *redirect, struct error *e)
{
    struct symbols symbols;
    struct symbol symbol;

    if (symbols_read(tracee, redirect->vdso, &symbols, e) < 0)
        return -1;
    for (size_t i = 0; i < symbols.count; i++)
        if (symbols_at(&symbols, i, &symbol))
            take_symbol(redirect, &symbol);
    symbols_free(&symbols);
    return 0;
}

/* --- a blob that is there ----------------------------------------------------------------------- */

static bool take_blob(const struct tracee *tracee, uint64_t address, struct redirect *redirect)
{
    struct blob blob;
    struct error ignored;

    if (tracee_read(tracee, address, &blob, sizeof blob, &ignored) < 0 || blob.magic != BLOB_MAGIC)
        return false;
    redirect->libc_table = address + blob.libc;
    if (tracee_read(tracee, redirect->libc_table, &redirect->libc, sizeof redirect->libc,
                    &ignored) < 0)
        return false;
    redirect->blob = address;
    for (size_t i = 0; i < BLOB_CALLS; i++)
        redirect->entries[i] = address + blob.entries[i];
    return true;
}

/* One that was left when the process was taken off a clock. */
static void find_blob(const struct tracee *tracee, const struct maps *maps,
                      struct redirect *redirect)
{
    for (size_t i = 0; i < maps->count && redirect->blob == 0; i++) {
        const struct region *region = &maps->regions[i];
        bool ours = region->inode == 0 && region->name[0] == '\0' && region->executable &&
                    !region->writable && region->end - region->start == BLOB_CODE;

        if (ours)
            take_blob(tracee, region->start, redirect);
    }
}

/* Where one of the symbols leads out of the vDSO, it leads to a blob, which knows where all led before. */
static int follow_symbols(const struct tracee *tracee, struct redirect *redirect, struct error *e)
{
    struct blob blob;

    if (!take_blob(tracee, redirect->blob, redirect))
        return failed(e, "process %d: its vDSO leads somewhere else already; expected the kernel's",
                      (int)tracee->pid);
    redirect->on = true;
    if (tracee_read(tracee, redirect->blob, &blob, sizeof blob, e) < 0)
        return -1;
    memcpy(redirect->originals, blob.originals, sizeof blob.originals);
    return 0;
}

int redirect_look(const struct tracee *tracee, const struct maps *maps, struct redirect *redirect,
                  struct error *e)
{
    const struct region *vdso = maps_named(maps, "[vdso]");

    *redirect = (struct redirect){0};
    if (vdso == NULL)
        return failed(e, "process %d: has no vDSO to redirect", (int)tracee->pid);
    redirect->vdso = vdso->start;
    redirect->vdso_end = vdso->end;
    if (take_symbols(tracee, redirect, e) < 0)
        return -1;
    for (size_t i = 0; i < BLOB_CALLS; i++)
        if (redirect->originals[i] == 0)
            return failed(e, "process %d: its vDSO has no %s", (int)tracee->pid, names[2 * i].name);
    if (redirect->blob != 0)
        return follow_symbols(tracee, redirect, e);
    find_blob(tracee, maps, redirect);
    return 0;
}

uint64_t redirect_room(const struct redirect *redirect)
{
    return redirect->blob == 0 ? 0 : redirect->blob + BLOB_SIZE - BLOB_ROOM;
}

/* The table is filled from its start. */
bool redirect_waits(const struct redirect *redirect)
{
    return redirect->on && redirect->libc.theirs[BLOB_LIBC - 1] != 0;
}

/* NOLINTNEXTLINE(misc-redundant-expression): they are the same today */
_Static_assert(BLOB_ROOM >= TRACEE_ROOM, "the blob has room for the way home");

/* --- pages ---------------------------------------------------------------------------------------- */

static int protect(struct tracee *tracee, uint64_t address, uint64_t size, uint64_t mode,
                   struct error *e)
{
    const struct remote_call call = {
        .what = "protect memory", .number = SYS_mprotect, .arguments = {address, size, mode}
    };
    uint64_t ignored;

    return tracee_call(tracee, &call, &ignored, e);
}

static int write_image(struct tracee *tracee, uint64_t address, const struct redirect *redirect,
                       struct error *e)
{
    unsigned char code[BLOB_CODE] = {0};
    size_t size = (size_t)(image_end - image_start);

    memcpy(code, image_start, size);
    memcpy(code + offsetof(struct blob, originals), redirect->originals,
           sizeof redirect->originals);
    return tracee_write(tracee, address, code, size, e);
}

static int make_blob(struct tracee *tracee, struct redirect *redirect, struct error *e)
{
    const struct remote_call map = {
        .what = "map memory",
        .number = SYS_mmap,
        .arguments = {0, BLOB_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                      UINT64_MAX}
    };
    uint64_t address;

    if (tracee_call(tracee, &map, &address, e) < 0 ||
        write_image(tracee, address, redirect, e) < 0 ||
        protect(tracee, address, BLOB_CODE, PROT_READ | PROT_EXEC, e) < 0)
        return -1;
    return take_blob(tracee, address, redirect) ? 0 : failed(e, "the blob was not written");
}

/* Pages of a clock that the process has by itself; the blob's is not among them. */
static int own_pages(const struct tracee *tracee, const struct maps *maps,
                     const struct redirect *redirect, uint64_t others[BLOB_OTHERS], struct error *e)
{
    struct blob blob;
    size_t count = 0;

    if (tracee_read(tracee, redirect->blob, &blob, sizeof blob, e) < 0)
        return -1;
    memcpy(others, blob.others, sizeof blob.others);
    while (count < BLOB_OTHERS && others[count] != 0)
        count++;
    for (size_t i = 0; i < maps->count; i++) {
        const struct region *region = &maps->regions[i];
        bool known = region->start == redirect->blob + BLOB_CODE;

        for (size_t k = 0; k < count; k++)
            known = known || others[k] == region->start;
        if (known || !maps_is_clock(tracee->pid, region))
            continue;
        if (count == BLOB_OTHERS)
            return failed(e, "process %d: has mapped clocks more than %d times", (int)tracee->pid,
                          BLOB_OTHERS);
        others[count++] = region->start;
    }
    return 0;
}

static int map_at(struct tracee *tracee, uint64_t address, uint64_t flags, uint64_t fd,
                  struct error *e)
{
    const struct remote_call map = {
        .what = "map the clock",
        .number = SYS_mmap,
        .arguments = {address, PAGE_BYTES, PROT_READ, flags | MAP_FIXED, fd}
    };
    uint64_t result;

    return tracee_call(tracee, &map, &result, e);
}

/* The blob's page comes last where the clock comes, first where it goes: only then is it all of it. */
static int map_all(struct tracee *tracee, const struct redirect *redirect,
                   const uint64_t others[BLOB_OTHERS], uint64_t flags, uint64_t fd, struct error *e)
{
    for (size_t i = 0; i < BLOB_OTHERS && others[i] != 0; i++)
        if (map_at(tracee, others[i], flags, fd, e) < 0)
            return -1;
    return map_at(tracee, redirect->blob + BLOB_CODE, flags, fd, e);
}

static int map_zeros(struct tracee *tracee, const struct redirect *redirect,
                     const uint64_t others[BLOB_OTHERS], struct error *e)
{
    return map_all(tracee, redirect, others, MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, e);
}

/* That the path leads the tracee to our file: it may have another root, or other mounts. */
static int check_same(const struct tracee *tracee, uint64_t fd, const char *clock, struct error *e)
{
    char path[64];
    struct stat ours, theirs;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)tracee->pid, (int)fd);
    if (stat(clock, &ours) < 0 || stat(path, &theirs) < 0)
        return failed(e, "%s: %s", clock, strerror(errno));
    if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
        return 0;
    return failed(e, "process %d: %s is another file there; expected the same file system",
                  (int)tracee->pid, clock);
}

/* The step that counts. */
static int map_clock(struct tracee *tracee, const struct redirect *redirect,
                     const uint64_t others[BLOB_OTHERS], const char *clock, struct error *e)
{
    struct remote_call open = {
        .what = "open the clock",
        .number = SYS_open,
        .arguments = {tracee->scratch, O_RDONLY | O_CLOEXEC | O_NONBLOCK}
    };
    struct remote_call close = {.what = "close the clock", .number = SYS_close};
    uint64_t fd, ignored;
    struct error unheard;
    int result;

    if (strlen(clock) >= TRACEE_SCRATCH)
        return failed(e, "%s: too long a path", clock);
    if (tracee_write(tracee, tracee->scratch, clock, strlen(clock) + 1, e) < 0)
        return -1;
    if (tracee_call(tracee, &open, &fd, e) < 0)
        return failed_in(e, clock);
    result = check_same(tracee, fd, clock, e);
    if (result == 0)
        result = map_all(tracee, redirect, others, MAP_SHARED, fd, e);
    close.arguments[0] = fd;
    tracee_call(tracee, &close, &ignored, &unheard);
    return result;
}

/* --- words ----------------------------------------------------------------------------------------- */

static int set_symbols(struct tracee *tracee, const struct redirect *redirect,
                       const uint64_t functions[BLOB_CALLS], struct error *e)
{
    for (size_t call = 0; call < BLOB_CALLS; call++)
        for (size_t alias = 0; alias < 2; alias++) {
            uint64_t where = redirect->symbols[call][alias];

            if (where != 0 && tracee_poke(tracee, where, functions[call] - redirect->vdso, e) < 0)
                return -1;
        }
    return 0;
}

static int set_others(struct tracee *tracee, const struct redirect *redirect,
                      const uint64_t others[BLOB_OTHERS], struct error *e)
{
    for (size_t i = 0; i < BLOB_OTHERS; i++)
        if (others[i] != 0 &&
            tracee_poke(tracee, redirect->blob + offsetof(struct blob, others) + 8 * i, others[i],
                        e) < 0)
            return -1;
    return 0;
}

/* What our functions call below them, all or none. */
static int set_libc(struct tracee *tracee, struct redirect *redirect, const struct symbols *libc,
                    struct error *e)
{
    uint64_t *theirs = redirect->libc.theirs;
    uint64_t where = redirect->libc_table + offsetof(struct blob_libc, theirs);
    uint64_t functions[BLOB_LIBC];

    if (theirs[BLOB_LIBC - 1] != 0 || !libc_find(libc, functions))
        return 0;
    for (size_t i = 0; i < BLOB_LIBC; i++)
        if (tracee_poke(tracee, where + 8 * i, functions[i], e) < 0)
            return -1;
    memcpy(theirs, functions, sizeof functions);
    return 0;
}

/* All that leads to the one side is to lead to the other. */
static struct swaps swaps_of(const struct redirect *redirect, bool on)
{
    struct swaps swaps = {.count = 0};

    for (size_t i = 0; i < BLOB_CALLS; i++)
        swaps_add(&swaps, on ? redirect->originals[i] : redirect->entries[i],
                  on ? redirect->entries[i] : redirect->originals[i]);
    for (size_t i = 0; i < BLOB_LIBC; i++) {
        uint64_t ours = redirect->blob + redirect->libc.ours[i], theirs = redirect->libc.theirs[i];

        if (theirs != 0 && redirect->libc.ours[i] != 0)
            swaps_add(&swaps, on ? theirs : ours, on ? ours : theirs);
    }
    return swaps;
}

/* What was looked up before, and what is looked up from now on in libc.  One that cannot be read has no waits
 * of ours. */
static int set_functions(struct tracee *tracee, const struct maps *maps, struct redirect *redirect,
                         bool on, struct error *e)
{
    uint64_t base = libc_base(maps);
    struct symbols libc = {.count = 0};
    struct error unheard;
    struct swaps swaps;
    int result = 0;

    if (base != 0)
        symbols_read(tracee, base, &libc, &unheard);
    if (on)
        result = set_libc(tracee, redirect, &libc, e);
    swaps = swaps_of(redirect, on);
    if (result == 0)
        result = libc_swap(tracee, &libc, &swaps, e);
    if (result == 0)
        result = pointers_swap(tracee, maps, &swaps, e);
    symbols_free(&libc);
    return result;
}

/* Nobody can be inside it: nothing has led there yet. */
static void drop_blob(struct tracee *tracee, struct redirect *redirect)
{
    const struct remote_call unmap = {
        .what = "unmap memory", .number = SYS_munmap, .arguments = {redirect->blob, BLOB_SIZE}
    };
    struct error unheard;
    uint64_t ignored;

    tracee_call(tracee, &unmap, &ignored, &unheard);
    redirect->blob = 0;
}

int redirect_on(struct tracee *tracee, const struct maps *maps, struct redirect *redirect,
                const char *clock, bool running, struct error *e)
{
    uint64_t others[BLOB_OTHERS] = {0};
    struct error unheard;
    bool fresh = redirect->blob == 0;

    if (fresh && make_blob(tracee, redirect, e) < 0)
        return -1;
    if (own_pages(tracee, maps, redirect, others, e) == 0 &&
        set_others(tracee, redirect, others, e) == 0 &&
        set_symbols(tracee, redirect, redirect->entries, e) == 0 &&
        (!running || set_functions(tracee, maps, redirect, true, e) == 0)) {
        if (map_clock(tracee, redirect, others, clock, e) == 0)
            return 0;
        map_zeros(tracee, redirect, others, &unheard);
    }
    tracee_undo(tracee);
    if (fresh)
        drop_blob(tracee, redirect);
    return -1;
}

int redirect_off(struct tracee *tracee, const struct maps *maps, struct redirect *redirect,
                 struct error *e)
{
    uint64_t others[BLOB_OTHERS] = {0};

    /* a blob also where nothing leads to it: it remembers where a clock is to be put again */
    if (redirect->blob == 0 && make_blob(tracee, redirect, e) < 0)
        return -1;
    if (own_pages(tracee, maps, redirect, others, e) < 0 ||
        set_others(tracee, redirect, others, e) < 0 || map_zeros(tracee, redirect, others, e) < 0)
        return -1;
    if (set_functions(tracee, maps, redirect, false, e) < 0)
        return -1;
    return set_symbols(tracee, redirect, redirect->originals, e);
}
