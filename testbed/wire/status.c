#include "testbed/wire/status.h"

#include <errno.h>
#include <stddef.h>

enum status status_of_errno(int error)
{
    static const int environment[] = {EACCES, EPERM,  ENOSPC, EROFS, EDQUOT, EIO,
                                      EMFILE, ENFILE, ENOMEM, EFBIG, EPIPE,  EADDRINUSE};

    for (size_t i = 0; i < sizeof environment / sizeof environment[0]; i++)
        if (error == environment[i])
            return STATUS_ENVIRONMENT;
    return STATUS_USAGE;
}

void status_print(const struct status_row *rows, FILE *out)
{
    fputs("\nexit status\n", out);
    for (; rows->gloss != NULL; rows++)
        fprintf(out, "  %d  %s\n", rows->status, rows->gloss);
}
