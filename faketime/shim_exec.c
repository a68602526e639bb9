/* Programs that this one becomes or starts, which must not slip off the calendar.
 *
 * ld.so(8) preloads us into dynamic glibc programs, as long as they get our environment.  All others
 * are started by way of `fakeclock follow`, which puts them on the clock and becomes them: the process id
 * stays, nobody stays with it, and the environment is what it was to be.  Where that cannot be, because
 * somebody traces us already or fakeclock is not where we come from, the program runs as if we were not there.
 *
 * This may run in a child of vfork(2), which has its parent's memory: nothing is allocated, nothing kept.
 */
#include "faketime/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faketime/filter.h"
#include "faketime/preload.h"
#include "faketime/program.h"

#define ARGUMENTS_MAX                                                                              \
    262144 /* more, and the kernel would have refused (execve(2)): its own are 128 KiB each */

static char clock_path[PATH_MAX]; /* "": nobody is followed */
static char folder[PATH_MAX], launcher[PATH_MAX];

/* fakeclock lies beside us, wherever a link to us lies. */
static __attribute__((constructor)) void find_launcher(void)
{
    const char *clock = getenv("FAKECLOCK");
    Dl_info self;

    if (clock == NULL || strlen(clock) >= sizeof clock_path || dladdr(clock_path, &self) == 0 ||
        realpath(self.dli_fname, folder) == NULL)
        return;
    *strrchr(folder, '/') = '\0';
    if (snprintf(launcher, sizeof launcher, "%s/fakeclock", folder) < (int)sizeof launcher)
        strcpy(clock_path, clock);
}

/* --- who would slip off ------------------------------------------------------------------------ */

/* Whether a dynamic glibc program that gets this environment is preloaded, and finds the clock. */
static bool passes_on(char *const environment[])
{
    return preload_value(environment, "FAKECLOCK") != NULL && preload_reaches(environment, folder);
}

/* Two cannot trace one process: a debugger does, or whoever has been told to put us on the clock. */
static bool is_traced(void)
{
    char status[4096];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, status, sizeof status - 1);
    const char *tracer;

    if (fd >= 0)
        close(fd);
    status[length > 0 ? length : 0] = '\0';
    tracer = strstr(status, "TracerPid:\t");
    return tracer == NULL || tracer[strlen("TracerPid:\t")] != '0';
}

/* The program's path, as it is for another process than this one; false where there is none. */
static bool path_for_others(const char *path, char others[PATH_MAX])
{
    ssize_t length;

    if (strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/dev/fd/", 8) != 0)
        return snprintf(others, PATH_MAX, "%s%s", strchr(path, '/') == NULL ? "./" : "", path) <
               PATH_MAX;
    length = readlink(path, others, PATH_MAX - 1);
    others[length > 0 ? length : 0] = '\0';
    return *others == '/' && access(others, X_OK) == 0;
}

/* Whether to start `path` by way of the launcher: lest it slips off the calendar, or because it cannot live without
 * a handler for the filter that we have inherited (trap.h). */
static bool would_slip_off(const char *path, char *const environment[], char others[PATH_MAX])
{
    int saved = errno;
    bool follows = *clock_path != '\0' && shim_follows(CLOCK_REALTIME), slips;
    enum program program;
    struct error unheard;

    if ((!follows && !filter_inherited(NULL)) || path == NULL || !path_for_others(path, others))
        return false;
    program = program_check(others, &unheard);
    slips =
        (program == PROGRAM_TRAPS || program == PROGRAM_REDIRECTS || program == PROGRAM_FOREIGN ||
         (program == PROGRAM_MOVES && follows && !passes_on(environment))) &&
        access(launcher, X_OK) == 0 && !is_traced();
    errno = saved;
    return slips;
}

/* --- exec -------------------------------------------------------------------------------------- */

static size_t count(char *const arguments[])
{
    size_t many = 0;

    while (arguments != NULL && arguments[many] != NULL)
        many++;
    return many;
}

#define BEFORE 5 /* fakeclock, follow, the clock, the path, the name: argv[0] */

static void fill(const char **all, const char *path, char *const arguments[], size_t many)
{
    const char *const before[BEFORE] = {"fakeclock", "follow",
                                        shim_follows(CLOCK_REALTIME) ? clock_path : "", path,
                                        many == 0 ? path : arguments[0]};

    memcpy(all, before, sizeof before);
    for (size_t i = 1; i < many; i++)
        all[BEFORE - 1 + i] = arguments[i];
    all[BEFORE + (many == 0 ? 0 : many - 1)] = NULL;
}

INTERPOSED int execve(const char *path, char *const arguments[], char *const environment[])
{
    size_t many = count(arguments);
    char others[PATH_MAX];

    if (many < ARGUMENTS_MAX && would_slip_off(path, environment, others)) {
        const char *all[many + BEFORE + 1];

        fill(all, others, arguments, many);
        shim_real()->execve(launcher, (char *const *)all, environment);
    }
    return shim_real()->execve(path, arguments, environment);
}

INTERPOSED int execvpe(const char *file, char *const arguments[], char *const environment[])
{
    char path[PATH_MAX], others[PATH_MAX];
    struct error unheard;

    /* what the path does not have, and what only a shell can run, is libc's to see to */
    if (program_find(file, path, &unheard) == 0 && would_slip_off(path, environment, others))
        return execve(path, arguments, environment);
    return shim_real()->execvpe(file, arguments, environment);
}

INTERPOSED int execv(const char *path, char *const arguments[])
{
    return execve(path, arguments, environ);
}

INTERPOSED int execvp(const char *file, char *const arguments[])
{
    return execvpe(file, arguments, environ);
}

/* --- the same with a descriptor ------------------------------------------------------------------- */

/* What `fd` is, or what has that path in the folder that it is; false for what has no name (any more). */
static bool path_at(int fd, const char *path, char whole[PATH_MAX])
{
    char link[32];
    ssize_t length;
    int more;

    if (fd == AT_FDCWD || *path == '/')
        return snprintf(whole, PATH_MAX, "%s", path) < PATH_MAX;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, whole, PATH_MAX - 1);
    if (length < 0)
        return false;
    more = snprintf(whole + length, (size_t)(PATH_MAX - length), "%s%s", *path == '\0' ? "" : "/",
                    path);
    return length + more < PATH_MAX && access(whole, X_OK) == 0;
}

