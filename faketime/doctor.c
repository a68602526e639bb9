#include "faketime/doctor.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "faketime/census.h"
#include "faketime/page.h"
#include "faketime/program.h"
#include "faketime/redirect.h"
#include "faketime/tracee.h"
#include "faketime/uses.h"
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
        [PROGRAM_REDIRECTS] =
            "redirected: reads are on the clock, waits until a time on it are not",
        [PROGRAM_FOREIGN] = "redirected: reads are on the clock, waits until a time on it are not",
        [PROGRAM_STAYS] = "none: it would keep real time",
    };

    fprintf(out, "%-12s%s\n", "by 'run'", means[program]);
    if (program != PROGRAM_MOVES)
        fprintf(out, "%-12s%s\n", "because", e->text);
}

int doctor_command(const char *command, FILE *out, struct error *e)
{
    struct uses uses = {0};
    enum program program = program_check(command, e);

    if (program == PROGRAM_MISSING)
        return -1;
    tell_means(program, e, out);
    if (strchr(command, '/') != NULL)
        uses_add(&uses, command);
    tell_uses(&uses, out);
    return 0;
}

/* --- what it reads ---------------------------------------------------------------------------------- */

struct reading {
    int64_t before, now, after; /* ours, its, ours: real time around */
};

static int64_t real_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

static int ask_stopped(struct tracee *tracee, struct reading *reading, struct error *e)
{
    struct redirect redirect;
    struct maps maps;
    int result = -1;

    if (maps_read(tracee->pid, &maps, e) < 0)
        return -1;
    if (redirect_look(tracee, &maps, &redirect, e) == 0 &&
        tracee_enter(tracee, &maps, redirect_room(&redirect), e) == 0) {
        reading->before = real_now();
        result = tracee_ask(tracee,
                            redirect.on ? redirect.entries[BLOB_CLOCK_GETTIME]
                                        : redirect.originals[BLOB_CLOCK_GETTIME],
                            CLOCK_REALTIME, &reading->now, e);
        reading->after = real_now();
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
    const struct clock_page *page = page_map(resident->clock, &unheard);
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
    fprintf(out, "%-12s%s\n", "clock", resident->clock);
    fprintf(out, "%-12s%s%s%s; %s\n", "by", resident->redirected ? "redirecting" : "",
            resident->redirected && resident->preloaded ? " and " : "",
            resident->preloaded    ? "preloading"
            : resident->redirected ? ""
                                   : "mapping it itself",
            resident->has_read ? "it has been read" : "it has not been read yet");
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
    if (uses.count[USE_WAIT] > 0 && on && !resident.preloaded)
        fprintf(out,
                "%-12swaits until a time on the clock may hang; 'fakeclock run' preloads too\n",
                "beware");
    return tell_reading(&resident, &reading, out);
}
