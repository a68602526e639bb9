#include "testbed/targets/server.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testbed/wire/address.h"

#define OWN_DESCRIPTORS 32 /* log, settings, certificates while they are read, libev */
#define CLIENTS_MAX     8192
#define RETRY_SECOND    .1

static size_t clients_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 64;
    if (limit.rlim_cur < CLIENTS_MAX + OWN_DESCRIPTORS) {
        rlim_t wanted = CLIENTS_MAX + OWN_DESCRIPTORS;

        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= CLIENTS_MAX + OWN_DESCRIPTORS)
        return CLIENTS_MAX;
    return limit.rlim_cur > 2 * OWN_DESCRIPTORS ? limit.rlim_cur - OWN_DESCRIPTORS : 1;
}

/* --- accepting ---------------------------------------------------------------------------------- */

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct server *server = timer->data;

    (void)events;
    ev_io_start(loop, &server->accept);
}

static void on_end(struct connections *connections)
{
    struct server *server =
        (struct server *)((char *)connections - offsetof(struct server, connections));

    if (!ev_is_active(&server->retry))
        ev_io_start(server->loop, &server->accept);
}

/* True for what is the system's want, and not that one client's. */
static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct server *server = io->data;
    int fd;

    (void)events;
    fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        connection_start(&server->connections, fd, server->served);
    else if (is_shortage(errno)) {
        ev_io_stop(loop, io);
        ev_timer_set(&server->retry, RETRY_SECOND, 0.);
        ev_timer_start(loop, &server->retry);
    }
    if (server->connections.count >= server->limit)
        ev_io_stop(loop, io);
}

/* --- listening ---------------------------------------------------------------------------------- */

static int listen_on(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
    int yes = 1;
    int saved;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_socket(const char *text, struct error *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    struct address address;
    int fd = -1;
    int trouble;

    if (address_parse(text, &address, e) < 0)
        return -1;
    trouble = getaddrinfo(address.host, address.port, &hints, &found);
    if (trouble != 0)
        return failed(e, "listen: %s: %s", text, gai_strerror(trouble));
    for (const struct addrinfo *at = found; fd < 0 && at != NULL; at = at->ai_next)
        fd = listen_on(at);
    freeaddrinfo(found);
    return fd >= 0 ? fd : failed(e, "listen: %s: %s", text, strerror(errno));
}

static int name_socket(struct server *server, struct error *e)
{
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getsockname(server->fd, (struct sockaddr *)&bound, &length) < 0)
        return failed(e, "listen: %s", strerror(errno));
    if (getnameinfo((struct sockaddr *)&bound, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return failed(e, "listen: cannot tell its own address");
    snprintf(server->address, sizeof server->address,
             bound.ss_family == AF_INET6 ? "[%.255s]:%.6s" : "%.255s:%.6s", host, port);
    return 0;
}

int server_open(struct server *server, struct served *served, struct error *e)
{
    server->served = served;
    server->limit = clients_limit();
    server->fd = open_socket(served_settings(served)->listen, e);
    if (server->fd < 0 || name_socket(server, e) < 0) {
        server_close(server);
        return -1;
    }
    server->connections.loop = server->loop;
    server->connections.on_end = on_end;
    ev_io_init(&server->accept, on_accept, server->fd, EV_READ);
    ev_timer_init(&server->retry, on_retry, RETRY_SECOND, 0.);
    server->accept.data = server->retry.data = server;
    ev_io_start(server->loop, &server->accept);
    return 0;
}

int server_reload(struct server *server, const char *path, struct error *e)
{
    const char *listens = served_settings(server->served)->listen;
    struct settings *settings = settings_read(path, e);
    struct served *served;

    if (settings == NULL)
        return -1;
    if (strcmp(settings->listen, listens) != 0) {
        failed(e, "%s: listen is %s now, and a reload cannot change it from %s; start anew", path,
               settings->listen, listens);
        settings_free(settings);
        return -1;
    }
    served = served_load(settings, e);
    if (served == NULL)
        return -1;
    served_release(server->served);
    server->served = served;
    return 0;
}

void server_close(struct server *server)
{
    ev_io_stop(server->loop, &server->accept);
    ev_timer_stop(server->loop, &server->retry);
    connections_close(&server->connections);
    if (server->fd >= 0)
        close(server->fd);
    served_release(server->served);
}
