/* file.h -- small files, read whole. */
#ifndef WIRE_FILE_H
#define WIRE_FILE_H

#include <stddef.h>

#include "testbed/wire/error.h"

#define FILE_MAX_BYTES (16 * 1024 * 1024)

/* The bytes of a regular file of at most FILE_MAX_BYTES, with a NUL behind the last; the caller frees
 * them.  NULL with one line that begins with `path`.  Never waits, whatever `path` is. */
unsigned char *file_whole(const char *path, size_t *length, struct error *e);
/* The same; a relative path starts at the open `directory`. */
unsigned char *file_whole_at(int directory, const char *path, size_t *length, struct error *e);

#endif
