/* nearest.h -- "did you mean ...?" */
#ifndef WIRE_NEAREST_H
#define WIRE_NEAREST_H

#include <stddef.h>

#include "testbed/wire/error.h"

/* The candidate that is fewest edits away from `word` (insertions, deletions,
 * substitutions, swapped neighbours), or NULL where none is near enough to be
 * worth a suggestion.  The result is one of the candidates' own pointers. */
const char *nearest(const char *word, const char *const *candidates, size_t count);

/* The row of that name in a table of `count` rows of `size` bytes each, whose first member is the name (const char *).
 * NULL with "unknown WHAT 'NAME'; did you mean NEAREST?", or else with `list`, a command that lists them, in *e. */
const void *table_find(const char *name, const void *rows, size_t count, size_t size,
                       const char *what, const char *list, struct error *e);

#endif
