/* symbols.h -- the table of symbols of an object that another process has mapped (elf(5)). */
#ifndef FAKETIME_SYMBOLS_H
#define FAKETIME_SYMBOLS_H

#include <elf.h>

#include "faketime/tracee.h"

struct symbols {
    uint64_t base;  /* where the object is mapped */
    uint64_t where; /* the table, in the process */
    Elf64_Sym *table;
    size_t count;
    char *names;
    size_t names_size;
    Elf64_Half *versions; /* NULL: they have none */
};

struct symbol {
    const char *name;
    uint64_t where; /* of its value, in the process */
    uint64_t leads_to;
    bool is_default;  /* what a name without a version means */
    bool is_function; /* itself, and not one that chooses among several */
};

/* Reads it from the process's memory: whatever somebody has made of it, and whatever has become of the file.
 * -1 with one line, and none of them. */
int symbols_read(const struct tracee *tracee, uint64_t base, struct symbols *symbols,
                 struct error *e);
void symbols_free(struct symbols *symbols); /* also of none */

/* The one of that number; false where it is not defined there. */
bool symbols_at(const struct symbols *symbols, size_t i, struct symbol *symbol);

/* Where the last page ends that an object takes, its bss included, by its own program headers; 0: no object begins
 * there. */
uint64_t symbols_object_end(const struct tracee *tracee, uint64_t base);

#endif
