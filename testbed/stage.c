#include "testbed/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testbed/child.h"
#include "testbed/stage/protocol.h"
#include "testbed/userdata.h"

#define TYPE     "testbed.stage"
#define PATIENCE 5.0 /* seconds for init to end by itself */

struct stage {
    ev_io socket; /* first; fd -1 once closed */
    ev_child init;
    bool gone; /* init has ended, and with it everything */
    bool ready;
    enum stage_isolation isolation;
    char why[512];
    uint32_t last_id;
    struct child *children; /* theirs: userdata that unlink themselves */
    flow_id waiter;         /* for ready or for the end */
};

static struct stage *check(lua_State *L)
{
    return luaL_checkudata(L, 1, TYPE);
}

/* --- the conversation with init --------------------------------------------------------------- */

static void hang_up(struct stage *stage)
{
    if (stage->socket.fd < 0)
        return;
    ev_io_stop(flow_loop(), &stage->socket);
    close(stage->socket.fd);
    stage->socket.fd = -1;
}

static struct child *child_of(struct stage *stage, uint32_t id)
{
    struct child *child = stage->children;

    while (child != NULL && child->id != id)
        child = child->next;
    return child;
}

static void heard(struct stage *stage, const struct stage_message *head, const char *text)
{
    struct child *child = child_of(stage, head->id);

    if (head->verb == STAGE_READY) {
        stage->ready = true;
        stage->isolation = (enum stage_isolation)head->number;
        snprintf(stage->why, sizeof stage->why, "%.500s", text);
        flow_wake(stage->waiter);
    } else if (child != NULL && head->verb == STAGE_STARTED)
        child_started(child, head->number);
    else if (child != NULL && head->verb == STAGE_EXITED)
        child_ended(child, head->number, text);
}

static void on_message(struct ev_loop *loop, ev_io *io, int events)
{
    static struct {
        struct stage_message head;
        char text[STAGE_MESSAGE_TEXT + 1];
    } packet;
    struct stage *stage = (struct stage *)io;
    ssize_t got = recv(io->fd, &packet, sizeof packet - 1, MSG_DONTWAIT);

    (void)loop;
    (void)events;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < (ssize_t)sizeof packet.head) {
        hang_up(stage);
        return;
    }
    ((char *)&packet)[got] = '\0';
    heard(stage, &packet.head, packet.text);
}

static void on_gone(struct ev_loop *loop, ev_child *init, int events)
{
    struct stage *stage = init->data;

    (void)events;
    ev_child_stop(loop, init);
    stage->gone = true;
    for (struct child *child = stage->children; child != NULL; child = child->next)
        if (!child->ended)
            child_ended(child, SIGKILL, "");
    flow_wake(stage->waiter);
}

/* 0, or what sendmsg(2) has to say; ENOTCONN where the stage is closed.  It waits while init has
 * hundreds of orders yet to read. */
static int tell(struct stage *stage, const struct stage_message *head, const char *text,
                const int *stdio)
{
    struct iovec parts[2] = {
        {(void *)(uintptr_t)head, sizeof *head},
        {(void *)(uintptr_t)text, head->length}
    };
    union {
        char bytes[CMSG_SPACE(3 * sizeof(int))];
        struct cmsghdr aligned;
    } control = {{0}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};

    if (stage->socket.fd < 0)
        return ENOTCONN;
    if (stdio != NULL) {
        struct cmsghdr *rights = &control.aligned;

        packet.msg_control = control.bytes;
        packet.msg_controllen = sizeof control.bytes;
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(3 * sizeof(int));
        memcpy(CMSG_DATA(rights), stdio, 3 * sizeof(int));
    }
    return sendmsg(stage->socket.fd, &packet, MSG_NOSIGNAL) < 0 ? errno : 0;
}

static const char *why_untold(int error)
{
    bool closed = error == ENOTCONN || error == EPIPE || error == ECONNRESET;

    return closed ? "the stage is closed" : strerror(error);
}

