#include "faketime/tree.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "faketime/proc.h"

void tree_plant(struct tree *tree, pid_t pid)
{
    tree->pids[0] = pid;
    tree->count = 1;
}

bool tree_numbers(const char *folder, void (*each)(pid_t number, void *context), void *context)
{
    DIR *open = opendir(folder);
    const struct dirent *entry;

    if (open == NULL)
        return false;
    while ((entry = readdir(open)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]))
            each((pid_t)strtol(entry->d_name, NULL, 10), context);
    closedir(open);
    return true;
}

/* --- children ---------------------------------------------------------------------------------- */

static void add(struct tree *tree, pid_t pid)
{
    for (size_t i = 0; i < tree->count; i++)
        if (tree->pids[i] == pid)
            return;
    if (tree->count < TREE_MAX)
        tree->pids[tree->count++] = pid;
}

/* The process's state and parent (proc(5), stat); false where there is none. */
static bool stat_of(pid_t pid, char *state, pid_t *parent)
{
    char text[512];
    const char *after;

    proc_read(text, sizeof text, "/proc/%d/stat", (int)pid);
    after = proc_after_name(text);
    if (after == NULL)
        return false;
    *state = *after;
    *parent = (pid_t)strtol(after + 2, NULL, 10);
    return true;
}

struct growth {
    struct tree *tree;
    pid_t parent;
    bool told; /* the kernel tells whose children they are */
};

static void add_children_of(pid_t thread, void *context)
{
    struct growth *growth = context;
    char path[80];
    FILE *file;
    int child;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)growth->parent, (int)thread);
    file = fopen(path, "re");
    if (file == NULL)
        return;
    growth->told = true;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers, proc(5) */
    while (fscanf(file, "%d", &child) == 1)
        add(growth->tree, child);
    fclose(file);
}

/* Where it does not (CONFIG_PROC_CHILDREN), everybody is asked for his parent. */
static void add_if_child(pid_t pid, void *context)
{
    struct growth *growth = context;
    pid_t parent;
    char state;

    if (stat_of(pid, &state, &parent) && parent == growth->parent)
        add(growth->tree, pid);
}

void tree_grow(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        struct growth growth = {.tree = tree, .parent = tree->pids[i]};
        char path[40];

        snprintf(path, sizeof path, "/proc/%d/task", (int)growth.parent);
        if (tree_numbers(path, add_children_of, &growth) && !growth.told)
            tree_numbers("/proc", add_if_child, &growth);
    }
}

void tree_prune(struct tree *tree)
{
    size_t left = 0;

    for (size_t i = 0; i < tree->count; i++) {
        pid_t parent;
        char state;

        if (stat_of(tree->pids[i], &state, &parent) && state != 'Z' && state != 'X')
            tree->pids[left++] = tree->pids[i];
    }
    tree->count = left;
}
