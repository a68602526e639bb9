/* nearest.h -- "did you mean ...?" */
#ifndef WIRE_NEAREST_H
#define WIRE_NEAREST_H

#include <stddef.h>

/* The candidate that is fewest edits away from `word` (insertions, deletions,
 * substitutions, swapped neighbours), or NULL where none is near enough to be
 * worth a suggestion.  The result is one of the candidates' own pointers. */
const char *nearest(const char *word, const char *const *candidates, size_t count);

#endif
