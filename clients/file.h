/* file.h -- files that settings name, and one line about those that cannot be read. */
#ifndef CLIENTS_FILE_H
#define CLIENTS_FILE_H

#include <stddef.h>

#include "testbed/wire/error.h"

struct file {
    unsigned char *bytes; /* ours, and a NUL after them; NULL is no file */
    size_t size;
};

/* The whole of a file, as testbed/wire/file.h reads it; -1 with "WHAT: PATH: why". */
int file_read(const char *what, const char *path, struct file *file, struct error *e);
void file_free(struct file *file);

/* The same without the bytes, for libraries that read for themselves and then do not say why not. */
int file_readable(const char *what, const char *path, struct error *e);

#endif
