/* tree.h -- a process and all its descendants.
 *
 * Whoever was once seen in it stays in it until he ends, also when his parent has ended and somebody else
 * has adopted him.
 */
#ifndef FAKETIME_TREE_H
#define FAKETIME_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TREE_MAX 4096

struct tree {
    pid_t pids[TREE_MAX]; /* parents before their children */
    size_t count;
};

void tree_plant(struct tree *tree, pid_t pid);
/* Adds the children of those in it that are not in it yet, and theirs. */
void tree_grow(struct tree *tree);
/* Drops those that have ended, also where nobody has asked for their status. */
void tree_prune(struct tree *tree);

/* Calls `each` with every number that a folder of /proc has for an entry; false where there is no such folder. */
bool tree_numbers(const char *folder, void (*each)(pid_t number, void *context), void *context);

#endif
