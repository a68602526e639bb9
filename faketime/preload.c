#include "faketime/preload.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libfakeclock.so"
#define BETWEEN " :" /* ld.so(8) splits the list at these and knows no quoting */

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

int preload_library(struct error *e)
{
    const char *others = getenv("LD_PRELOAD");
    char library[PATH_MAX], all[2 * PATH_MAX];
    size_t length;

    if (others != NULL && entry_of_library(others, &length) != NULL)
        return 0;
    if (find_library(library, e) < 0)
        return -1;
    if (strpbrk(library, BETWEEN) != NULL)
        return failed(e, "%s: cannot be preloaded; expected a path without spaces and colons",
                      library);
    if ((size_t)snprintf(all, sizeof all, "%s:%s", library, others == NULL ? "" : others) >=
        sizeof all)
        return failed(e, "LD_PRELOAD is too long");
    return setenv("LD_PRELOAD", all, 1) < 0 ? failed(e, "LD_PRELOAD: %s", strerror(errno)) : 0;
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
