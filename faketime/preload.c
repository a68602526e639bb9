#include "faketime/preload.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY         "libfakeclock.so"
#define BETWEEN         " :" /* the entries of LD_PRELOAD */
#define BETWEEN_FOLDERS ":;" /* and those of LD_LIBRARY_PATH */

/* The library lies beside this program, or in the lib folder beside its folder. */
static int find_library(char path[PATH_MAX], struct error *e)
{
    static const char *const places[] = {"", "../lib/"};
    char self[PATH_MAX] = "";
    char *slash;

    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return failed(e, "/proc/self/exe: %s; cannot find %s", strerror(errno), LIBRARY);
    slash = strrchr(self, '/');
    slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (snprintf(path, PATH_MAX, "%s%s%s", self, places[i], LIBRARY) < PATH_MAX &&
            access(path, R_OK) == 0)
            return 0;
    return failed(e, "%s%s: not there; expected it beside fakeclock", self, LIBRARY);
}

/* Finds the library in a list; *length is its name's. */
static const char *entry_of_library(const char *list, size_t *length)
{
    for (const char *at = list; *at != '\0'; at += *length + strspn(at + *length, BETWEEN)) {
        const char *base = at;

        *length = strcspn(at, BETWEEN);
        for (const char *c = at; c < at + *length; c++)
            if (*c == '/')
                base = c + 1;
        if (*length - (size_t)(base - at) == strlen(LIBRARY) &&
            strncmp(base, LIBRARY, strlen(LIBRARY)) == 0)
            return at;
    }
    return NULL;
}

static bool has_folder(const char *list, const char *folder)
{
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, BETWEEN_FOLDERS);

        if (length == strlen(folder) && strncmp(at, folder, length) == 0)
            return true;
        at += length + (at[length] != '\0');
    }
    return false;
}

/* An entry that is empty would be the working directory. */
static int set_list(const char *name, const char *first, const char *rest, struct error *e)
{
    char *list;
    int result;

    if (asprintf(&list, "%s%s%s", first, *first == '\0' || *rest == '\0' ? "" : ":", rest) < 0)
        return failed(e, "%s: %s", name, strerror(errno));
    result = setenv(name, list, 1);
    free(list);
    return result < 0 ? failed(e, "%s: %s", name, strerror(errno)) : 0;
}

/* What LD_PRELOAD is to have: the path, or the name behind it, once LD_LIBRARY_PATH leads there.  NULL where
 * neither does. */
static const char *name_library(const char *path, struct error *e)
{
    const char *folders = getenv("LD_LIBRARY_PATH");
    const char *name = strrchr(path, '/') + 1;
    char folder[PATH_MAX];

    if (strpbrk(path, BETWEEN) == NULL)
        return path;
    if (strpbrk(path, BETWEEN_FOLDERS) != NULL) {
        failed(e, "%s: cannot be preloaded; expected a path without colons and semicolons", path);
        return NULL;
    }
    snprintf(folder, sizeof folder, "%.*s", (int)(name - 1 - path), path);
    if (folders != NULL && has_folder(folders, folder))
        return name;
    return set_list("LD_LIBRARY_PATH", folders == NULL ? "" : folders, folder, e) < 0 ? NULL : name;
}

int preload_library(struct error *e)
{
    const char *others = getenv("LD_PRELOAD");
    const char *there = NULL, *name;
    char path[PATH_MAX] = "";
    size_t length = 0;

    if (others != NULL)
        there = entry_of_library(others, &length);
    if (length > strlen(LIBRARY))
        return 0;
    if (find_library(path, e) < 0)
        return -1;
    name = name_library(path, e);
    if (name == NULL)
        return -1;
    return there != NULL ? 0 : set_list("LD_PRELOAD", name, others == NULL ? "" : others, e);
}

void preload_forget(void)
{
    const char *others = getenv("LD_PRELOAD");
    const char *entry;
    char *rest;
    size_t length;

    entry = others == NULL ? NULL : entry_of_library(others, &length);
    if (entry == NULL)
        return;
    if (asprintf(&rest, "%.*s%s", (int)(entry - others), others, entry + length) < 0)
        return;
    setenv("LD_PRELOAD", rest, 1);
    free(rest);
}

/* --- what is handed on ------------------------------------------------------------------------- */

const char *preload_value(char *const environment[], const char *name)
{
    size_t length = strlen(name);

    for (; environment != NULL && *environment != NULL; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}

bool preload_reaches(char *const environment[], const char *folder)
{
    const char *preload = preload_value(environment, "LD_PRELOAD");
    const char *folders = preload_value(environment, "LD_LIBRARY_PATH");
    size_t length;

    if (preload == NULL || entry_of_library(preload, &length) == NULL)
        return false;
    return length > strlen(LIBRARY) || (folders != NULL && has_folder(folders, folder));
}
