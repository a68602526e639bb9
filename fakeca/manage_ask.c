#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "fakeca/manage.h"
#include "testbed/wire/status.h"

static int send_line(int fd, const json_t *request, struct error *e)
{
    char *text = json_dumps(request, JSON_COMPACT);
    struct iovec parts[] = {
        {text,         text == NULL ? 0 : strlen(text)},
        {(char *)"\n", 1                              }
    };
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    bool sent =
        text != NULL &&
        /* short, and a blocking socket; who is turned away is told so, which is still to be read */
        (sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)(parts[0].iov_len + 1) || errno == EPIPE);

    free(text);
    return sent ? 0 : failed(e, "cannot ask: %s", strerror(errno));
}

static json_t *read_line(int fd, struct error *e)
{
    FILE *in = fdopen(fd, "r");
    json_error_t why;
    json_t *answer = in == NULL ? NULL : json_loadf(in, JSON_DISABLE_EOF_CHECK, &why);
    const char *error = json_string_value(json_object_get(answer, "error"));

    if (in != NULL)
        fclose(in);
    if (answer == NULL)
        return failed(e, "the authority broke off"), NULL;
    if (error == NULL)
        return answer;
    errno = json_integer_value(json_object_get(answer, "status")) == STATUS_ENVIRONMENT ? EIO : 0;
    failed(e, "%s", error);
    json_decref(answer);
    return NULL;
}

json_t *manage_ask(const char *directory, const json_t *request, struct error *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (snprintf(address.sun_path, sizeof address.sun_path, "%s/" MANAGE_SOCKET, directory) >=
        (int)sizeof address.sun_path)
        failed(e, "%s: the path is too long for a socket", directory);
    else if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        failed(e, "%s: %s: %s", directory,
               errno == EACCES ? "who serves there may not be asked" : "nobody serves there",
               strerror(errno));
    else if (send_line(fd, request, e) == 0)
        return read_line(fd, e);
    if (fd >= 0)
        close(fd);
    return NULL;
}
