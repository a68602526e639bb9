/* proc.h -- a small file of proc(5), at one glance. */
#ifndef FAKETIME_PROC_H
#define FAKETIME_PROC_H

#include <stdbool.h>
#include <stddef.h>

/* The file's first octets, what there is room for, with '\0' after them; its path is as in printf(3).  False, with an
 * empty text, where there is no such file (any more), or we may not know. */
bool proc_read(char *text, size_t room, const char *path, ...)
    __attribute__((format(printf, 3, 4)));

/* What follows the name, which may hold anything, in a `stat`: the state is its first character, after it the parent.
 * NULL where that is none. */
const char *proc_after_name(const char *stat);

#endif
