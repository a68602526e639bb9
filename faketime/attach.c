#include "faketime/attach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "faketime/census.h"
#include "faketime/maps.h"
#include "faketime/program.h"
#include "faketime/redirect.h"
#include "faketime/tracee.h"
#include "faketime/tree.h"

/* A process that stands still, and what is known of it. */
struct held {
    struct tracee tracee;
    struct maps maps;
    struct redirect redirect;
};

static int hold(struct held *held, pid_t pid, struct error *e)
{
    *held = (struct held){0};
    if (tracee_seize(pid, &held->tracee, e) < 0)
        return -1;
    if (maps_read(pid, &held->maps, e) == 0 &&
        redirect_look(&held->tracee, &held->maps, &held->redirect, e) == 0)
        return 0;
    maps_free(&held->maps);
    tracee_release(&held->tracee);
    return -1;
}

static void let_go(struct held *held)
{
    tracee_leave(&held->tracee);
    maps_free(&held->maps);
    tracee_release(&held->tracee);
}

/* The clock that the process has mapped, by its blob or by itself; NULL: none. */
static const struct region *clock_of(const struct held *held)
{
    for (size_t i = 0; i < held->maps.count; i++)
        if (maps_is_clock(held->tracee.pid, &held->maps.regions[i]))
            return &held->maps.regions[i];
    return NULL;
}

/* Whether the blob's page is a clock, and not the zeros of somebody who was killed on the way. */
static bool arrived(const struct held *held)
{
    for (size_t i = 0; i < held->maps.count && held->redirect.on; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): as many regions as are counted */
        if (held->maps.regions[i].start == held->redirect.blob + BLOB_CODE)
            return maps_is_clock(held->tracee.pid, &held->maps.regions[i]);
    return false;
}

static int put_on(struct held *held, const char *clock, struct error *e)
{
    const struct region *current = clock_of(held);
    struct stat file;

    if (stat(clock, &file) < 0)
        return failed(e, "%s: cannot open the clock", clock);
    if (current != NULL && current->inode != file.st_ino)
        return failed(e, "process %d: is on the clock %s; expected one that is on none",
                      (int)held->tracee.pid, current->name);
    if (arrived(held))
        return 0;
    if (tracee_enter(&held->tracee, &held->maps, redirect_room(&held->redirect), e) < 0)
        return -1;
    return redirect_on(&held->tracee, &held->maps, &held->redirect, clock, true, e);
}

int attach(pid_t pid, const char *clock, struct error *e)
{
    struct held held;
    int result;

    if (hold(&held, pid, e) < 0)
        return -1;
    result = put_on(&held, clock, e);
    let_go(&held);
    return result;
}

/* One that was only preloaded has a clock too, and no blob. */
static int take_off(struct held *held, struct error *e)
{
    if (!held->redirect.on && clock_of(held) == NULL)
        return failed(e, "process %d: is on no clock", (int)held->tracee.pid);
    if (tracee_enter(&held->tracee, &held->maps, redirect_room(&held->redirect), e) < 0)
        return -1;
    return redirect_off(&held->tracee, &held->maps, &held->redirect, e);
}

int detach(pid_t pid, struct error *e)
{
    struct held held;
    int result;

    if (hold(&held, pid, e) < 0)
        return -1;
    result = take_off(&held, e);
    let_go(&held);
    return result;
}

bool attach_leaves_waits(pid_t pid, struct error *why)
{
    struct resident resident;
    struct error unheard;
    char program[40];

    snprintf(program, sizeof program, "/proc/%d/exe", (int)pid);
    if (program_check(program, &unheard) != PROGRAM_TRAPS ||
        (census_look(pid, &resident) && resident.trapped))
        return false;
    failed(why,
           "process %d: waits until a time on the clock may hang, for it is linked statically with "
           "glibc; 'fakeclock run' traps them",
           (int)pid);
    return true;
}

/* --- a tree -------------------------------------------------------------------------------------- */

/* A child that is born after its parent was attached is on the clock from the start; so it is enough to
 * look for more after each. */
size_t attach_tree(pid_t pid, const char *clock, complaint *complain)
{
    static struct tree tree;
    size_t refused = 0;

    tree_plant(&tree, pid);
    for (size_t i = 0; i < tree.count; i++) {
        struct error e;

        if (attach(tree.pids[i], clock, &e) < 0) {
            refused++;
            complain(&e);
        } else if (attach_leaves_waits(tree.pids[i], &e)) {
            complain(&e);
        }
        tree_grow(&tree);
    }
    return refused;
}

/* And one that is born after its parent was taken off is off it. */
size_t detach_tree(pid_t pid, complaint *complain)
{
    static struct tree tree;
    size_t found = 0, refused = 0;
    struct error e;

    tree_plant(&tree, pid);
    for (size_t i = 0; i < tree.count; i++) {
        struct resident resident;

        if (census_look(tree.pids[i], &resident)) {
            found++;
            if (detach(tree.pids[i], &e) < 0) {
                refused++;
                complain(&e);
            }
        }
        tree_grow(&tree);
    }
    if (found > 0)
        return refused;
    failed(&e, "process %d: is on no clock, nor is any of its descendants", (int)pid);
    complain(&e);
    return 1;
}
