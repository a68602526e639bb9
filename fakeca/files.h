/* files.h -- small files, whole; and directories that appear all at once.
 *
 * Files are named relative to an open directory, so that a directory that is being
 * replaced cannot be half read.  A file appears under its name complete or not at all.
 *
 * A directory is drafted beside the place where it shall stand and then put there with
 * one rename: directory_draft, any number of file_write into it, directory_publish --
 * or directory_discard.
 */
#ifndef FAKECA_FILES_H
#define FAKECA_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "testbed/wire/error.h"

/* The whole file as testbed/wire/file.h reads it, to be freed; `length` may be NULL. */
char *file_read(int directory, const char *name, size_t *length, struct error *e);
int file_write(int directory, const char *name, mode_t mode, const void *bytes, size_t length,
               struct error *e);
/* For everybody to read, where a user said: a link to a file is followed, and what is no file (a device,
 * a pipe) is written to and stays what it is. */
int file_put(const char *path, const void *bytes, size_t length, struct error *e);
/* Adds `line` and a newline at the end, in one write(2). */
int file_append(int directory, const char *name, mode_t mode, const char *line, struct error *e);
bool file_exists(int directory, const char *name);

/* An open directory, to be closed; or -1. */
int directory_open(const char *path, struct error *e);

struct draft {
    char path[PATH_MAX]; /* where it is drafted */
    int directory;       /* open, write here */
};

int directory_draft(const char *place, mode_t mode, struct draft *draft, struct error *e);
/* Puts the draft at `place`, where nothing or an empty directory may be. */
int directory_publish(struct draft *draft, const char *place, struct error *e);
/* The same, and takes away what was at `place` before. */
int directory_replace(struct draft *draft, const char *place, struct error *e);
void directory_discard(struct draft *draft);

#endif
