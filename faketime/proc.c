#include "faketime/proc.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool proc_read(char *text, size_t room, const char *path, ...)
{
    char whole[80];
    ssize_t length;
    va_list list;
    int fd;

    *text = '\0';
    va_start(list, path);
    vsnprintf(whole, sizeof whole, path, list);
    va_end(list);
    fd = open(whole, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    length = read(fd, text, room - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

const char *proc_after_name(const char *stat)
{
    const char *end = strrchr(stat, ')');

    return end != NULL && strlen(end) > 4 ? end + 2 : NULL;
}