static bool would_slip_off_at(int fd, const char *path, char *const environment[],
                              char whole[PATH_MAX])
{
    char others[PATH_MAX];
    int saved = errno;
    bool slips = path_at(fd, path, whole) && would_slip_off(whole, environment, others);

    errno = saved;
    return slips;
}

INTERPOSED int fexecve(int fd, char *const arguments[], char *const environment[])
{
    char path[PATH_MAX];

    if (would_slip_off_at(fd, "", environment, path))
        return execve(path, arguments, environment);
    return shim_real()->fexecve(fd, arguments, environment);
}

INTERPOSED int execveat(int fd, const char *path, char *const arguments[],
                        char *const environment[], int flags)
{
    char whole[PATH_MAX];
    bool plain = (flags & ~AT_EMPTY_PATH) == 0 && (*path != '\0' || flags != 0);

    if (plain && would_slip_off_at(fd, path, environment, whole))
        return execve(whole, arguments, environment);
    return shim_real()->execveat(fd, path, arguments, environment, flags);
}

/* --- the same with the arguments one by one ------------------------------------------------------ */

/* Their number with the NULL behind them, and they themselves where there is room for them. */
static size_t gather(const char *first, va_list *rest, char **into)
{
    size_t many = 0;

    for (const char *argument = first;; argument = va_arg(*rest, const char *)) {
        if (into != NULL)
            into[many] = (char *)(uintptr_t)argument;
        many++;
        if (argument == NULL)
            return many;
    }
}

static int run_list(int (*run)(const char *, char *const[], char *const[]), const char *program,
                    const char *first, va_list *rest, bool environment_follows)
{
    va_list again;
    size_t many;

    va_copy(again, *rest);
    many = gather(first, &again, NULL);
    va_end(again);
    {
        char *arguments[many];

        gather(first, rest, arguments);
        return run(program, arguments,
                   environment_follows ? va_arg(*rest, char *const *) : environ);
    }
}

INTERPOSED int execl(const char *path, const char *first, ...)
{
    va_list rest;
    int result;

    va_start(rest, first);
    result = run_list(execve, path, first, &rest, false);
    va_end(rest);
    return result;
}

INTERPOSED int execlp(const char *file, const char *first, ...)
{
    va_list rest;
    int result;

    va_start(rest, first);
    result = run_list(execvpe, file, first, &rest, false);
    va_end(rest);
    return result;
}

INTERPOSED int execle(const char *path, const char *first, ...)
{
    va_list rest;
    int result;

    va_start(rest, first);
    result = run_list(execve, path, first, &rest, true);
    va_end(rest);
    return result;
}

/* --- spawn ------------------------------------------------------------------------------------- */

INTERPOSED int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const arguments[],
                           char *const environment[])
{
    size_t many = count(arguments);
    char others[PATH_MAX];

    if (many < ARGUMENTS_MAX && would_slip_off(path, environment, others)) {
        const char *all[many + BEFORE + 1];

        fill(all, others, arguments, many);
        return shim_real()->posix_spawn(pid, launcher, actions, attributes, (char *const *)all,
                                        environment);
    }
    return shim_real()->posix_spawn(pid, path, actions, attributes, arguments, environment);
}

INTERPOSED int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                            const posix_spawnattr_t *attributes, char *const arguments[],
                            char *const environment[])
{
    char path[PATH_MAX], others[PATH_MAX];
    struct error unheard;

    if (program_find(file, path, &unheard) == 0 && would_slip_off(path, environment, others))
        return posix_spawn(pid, path, actions, attributes, arguments, environment);
    return shim_real()->posix_spawnp(pid, file, actions, attributes, arguments, environment);
}
