#include "clients/file.h"

#include <stdlib.h>

#include "testbed/wire/file.h"

int file_read(const char *what, const char *path, struct file *file, struct error *e)
{
    file->bytes = file_whole(path, &file->size, e);
    return file->bytes != NULL ? 0 : failed_in(e, what);
}

void file_free(struct file *file)
{
    free(file->bytes);
    *file = (struct file){NULL, 0};
}

int file_readable(const char *what, const char *path, struct error *e)
{
    struct file file;

    if (file_read(what, path, &file, e) < 0)
        return -1;
    file_free(&file);
    return 0;
}
