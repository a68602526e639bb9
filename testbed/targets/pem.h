/* pem.h -- the bodies of PEM blocks, also of those that are no longer whole.
 *
 * OpenSSL's reader stops at the first block it dislikes.  This one gives back every block
 * that was begun, as the bytes its base64 stands for, and says whether the block was
 * whole; who serves a broken chain on purpose takes the bytes, everyone else refuses.
 * RFC 7468 is the format; text between the blocks is allowed and skipped.
 */
#ifndef TARGETS_PEM_H
#define TARGETS_PEM_H

#include <stdbool.h>
#include <stddef.h>

#include "testbed/wire/error.h"

struct pem_block {
    unsigned char *bytes; /* owned by the list */
    size_t length;
    const char *flaw; /* NULL where the block is whole; else what is wrong with it */
};

struct pem_list {
    struct pem_block *blocks;
    size_t count;
};

/* Every block whose label is `label`, in order; there may be none.  Fails where the file cannot be
 * read or memory runs out; *list is empty then.  pem_free is harmless in any case. */
int pem_read(const char *path, const char *label, struct pem_list *list, struct error *e);
void pem_free(struct pem_list *list);

#endif
