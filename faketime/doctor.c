#include "faketime/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faketime/attach.h"
#include "faketime/blob.h"
#include "faketime/census.h"
#include "faketime/clock.h"
#include "faketime/page.h"
#include "faketime/program.h"
#include "faketime/redirect.h"
#include "faketime/tracee.h"
#include "faketime/tree.h"
#include "faketime/trial.h"
#include "faketime/uses.h"
#include "faketime/wait.h"
#include "testbed/wire/moment.h"

#define CLOSE_ENOUGH NANOSECONDS /* between our looking and its reading */

/* --- what it is made of --------------------------------------------------------------------------- */

static void tell_uses(const struct uses *uses, FILE *out)
{
    static const char *const labels[USES] = {
        [USE_READ] = "reads",
        [USE_WAIT] = "waits until",
        [USE_SLEEP] = "waits for",
        [USE_SET] = "sets",
    };

    for (size_t use = 0; use < USES; use++) {
        if (uses->count[use] == 0)
            continue;
        fprintf(out, "%-12s", labels[use]);
        for (size_t i = 0; i < uses->count[use]; i++)
            fprintf(out, "%s%s", i == 0 ? "" : ", ", uses->names[use][i]);
        fputc('\n', out);
    }
}

static void tell_means(enum program program, const struct error *e, FILE *out)
{
    static const char *const means[] = {
        [PROGRAM_MOVES] = "redirected and preloaded: reads and waits are on the clock",
        [PROGRAM_TRAPS] = "redirected and its waits trapped: reads and waits are on the clock",
        [PROGRAM_REDIRECTS] =
            "redirected: reads are on the clock, waits until a time on it are not",
        [PROGRAM_FOREIGN] = "redirected: reads are on the clock, waits until a time on it are not",
        [PROGRAM_STAYS] = "none: it would keep real time",
    };

    fprintf(out, "%-12s%s\n", "by 'run'", means[program]);
    if (program != PROGRAM_MOVES)
        fprintf(out, "%-12s%s\n", "because", e->text);
    if (program == PROGRAM_TRAPS)
        fprintf(out,
                "%-12swhat it starts gains no privileges by being setuid, unless root runs it; "
                "SIGSYS is "
                "ours\n",
                "beware");
}

/* --- what it reads ---------------------------------------------------------------------------------- */

struct reading {
    int64_t before, now, after; /* ours, its, ours: real time around */
    bool waits;                 /* until a time are on its clock too */
};

static int64_t real_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

/* That it will live to tell: a page whose file has been cut off kills who reads it. */
static int check_page(const struct tracee *tracee, const struct redirect *redirect, struct error *e)
{
    struct clock_page page;
    struct error unheard;

    if (tracee_read(tracee, redirect->blob + BLOB_CODE, &page, sizeof page, &unheard) < 0)
        return failed(
            e,
            "process %d: its clock's file has been cut off, and it will die when it reads "
            "the time; expected %d bytes; 'fakeclock detach %d' saves it",
            (int)tracee->pid, PAGE_BYTES, (int)tracee->pid);
    if (page.magic != PAGE_MAGIC && page.magic != 0) /* zeros: it was being taken off */
        return failed(e,
                      "process %d: its clock's file has been overwritten; expected a clock made by "
                      "'fakeclock new'; 'fakeclock detach %d' saves it",
                      (int)tracee->pid, (int)tracee->pid);
    return 0;
}

static int ask_stopped(struct tracee *tracee, struct reading *reading, struct error *e)
{
    struct redirect redirect;
    struct maps maps;
    int result = -1;

    if (maps_read(tracee->pid, &maps, e) < 0)
        return -1;
    if (redirect_look(tracee, &maps, &redirect, e) == 0 &&
        (!redirect.on || check_page(tracee, &redirect, e) == 0) &&
        tracee_enter(tracee, &maps, redirect_room(&redirect), e) == 0) {
        reading->before = real_now();
        result = tracee_ask(tracee,
                            redirect.on ? redirect.entries[BLOB_CLOCK_GETTIME]
                                        : redirect.originals[BLOB_CLOCK_GETTIME],
                            CLOCK_REALTIME, &reading->now, e);
        reading->after = real_now();
        reading->waits = redirect_waits(&redirect);
    }
    tracee_leave(tracee);
    maps_free(&maps);
    return result;
}

static int ask(pid_t pid, struct reading *reading, struct error *e)
{
    struct tracee tracee;
    int result;

    if (tracee_seize(pid, &tracee, e) < 0)
        return -1;
    result = ask_stopped(&tracee, reading, e);
    tracee_release(&tracee);
    return result;
}

static void tell_time(const char *label, int64_t now, FILE *out)
{
    char text[MOMENT_TEXT];

    moment_format(now / NANOSECONDS, text);
    fprintf(out, "%-12s%s\n", label, text);
}

/* What the clock itself says, by way of the file that the process has mapped. */
static int64_t told_by(const struct resident *resident, int64_t fallback)
{
    struct error unheard;
    const struct clock_page *page =
        resident->trouble == NULL ? page_map(resident->clock, &unheard) : NULL;
    int64_t now = page == NULL ? fallback : page_now(page);

    page_unmap(page);
    return now;
}

