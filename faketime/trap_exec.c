/* Becoming another program, which has the filter from then on and no handler: by way of fakeclock, which brings one. */
#include "faketime/trapped.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* fakeclock's path, and the clock's behind it. */
static const char *launcher(void)
{
    return trap_names;
}

static size_t length_of(const char *text)
{
    size_t length = 0;

    while (text[length] != '\0')
        length++;
    return length;
}

static const char *clock_path(void)
{
    return launcher() + length_of(launcher()) + 1;
}

static bool begins(const char *text, const char *with)
{
    while (*with != '\0' && *text == *with)
        text++, with++;
    return *with == '\0';
}

static void copy(char *to, const char *from)
{
    while ((*to++ = *from++) != '\0')
        ;
}

/* What the kernel can run; all else it knows the right complaint for. */
static bool runs(const char *path)
{
    char start[SELFMAG] = "";
    long fd = enter(SYS_faccessat2, AT_FDCWD, (long)path, X_OK, AT_EACCESS, 0, 0);

    if (fd == 0)
        fd = enter(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0, 0, 0);
    if (fd < 0)
        return false;
    enter(SYS_read, fd, (long)start, sizeof start, 0, 0, 0);
    enter(SYS_close, fd, 0, 0, 0, 0, 0);
    return begins(start, "#!") || (start[0] == ELFMAG0 && begins(start + 1, "ELF"));
}

/* Where a link leads, with `rest` behind it; false where that is no path. */
static bool resolve(const char *link, const char *rest, char path[PATH_MAX])
{
    long length;

    path[0] = '\0';
    length = enter(SYS_readlink, (long)link, (long)path, PATH_MAX - 1, 0, 0, 0);
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the kernel has written it */
    if (length <= 0 || path[0] != '/' || (size_t)length + length_of(rest) >= PATH_MAX)
        return false;
    copy(path + length, rest);
    return true;
}

/* The path as it is for another process than this one. */
static bool path_for_others(const char *path, char others[PATH_MAX])
{
    size_t before = path[0] == '/' ? 0 : 2;

    if (begins(path, "/proc/") || begins(path, "/dev/fd/"))
        return resolve(path, "", others);
    if (length_of(path) >= PATH_MAX - before)
        return false;
    copy(others, "./"); /* not one that is looked for */
    copy(others + before, path);
    return true;
}

#define BEFORE 5 /* fakeclock, follow, the clock, the path, the name: argv[0] */

/* As long as nothing stands in the way; or else as if we were not there. */
static long become_by(const struct call *call, const char *path, char *const *arguments,
                      char *const *environment)
{
    size_t many = 0;

    while (arguments != NULL && arguments[many] != NULL)
        many++;
    {
        const char *all[many + BEFORE + 1];

        all[0] = "fakeclock";
        all[1] = "follow";
        all[2] = calendar()->magic == PAGE_MAGIC ? clock_path() : "";
        all[3] = path;
        all[4] = many == 0 ? path : arguments[0];
        for (size_t i = 1; i < many; i++)
            all[BEFORE - 1 + i] = arguments[i];
        all[BEFORE + (many == 0 ? 0 : many - 1)] = NULL;
        enter(SYS_execve, (long)launcher(), (long)all, (long)environment, 0, 0, 0);
    }
    return enter_call(call);
}

long become(struct call *call)
{
    const char *path = (const char *)call->arguments[0];
    char others[PATH_MAX];

    if (path == NULL || !path_for_others(path, others) || !runs(others))
        return enter_call(call);
    return become_by(call, others, (char *const *)call->arguments[1],
                     (char *const *)call->arguments[2]);
}

/* The descriptor's name in /proc. */
static void name_descriptor(int fd, char name[32])
{
    char *at;
    int rest = fd;

    copy(name, "/proc/self/fd/");
    at = name + length_of(name);
    do
        at++;
    while ((rest /= 10) > 0);
    *at = '\0';
    do
        *--at = (char)('0' + fd % 10);
    while ((fd /= 10) > 0);
}

static bool path_at(const struct call *call, char others[PATH_MAX])
{
    int folder = (int)call->arguments[0];
    const char *path = (const char *)call->arguments[1];
    char name[32], rest[PATH_MAX];

    if (path == NULL || (call->arguments[4] & ~AT_EMPTY_PATH) != 0)
        return false;
    if (path[0] == '/' || (folder == AT_FDCWD && path[0] != '\0'))
        return path_for_others(path, others);
    if (folder < 0 || length_of(path) >= PATH_MAX - 1)
        return false;
    name_descriptor(folder, name);
    copy(rest, path[0] == '\0' ? "" : "/");
    copy(rest + length_of(rest), path);
    return resolve(name, rest, others);
}

long become_at(struct call *call)
{
    char others[PATH_MAX];

    if (!path_at(call, others) || !runs(others))
        return enter_call(call);
    return become_by(call, others, (char *const *)call->arguments[2],
                     (char *const *)call->arguments[3]);
}
