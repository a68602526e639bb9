#include "fakeca/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testbed/wire/file.h"

static int cannot(struct error *e, const char *name, const char *what)
{
    return failed(e, "%s: cannot %s: %s", name, what, strerror(errno));
}

char *file_read(int directory, const char *name, size_t *length, struct error *e)
{
    size_t untold;

    return (char *)file_whole_at(directory, name, length == NULL ? &untold : length, e);
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, bytes, length);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        bytes += put;
        length -= (size_t)put;
    }
    return 0;
}

int file_write(int directory, const char *name, mode_t mode, const void *bytes, size_t length,
               struct error *e)
{
    char fresh[PATH_MAX];
    int fd;

    if (snprintf(fresh, sizeof fresh, "%s.%ld", name, (long)getpid()) >= (int)sizeof fresh)
        return failed(e, "%s: name too long", name);
    fd = openat(directory, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return cannot(e, name, "create");
    /* fchmod, for the umask must neither widen a key's mode nor narrow a server's view */
    if (fchmod(fd, mode) < 0 || write_all(fd, bytes, length) < 0 ||
        renameat(directory, fresh, directory, name) < 0) {
        cannot(e, name, "write");
        unlinkat(directory, fresh, 0);
        close(fd);
        return -1;
    }
    close(fd);
    return 0;
}

static int write_into(const char *path, const void *bytes, size_t length, struct error *e)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    int status;

    if (fd < 0)
        return cannot(e, path, "open");
    status = write_all(fd, bytes, length);
    if (status < 0)
        cannot(e, path, "write");
    close(fd);
    return status;
}

int file_put(const char *path, const void *bytes, size_t length, struct error *e)
{
    char real[PATH_MAX];
    struct stat about;

    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode))
        return write_into(path, bytes, length, e);
    return file_write(AT_FDCWD, realpath(path, real) == NULL ? path : real, 0644, bytes, length, e);
}

int file_append(int directory, const char *name, mode_t mode, const char *line, struct error *e)
{
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode);
    char *whole = NULL;
    int length, status;

    if (fd < 0)
        return cannot(e, name, "open");
    length = asprintf(&whole, "%s\n", line);
    status = length < 0 ? -1 : write_all(fd, whole, (size_t)length);
    if (status < 0)
        cannot(e, name, "write");
    free(whole);
    close(fd);
    return status;
}

bool file_exists(int directory, const char *name)
{
    return faccessat(directory, name, F_OK, 0) == 0;
}

int directory_open(const char *path, struct error *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return cannot(e, path, "open directory");
    return fd;
}

int directory_draft(const char *place, mode_t mode, struct draft *draft, struct error *e)
{
    size_t length = strlen(place);

    while (length > 1 && place[length - 1] == '/')
        length--;
    if (length == 0 || length + sizeof ".new-XXXXXX" > sizeof draft->path)
        return failed(e, "'%.60s': not a usable directory name", place);
    snprintf(draft->path, sizeof draft->path, "%.*s.new-XXXXXX", (int)length, place);
    if (mkdtemp(draft->path) == NULL)
        return cannot(e, place, "create");
    draft->directory = directory_open(draft->path, e);
    if (draft->directory >= 0 && fchmod(draft->directory, mode) == 0)
        return 0;
    if (draft->directory >= 0)
        cannot(e, place, "create");
    directory_discard(draft);
    return -1;
}

/* Removes a directory and the files in it, one level of directories deep. */
static void remove_directory(const char *path, int depth)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char inner[PATH_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(directory), entry->d_name, 0) < 0 && depth > 0 &&
            snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) < (int)sizeof inner)
            remove_directory(inner, depth - 1);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(path);
}

void directory_discard(struct draft *draft)
{
    if (draft->directory >= 0)
        close(draft->directory);
    remove_directory(draft->path, 1);
}

int directory_publish(struct draft *draft, const char *place, struct error *e)
{
    if (rename(draft->path, place) == 0) {
        close(draft->directory);
        return 0;
    }
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        failed(e, "%s: exists already, and is not overwritten", place);
    else
        cannot(e, place, "create");
    directory_discard(draft);
    return -1;
}

/* For file systems that cannot exchange: for a moment, nothing is at `place`. */
static int replace_in_two_steps(const struct draft *draft, const char *place)
{
    char aside[PATH_MAX + 4];

    snprintf(aside, sizeof aside, "%s.old", draft->path);
    if (rename(place, aside) < 0)
        return -1;
    if (rename(draft->path, place) < 0) {
        rename(aside, place);
        return -1;
    }
    remove_directory(aside, 1);
    return 0;
}

int directory_replace(struct draft *draft, const char *place, struct error *e)
{
    int status = rename(draft->path, place);

    /* Old and new change places in one step: no reader finds nothing here. */
    if (status < 0)
        status = renameat2(AT_FDCWD, draft->path, AT_FDCWD, place, RENAME_EXCHANGE);
    if (status < 0 && (errno == EINVAL || errno == ENOSYS))
        status = replace_in_two_steps(draft, place);
    if (status < 0)
        cannot(e, place, "replace");
    directory_discard(draft); /* the old one, by now; or nothing */
    return status;
}