static int tell_reading(const struct resident *resident, const struct reading *reading, FILE *out)
{
    int64_t expected = resident->redirected ? told_by(resident, reading->now) : reading->after;
    bool right = llabs(expected - reading->now) < CLOSE_ENOUGH + reading->after - reading->before;

    tell_time("vDSO reads", reading->now, out);
    if (!right)
        tell_time("expected", expected, out);
    return right ? 0 : 1;
}

static void tell_clock(const struct resident *resident, bool on, FILE *out)
{
    if (!on) {
        fprintf(out, "%-12snone: real time\n", "clock");
        return;
    }
    fprintf(out, "%-12s%s%s%s\n", "clock", resident->clock, resident->trouble == NULL ? "" : ": ",
            resident->trouble == NULL ? "" : resident->trouble);
    fprintf(out, "%-12s%s%s%s; %s\n", "by", resident->redirected ? "redirecting" : "",
            resident->redirected && (resident->preloaded || resident->trapped) ? " and " : "",
            resident->preloaded    ? "preloading"
            : resident->trapped    ? "trapping waits"
            : resident->redirected ? ""
                                   : "mapping it itself",
            resident->has_read ? "it has been read" : "it has not been read yet");
}

/* --- a program that is not started yet -------------------------------------------------------------- */

#define AHEAD (100 * INT64_C(86400) * NANOSECONDS)

/* On a clock of our own, which is a hundred days ahead. */
static int try_out(const char *path, const char *folder, int64_t *now, struct error *e)
{
    char name[64];
    struct clock clock;
    int result = -1;

    snprintf(name, sizeof name, "%s/clock", folder);
    if (clock_create(name, &clock, e) < 0)
        return -1;
    if (clock_set_offset(&clock, AHEAD, e) == 0)
        result = trial(path, name, now, e);
    clock_close(&clock);
    unlink(name);
    return result;
}

static int tell_trial(const char *path, FILE *out, struct error *e)
{
    char folder[] = "/tmp/fakeclock.XXXXXX";
    int64_t now;
    int result;

    if (mkdtemp(folder) == NULL)
        return failed(e, "%s: %s", folder, strerror(errno));
    result = try_out(path, folder, &now, e);
    rmdir(folder);
    if (result < 0)
        return -1;
    tell_time("tried out", now, out);
    if (llabs(now - real_now() - AHEAD) < CLOSE_ENOUGH)
        return 0;
    tell_time("expected", real_now() + AHEAD, out);
    return 1;
}

int doctor_command(const char *command, FILE *out, struct error *e)
{
    struct uses uses = {0};
    char path[PATH_MAX];
    enum program program = program_check(command, e);

    if (program == PROGRAM_MISSING)
        return -1;
    tell_means(program, e, out);
    if (program_find(command, path, e) < 0)
        return -1;
    uses_add(&uses, path);
    tell_uses(&uses, out);
    return program == PROGRAM_STAYS ? 1 : tell_trial(path, out, e);
}

/* --- a process --------------------------------------------------------------------------------------- */

struct waiting {
    pid_t pid;
    int by_calendar;
};

static void count_waiting(pid_t thread, void *context)
{
    struct waiting *waiting = context;

    waiting->by_calendar += wait_of_thread(waiting->pid, thread).by_calendar;
}

/* Where waits until a time are the kernel's, and so by real time. */
static void warn_of_waits(const struct resident *resident, const struct uses *uses, FILE *out)
{
    struct waiting waiting = {.pid = resident->pid};
    struct error why;
    char path[40];

    snprintf(path, sizeof path, "/proc/%d/task", (int)resident->pid);
    tree_numbers(path, count_waiting, &waiting);
    if (waiting.by_calendar > 0)
        fprintf(out, "%-12s%d thread%s until a time that the kernel takes for real\n", "waits now",
                waiting.by_calendar, waiting.by_calendar == 1 ? "" : "s");
    if (attach_leaves_waits(resident->pid, &why))
        fprintf(out, "%-12s%s\n", "beware", why.text);
    else if (uses->count[USE_WAIT] > 0)
        fprintf(out,
                "%-12sits libc is not one that we know; waits until a time on the clock may hang\n",
                "beware");
    else if (uses->count[USE_READ] == 0)
        fprintf(out,
                "%-12sit does not tell which calls it uses; waits until a time on the clock may "
                "hang\n",
                "beware");
}

int doctor_process(pid_t pid, FILE *out, struct error *e)
{
    struct uses uses = {0};
    struct resident resident;
    struct reading reading;
    struct maps maps;
    bool on = census_look(pid, &resident);

    if (ask(pid, &reading, e) < 0 || maps_read(pid, &maps, e) < 0)
        return -1;
    for (size_t i = 0; i < maps.count; i++)
        if (maps.regions[i].inode != 0 && maps.regions[i].offset == 0 &&
            strstr(maps.regions[i].name, "/libc.") == NULL &&
            strstr(maps.regions[i].name, "/libfakeclock.so") == NULL)
            uses_add(&uses, maps.regions[i].name);
    maps_free(&maps);
    fprintf(out, "%-12s%d %s\n", "process", (int)pid, resident.command);
    tell_uses(&uses, out);
    tell_clock(&resident, on, out);
    if (on && !resident.preloaded && !resident.trapped && !reading.waits)
        warn_of_waits(&resident, &uses, out);
    return tell_reading(&resident, &reading, out);
}