void stage_signal(struct stage *stage, uint32_t id, int signal_number)
{
    struct stage_message head = {.verb = STAGE_SIGNAL, .id = id, .number = signal_number};

    (void)tell(stage, &head, "", NULL);
}

void stage_forget(struct stage *stage, struct child *child)
{
    struct child **link = &stage->children;

    while (*link != NULL && *link != child)
        link = &(*link)->next;
    if (*link != NULL)
        *link = child->next;
}

/* --- opening ------------------------------------------------------------------------------------ */

#define SHOWN_MAX 8

struct shown { /* "PATH=FILE", borrowed from Lua's stack */
    const char *pairs[SHOWN_MAX];
    size_t count;
};

static pid_t start_init(const char *program, bool outward, const struct shown *shown, int far)
{
    const char *arguments[2 * SHOWN_MAX + 4] = {program};
    size_t count = 1;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid;
    int error;

    if (outward)
        arguments[count++] = "--outward";
    for (size_t i = 0; i < shown->count; i++) {
        arguments[count++] = "--show";
        arguments[count++] = shown->pairs[i];
    }
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, far, STAGE_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions, STAGE_FD + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    error =
        posix_spawn(&pid, program, &actions, &attributes, (char **)(uintptr_t)arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    errno = error;
    return error == 0 ? pid : -1;
}

static bool flag(lua_State *L, const char *name)
{
    bool value;

    lua_getfield(L, 1, name);
    value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static const char *text(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    return luaL_optstring(L, -1, NULL); /* stays on the stack, so it stays alive */
}

/* What is read leaves its strings on the stack, so they stay alive. */
static void read_shown(lua_State *L, struct shown *shown)
{
    int table;

    shown->count = 0;
    if (lua_getfield(L, 1, "show") != LUA_TTABLE)
        return;
    table = lua_gettop(L);
    while (shown->count < SHOWN_MAX &&
           lua_geti(L, table, (lua_Integer)shown->count + 1) == LUA_TSTRING)
        shown->pairs[shown->count++] = lua_tostring(L, -1);
}

static int refused(lua_State *L, const char *what)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", what, strerror(errno));
    return 2;
}

static int l_open(lua_State *L)
{
    const char *program;
    struct shown shown;
    bool outward = flag(L, "outward");
    struct stage *stage;
    int sockets[2], size = 4 * STAGE_MESSAGE_TEXT;
    pid_t pid;

    program = text(L, "init");
    read_shown(L, &shown);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return refused(L, "cannot make a socket");
    setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    pid = start_init(program, outward, &shown, sockets[1]);
    close(sockets[1]);
    if (pid < 0) {
        close(sockets[0]);
        return refused(L, program);
    }
    stage = lua_newuserdatauv(L, sizeof *stage, 0);
    memset(stage, 0, sizeof *stage);
    luaL_setmetatable(L, TYPE);
    ev_io_init(&stage->socket, on_message, sockets[0], EV_READ);
    ev_io_start(flow_loop(), &stage->socket);
    ev_child_init(&stage->init, on_gone, pid, 0);
    stage->init.data = stage;
    ev_child_start(flow_loop(), &stage->init);
    return 1;
}

static int look_ready(lua_State *L, int status, lua_KContext context)
{
    static const char *const words[] = {
        [STAGE_SHARED] = "shared", [STAGE_ISOLATED] = "isolated", [STAGE_OUTWARD] = "outward"};
    struct stage *stage = check(L);

    (void)status;
    (void)context;
    stage->waiter = 0;
    if (!stage->ready && !stage->gone) {
        stage->waiter = flow_running(L);
        return flow_park(L, -1, look_ready);
    }
    lua_pushstring(L, stage->ready ? words[stage->isolation] : NULL);
    lua_pushstring(L, stage->ready ? stage->why : "stage-init ended before it was ready");
    return 2;
}

static int l_ready(lua_State *L)
{
    lua_settop(L, 1);
    return flow_wait(L, look_ready);
}

/* --- spawning ----------------------------------------------------------------------------------- */

/* Appends every string of the array in field `name`, each with its NUL; how many. */
static lua_Integer add_strings(lua_State *L, const char *name, struct outbox *order)
{
    lua_Integer count;

    lua_getfield(L, 2, name);
    count = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : 0;
    for (lua_Integer i = 1; i <= count; i++) {
        size_t length;
        const char *word;

        lua_rawgeti(L, -1, i);
        word = lua_tolstring(L, -1, &length);
        if (word == NULL || outbox_put(order, word, length + 1) < 0)
            count = -1;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return count;
}

/* "dir\0argc\0argv...\0env...\0"; -1 where the table says something else. */
static int make_order(lua_State *L, struct outbox *order)
{
    struct outbox arguments = {0};
    lua_Integer count = add_strings(L, "argv", &arguments);
    char number[24];
    const char *dir;

    lua_getfield(L, 2, "dir");
    dir = luaL_optstring(L, -1, "");
    snprintf(number, sizeof number, "%lld", (long long)count);
    outbox_put(order, dir, strlen(dir) + 1);
    outbox_put(order, number, strlen(number) + 1);
    outbox_put(order, arguments.bytes, arguments.used);
    lua_pop(L, 1);
    outbox_free(&arguments);
    return count < 1 || add_strings(L, "env", order) < 0 ? -1 : 0;
}

static int spawn(lua_State *L, struct stage *stage, const struct outbox *order, bool input)
{
    struct stage_message head = {
        .verb = STAGE_SPAWN, .id = stage->last_id + 1, .length = (uint32_t)order->used};
    int far[3], error;
    struct child *child = child_new(L, input, far);

    if (child == NULL)
        return refused(L, "cannot make pipes");
    child->id = ++stage->last_id;
    child->stage = stage;
    child->next = stage->children;
    stage->children = child;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1); /* the stage lives as long as its child's userdata */
    error = tell(stage, &head, order->bytes, far);
    if (error != 0)
        child_ended(child, -1, why_untold(error));
    for (int i = 0; i < 3; i++)
        close(far[i]);
    return 1;
}

static int l_spawn(lua_State *L)
{
    struct stage *stage = check(L);
    struct outbox order = {0};
    bool input;
    int pushed;

    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "input");
    input = lua_isnil(L, -1) || lua_toboolean(L, -1);
    lua_settop(L, 2);
    if (make_order(L, &order) < 0 || order.used > STAGE_MESSAGE_TEXT) {
        outbox_free(&order);
        return luaL_error(L, "spawn: argv and env must be arrays of text, 64 KiB together");
    }
    pushed = spawn(L, stage, &order, input);
    outbox_free(&order);
    return pushed;
}

