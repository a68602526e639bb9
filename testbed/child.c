#include "testbed/child.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testbed/userdata.h"

#define TYPE           "testbed.child"
#define UNREAD_AT_MOST (4u << 20) /* bytes nobody has asked for yet; then the child must wait */

static struct child *check(lua_State *L)
{
    return luaL_checkudata(L, 1, TYPE);
}

/* --- its pipes ------------------------------------------------------------------------------ */

static void stop(ev_io *io)
{
    if (io->fd < 0)
        return;
    ev_io_stop(flow_loop(), io);
    close(io->fd);
    io->fd = -1;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct child_stream *stream = (struct child_stream *)io;
    ssize_t got = lines_read(&stream->lines, io->fd);

    (void)events;
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        stream->lines.ended = true;
        stop(io);
    } else if (stream->lines.used - stream->lines.start > UNREAD_AT_MOST)
        ev_io_stop(loop, io);
    flow_wake(stream->waiter);
}

static void flush(struct child *child)
{
    int done = outbox_flush(&child->outbox, child->input.fd);

    if (done < 0 || (done == 1 && child->finishing))
        stop(&child->input);
    else if (done == 1)
        ev_io_stop(flow_loop(), &child->input);
    else
        ev_io_start(flow_loop(), &child->input);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    flush(io->data);
}

static void stream_init(struct child_stream *stream, int fd)
{
    ev_io_init(&stream->io, on_readable, fd, EV_READ);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    ev_io_start(flow_loop(), &stream->io);
}

