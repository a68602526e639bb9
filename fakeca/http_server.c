#include "fakeca/http_server.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAUSE_SECONDS .1
#define SHARE         4 /* of the descriptors */

static void on_pause(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct http_server *server = watcher->data;

    (void)events;
    ev_io_start(loop, &server->accepting);
}

static void on_accept(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct http_server *server = watcher->data;
    int fd;

    (void)events;
    while ((fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (server->count == server->most)
            /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): connection_end() has moved `first` on */
            exchange_end(server->first);
        exchange_begin(server, fd);
        if (server->closed) /* by whoever greets */
            return;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        ev_io_stop(loop, &server->accepting);
        ev_timer_set(&server->pause, PAUSE_SECONDS, 0.);
        ev_timer_start(loop, &server->pause);
    }
}

static size_t connections_most(void)
{
    const rlim_t wanted = SHARE * HTTP_CONNECTIONS_MOST;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return HTTP_CONNECTIONS_MOST;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur < 2 * SHARE ? 1 : limit.rlim_cur / SHARE;
}

int http_server_open(struct http_server *server, const struct address *address, struct error *e)
{
    server->most = connections_most();
    server->fd = socket_listen(address, SOCK_STREAM, server->address, e);
    if (server->fd < 0)
        return -1;
    ev_io_init(&server->accepting, on_accept, server->fd, EV_READ);
    ev_timer_init(&server->pause, on_pause, PAUSE_SECONDS, 0.);
    server->accepting.data = server->pause.data = server;
    ev_io_start(server->loop, &server->accepting);
    return 0;
}

/* While nobody listens a second socket holds the port, which the first must let it share. */
static int close_door(struct http_server *server, struct error *e)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    int on = 1, holder = -1;

    if (getsockname(server->fd, (struct sockaddr *)&address, &length) == 0)
        holder = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (holder < 0 || setsockopt(server->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ||
        setsockopt(holder, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(holder, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ||
        bind(holder, (struct sockaddr *)&address, length) < 0) {
        failed(e, "%s: cannot hold the port: %s", server->address, strerror(errno));
        if (holder >= 0)
            close(holder);
        return -1;
    }
    ev_io_stop(server->loop, &server->accepting);
    ev_timer_stop(server->loop, &server->pause);
    close(server->fd);
    server->fd = holder;
    server->closed = true;
    return 0;
}

static int open_door(struct http_server *server, struct error *e)
{
    int off = 0;

    setsockopt(server->fd, SOL_SOCKET, SO_REUSEPORT, &off, sizeof off);
    if (listen(server->fd, SOCKET_BACKLOG) < 0)
        return failed(e, "%s: cannot listen again: %s", server->address, strerror(errno));
    ev_io_set(&server->accepting, server->fd, EV_READ);
    ev_io_start(server->loop, &server->accepting);
    server->closed = false;
    return 0;
}

int http_server_door(struct http_server *server, bool open, struct error *e)
{
    if (open == !server->closed)
        return 0;
    return open ? open_door(server, e) : close_door(server, e);
}

void http_server_release(struct http_server *server, bool good)
{
    struct http_connection *c, *next = server->held;

    server->held = NULL; /* what comes next on one of them may be held again */
    while ((c = next) != NULL)
        next = exchange_release(c, good);
}

void http_server_close(struct http_server *server)
{
    ev_io_stop(server->loop, &server->accepting);
    ev_timer_stop(server->loop, &server->pause);
    while (server->first != NULL)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): connection_end() has moved `first` on */
        exchange_end(server->first);
    close(server->fd);
}