/* --- closing ------------------------------------------------------------------------------------ */

/* Init ends by itself; one that was stopped has to be killed, and the kernel kills the rest. */
static int look_gone(lua_State *L, int status, lua_KContext context)
{
    struct stage *stage = check(L);

    (void)status;
    (void)context;
    stage->waiter = 0;
    if (stage->gone)
        return 0;
    if (flow_timed_out(L))
        kill(stage->init.pid, SIGKILL);
    stage->waiter = flow_running(L);
    return flow_park(L, PATIENCE, look_gone);
}

static int l_close(lua_State *L)
{
    lua_settop(L, 1);
    hang_up(check(L));
    return flow_wait(L, look_gone);
}

static int l_gc(lua_State *L)
{
    struct stage *stage = check(L);

    hang_up(stage);
    ev_child_stop(flow_loop(), &stage->init);
    for (struct child *child = stage->children; child != NULL; child = child->next)
        child->stage = NULL;
    return 0;
}

int stage_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"open", l_open},
        {NULL,   NULL  },
    };
    static const luaL_Reg methods[] = {
        {"ready", l_ready},
        {"spawn", l_spawn},
        {"close", l_close},
        {"__gc",  l_gc   },
        {NULL,    NULL   },
    };

    child_register(L);
    userdata_register(L, TYPE, methods);
    luaL_newlib(L, functions);
    return 1;
}
