#include "testbed/wire/status.h"

void status_print(const struct status_row *rows, FILE *out)
{
    fputs("\nexit status\n", out);
    for (; rows->gloss != NULL; rows++)
        fprintf(out, "  %d  %s\n", rows->status, rows->gloss);
}
