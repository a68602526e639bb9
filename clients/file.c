#include "clients/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (16L * 1024 * 1024)

/* What is left of `in`; NULL with errno. */
static unsigned char *slurp(FILE *in, size_t *size)
{
    unsigned char *bytes = malloc(FILE_MAX + 1);
    unsigned char *fitting;

    if (bytes == NULL)
        return NULL;
    *size = fread(bytes, 1, FILE_MAX, in);
    if (ferror(in)) {
        free(bytes);
        return NULL;
    }
    bytes[*size] = '\0';
    fitting = realloc(bytes, *size + 1);
    return fitting != NULL ? fitting : bytes;
}

int file_read(const char *what, const char *path, struct file *file, struct error *e)
{
    FILE *in = fopen(path, "re");

    *file = (struct file){NULL, 0};
    if (in != NULL)
        file->bytes = slurp(in, &file->size);
    if (file->bytes == NULL)
        failed(e, "%s: %s: %s", what, path, strerror(errno));
    if (in != NULL)
        fclose(in);
    return file->bytes != NULL ? 0 : -1;
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
