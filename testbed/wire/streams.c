#include "testbed/wire/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "testbed/wire/status.h"

void streams_fill(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open(fd == 0 ? "/dev/null" : "/dev/full", O_RDWR | O_CLOEXEC);
}

int streams_end(const char *program, int status)
{
    bool flushed = fflush(stdout) == 0;
    const char *why = flushed ? "not all of it was taken" : strerror(errno);

    if ((flushed && !ferror(stdout)) || (!flushed && errno == EPIPE) || status > STATUS_FAILED)
        return status;
    fprintf(stderr, "%s: cannot write to stdout: %s\n", program, why);
    return STATUS_ENVIRONMENT;
}
