/* What a program of ours does where the page that it reads is gone. */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "faketime/page.h"

static const char *guarded_program;
static int guarded_status;

/* The file of which one page is mapped there, shared. */
static bool find_page(uintptr_t address, char path[PATH_MAX])
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[PATH_MAX + 100];
    bool found = false;

    while (!found && maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        uintptr_t start, end;
        char mode[5];
        int name = 0;

        /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers, proc(5) */
        found = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %n", &start, &end, mode,
                       &name) == 3 &&
                address >= start && address < end && end - start == PAGE_BYTES && mode[3] == 's';
        if (found)
            snprintf(path, PATH_MAX, "%.*s", (int)strcspn(line + name, "\n"), line + name);
    }
    if (maps != NULL)
        fclose(maps);
    return found;
}

/* It comes where a page is read or written, and so never while libc holds a lock.  Any other SIGBUS does what it would
 * have done. */
static void end_guarded(int number, siginfo_t *info, void *context)
{
    char path[PATH_MAX];

    (void)context;
    signal(number, SIG_DFL);
    if (!find_page((uintptr_t)info->si_addr, path)) {
        raise(number);
        return;
    }
    dprintf(STDERR_FILENO, "%s: %s: has been cut off under this program; expected %d bytes\n",
            guarded_program, path, PAGE_BYTES);
    _exit(guarded_status);
}

void page_guard(const char *program, int status)
{
    struct sigaction action = {.sa_sigaction = end_guarded, .sa_flags = SA_SIGINFO};

    guarded_program = program;
    guarded_status = status;
    sigaction(SIGBUS, &action, NULL);
}
