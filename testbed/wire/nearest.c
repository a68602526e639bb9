#include "testbed/wire/nearest.h"

#include <string.h>

#define LONGEST 63 /* words longer than this are nobody's typing error */

static size_t least(size_t a, size_t b, size_t c)
{
    size_t smaller = a < b ? a : b;

    return smaller < c ? smaller : c;
}

/* Optimal string alignment distance: three rows of the usual table. */
static size_t edits(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 2];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    size_t length_a = strlen(a), length_b = strlen(b);

    for (size_t j = 0; j <= length_b; j++)
        above[j] = j;
    for (size_t i = 1; i <= length_a; i++) {
        size_t *spare = before;

        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        before = above;
        above = row;
        row = spare;
    }
    return above[length_b];
}

const char *nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    size_t best_edits = strlen(word) / 3 + 2; /* first distance that is too far */

    if (strlen(word) > LONGEST)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance;

        if (strlen(candidates[i]) > LONGEST)
            continue;
        distance = edits(word, candidates[i]);
        if (distance < best_edits && distance < strlen(candidates[i])) {
            best = candidates[i];
            best_edits = distance;
        }
    }
    return best;
}

const void *table_find(const char *name, const void *rows, size_t count, size_t size,
                       const char *what, const char *list, struct error *e)
{
    const char *names[count];
    const char *near;

    for (size_t i = 0; i < count; i++) {
        const void *row = (const char *)rows + i * size;

        names[i] = *(const char *const *)row;
        if (strcmp(names[i], name) == 0)
            return row;
    }
    near = nearest(name, names, count);
    if (near != NULL)
        return failed(e, "unknown %s '%s'; did you mean %s?", what, name, near), NULL;
    return failed(e, "unknown %s '%s'; `%s` lists them", what, name, list), NULL;
}