/* Our ends in near[], theirs in far[]. */
static int open_pipes(bool input, int near[3], int far[3])
{
    int pipes[3][2] = {
        {-1, -1},
        {-1, -1},
        {-1, -1}
    };
    bool made = pipe2(pipes[1], O_CLOEXEC) == 0 && pipe2(pipes[2], O_CLOEXEC) == 0;

    if (made && input)
        made = pipe2(pipes[0], O_CLOEXEC) == 0;
    else if (made)
        made = (pipes[0][0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;
    for (int i = 0; i < 3; i++) {
        near[i] = pipes[i][i == 0];
        far[i] = pipes[i][i != 0];
    }
    if (made)
        return 0;
    for (int i = 0; i < 6; i++)
        if (pipes[i / 2][i % 2] >= 0)
            close(pipes[i / 2][i % 2]);
    return -1;
}

struct child *child_new(lua_State *L, bool input, int far[3])
{
    int near[3];
    struct child *child;

    if (open_pipes(input, near, far) < 0)
        return NULL;
    child = lua_newuserdatauv(L, sizeof *child, 1);
    memset(child, 0, sizeof *child);
    luaL_setmetatable(L, TYPE);
    ev_io_init(&child->input, on_writable, near[0], EV_WRITE);
    child->input.data = child;
    if (near[0] >= 0)
        fcntl(near[0], F_SETFL, O_NONBLOCK);
    stream_init(&child->out, near[1]);
    stream_init(&child->err, near[2]);
    return child;
}

void child_started(struct child *child, pid_t pid)
{
    child->pid = pid;
}

void child_ended(struct child *child, int status, const char *why)
{
    child->ended = true;
    child->status = status;
    snprintf(child->why, sizeof child->why, "%.500s", why);
    flow_wake(child->waiter);
}

/* --- its methods -------------------------------------------------------------------------------- */

static int l_send(lua_State *L)
{
    struct child *child = check(L);
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    bool open = child->input.fd >= 0 && !child->finishing;

    if (open && outbox_put(&child->outbox, text, length) < 0)
        return luaL_error(L, "out of memory");
    if (open)
        flush(child);
    lua_pushboolean(L, open && child->input.fd >= 0);
    return 1;
}

static int l_finish(lua_State *L)
{
    struct child *child = check(L);

    child->finishing = true;
    if (child->input.fd >= 0)
        flush(child);
    return 0;
}

/* Parks until `stream` has a line; the stack holds the child and the timeout, nothing else. */
static int next_line(lua_State *L, struct child_stream *stream, lua_KFunction look)
{
    double timeout = luaL_optnumber(L, 2, -1);
    char *line = lines_next(&stream->lines);

    stream->waiter = 0;
    if (stream->io.fd >= 0 && !ev_is_active(&stream->io))
        ev_io_start(flow_loop(), &stream->io);
    if (line != NULL) {
        lua_pushstring(L, stream->lines.too_long ? "(a line of more than 65536 bytes)" : line);
        return 1;
    }
    if (stream->lines.ended) {
        lua_pushnil(L);
        return 1;
    }
    if (flow_timed_out(L)) {
        lua_pushboolean(L, 0);
        return 1;
    }
    stream->waiter = flow_running(L);
    return flow_park(L, timeout, look);
}

static int look_out(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_settop(L, 2);
    return next_line(L, &check(L)->out, look_out);
}

static int look_err(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_settop(L, 2);
    return next_line(L, &check(L)->err, look_err);
}

static int l_out(lua_State *L)
{
    lua_settop(L, 2);
    return flow_wait(L, look_out);
}

static int l_err(lua_State *L)
{
    lua_settop(L, 2);
    return flow_wait(L, look_err);
}

static int push_ending(lua_State *L, const struct child *child)
{
    lua_newtable(L);
    if (child->status == -1) {
        lua_pushstring(L, child->why);
        lua_setfield(L, -2, "error");
    } else if (WIFSIGNALED(child->status)) {
        lua_pushinteger(L, WTERMSIG(child->status));
        lua_setfield(L, -2, "signal");
    } else {
        lua_pushinteger(L, WEXITSTATUS(child->status));
        lua_setfield(L, -2, "code");
    }
    return 1;
}

static int look_ended(lua_State *L, int status, lua_KContext context)
{
    struct child *child = check(L);

    (void)status;
    (void)context;
    lua_settop(L, 2);
    child->waiter = 0;
    if (child->ended)
        return push_ending(L, child);
    if (flow_timed_out(L)) {
        lua_pushboolean(L, 0);
        return 1;
    }
    child->waiter = flow_running(L);
    return flow_park(L, luaL_optnumber(L, 2, -1), look_ended);
}

static int l_wait(lua_State *L)
{
    lua_settop(L, 2);
    return flow_wait(L, look_ended);
}

static int l_signal(lua_State *L)
{
    static const char *const names[] = {"TERM", "HUP",  "KILL", "INT",  "USR1",
                                        "USR2", "STOP", "CONT", "QUIT", NULL};
    static const int numbers[] = {SIGTERM, SIGHUP,  SIGKILL, SIGINT, SIGUSR1,
                                  SIGUSR2, SIGSTOP, SIGCONT, SIGQUIT};
    struct child *child = check(L);
    int which = luaL_checkoption(L, 2, NULL, names);

    if (child->stage != NULL && !child->ended)
        stage_signal(child->stage, child->id, numbers[which]);
    return 0;
}

static int l_pid(lua_State *L)
{
    struct child *child = check(L);

    if (child->pid == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, child->pid);
    return 1;
}

static int l_gc(lua_State *L)
{
    struct child *child = check(L);

    if (child->stage != NULL)
        stage_forget(child->stage, child);
    stop(&child->input);
    stop(&child->out.io);
    stop(&child->err.io);
    lines_free(&child->out.lines);
    lines_free(&child->err.lines);
    outbox_free(&child->outbox);
    return 0;
}

void child_register(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"send",   l_send  },
        {"finish", l_finish},
        {"out",    l_out   },
        {"err",    l_err   },
        {"wait",   l_wait  },
        {"signal", l_signal},
        {"pid",    l_pid   },
        {"__gc",   l_gc    },
        {NULL,     NULL    },
    };

    userdata_register(L, TYPE, methods);
}
