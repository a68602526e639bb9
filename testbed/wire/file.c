#include "testbed/wire/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads to the end, which may have moved since fstat; -1 where it is not `room` bytes away. */
static ssize_t read_whole(int fd, unsigned char *bytes, size_t room)
{
    size_t used = 0;
    ssize_t got;

    while ((got = read(fd, bytes + used, room - used)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        used += (size_t)got;
        if (used == room) {
            errno = EFBIG;
            return -1;
        }
    }
    return (ssize_t)used;
}

static unsigned char *read_open(int fd, const char *path, size_t *length, struct error *e)
{
    struct stat about = {0};
    unsigned char *bytes;
    ssize_t used;

    if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode))
        return failed(e, "%s: not a regular file", path), NULL;
    if (about.st_size > FILE_MAX_BYTES)
        return failed(e, "%s: larger than %d bytes", path, FILE_MAX_BYTES), NULL;
    /* a page more, for a file that is being appended to */
    bytes = malloc((size_t)about.st_size + 4096);
    if (bytes == NULL)
        return failed(e, "%s: out of memory", path), NULL;
    used = read_whole(fd, bytes, (size_t)about.st_size + 4095);
    if (used < 0) {
        free(bytes);
        return failed(e, "%s: cannot read: %s", path, strerror(errno)), NULL;
    }
    bytes[used] = '\0';
    *length = (size_t)used;
    return bytes;
}

unsigned char *file_whole_at(int directory, const char *path, size_t *length, struct error *e)
{
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    unsigned char *bytes;

    if (fd < 0)
        return failed(e, "%s: cannot open: %s", path, strerror(errno)), NULL;
    bytes = read_open(fd, path, length, e);
    close(fd);
    return bytes;
}

unsigned char *file_whole(const char *path, size_t *length, struct error *e)
{
    return file_whole_at(AT_FDCWD, path, length, e);
}
