#include "testbed/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <lauxlib.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faketime/clock.h"
#include "testbed/calendar.h"
#include "testbed/flow.h"
#include "testbed/paths.h"
#include "testbed/userdata.h"
#include "testbed/wire/address.h"
#include "testbed/wire/file.h"
#include "testbed/wire/moment.h"
#include "testbed/wire/nearest.h"
#include "testbed/wire/status.h"

#define APPENDED "testbed.append"

static int told(lua_State *L, const struct error *e)
{
    lua_pushnil(L);
    lua_pushstring(L, e->text);
    return 2;
}

static int told_errno(lua_State *L, const char *what)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", what, strerror(errno));
    return 2;
}

static int done(lua_State *L)
{
    lua_pushboolean(L, 1);
    return 1;
}

/* --- words ------------------------------------------------------------------------------------ */

static int l_duration(lua_State *L)
{
    int64_t nanoseconds;
    struct error e;

    if (duration_parse(luaL_checkstring(L, 1), &nanoseconds, &e) < 0)
        return told(L, &e);
    lua_pushnumber(L, (double)nanoseconds / (double)NANOSECONDS);
    return 1;
}

static int l_moment(lua_State *L)
{
    int64_t seconds;
    struct error e;

    if (moment_parse(luaL_checkstring(L, 1), (int64_t)luaL_checknumber(L, 2), &seconds, &e) < 0)
        return told(L, &e);
    lua_pushinteger(L, seconds);
    return 1;
}

static int l_show_duration(lua_State *L)
{
    char text[DURATION_TEXT];

    duration_format(llround(luaL_checknumber(L, 1) * (double)NANOSECONDS), text);
    lua_pushstring(L, text);
    return 1;
}

static int l_show_moment(lua_State *L)
{
    char text[MOMENT_TEXT];

    moment_format((int64_t)floor(luaL_checknumber(L, 1)), text);
    lua_pushstring(L, text);
    return 1;
}

static int l_nearest(lua_State *L)
{
    const char *word = luaL_checkstring(L, 1);
    const char *candidates[256];
    size_t count = 0;

    luaL_checktype(L, 2, LUA_TTABLE);
    while (count < 256 && lua_rawgeti(L, 2, (lua_Integer)count + 1) == LUA_TSTRING) {
        candidates[count++] = lua_tostring(L, -1);
        lua_pop(L, 1); /* the table keeps it alive */
    }
    lua_pushstring(L, nearest(word, candidates, count));
    return 1;
}

static int l_address(lua_State *L)
{
    struct address address;
    struct error e;

    if (address_parse(luaL_checkstring(L, 1), &address, &e) < 0)
        return told(L, &e);
    lua_pushstring(L, address.host);
    lua_pushstring(L, address.port);
    lua_pushboolean(L, address_is_loopback(&address));
    return 3;
}

/* --- files -------------------------------------------------------------------------------------- */

static int l_make_directory(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    mode_t mode = (mode_t)luaL_checkinteger(L, 2);

    if (mkdir(path, mode) < 0 || chmod(path, mode) < 0)
        return told_errno(L, path);
    return done(L);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static int l_remove_tree(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);

    if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0)
        return told_errno(L, path);
    return done(L);
}

static int l_read(lua_State *L)
{
    size_t length;
    struct error e;
    unsigned char *bytes = file_whole(luaL_checkstring(L, 1), &length, &e);

    if (bytes == NULL)
        return told(L, &e);
    lua_pushlstring(L, (const char *)bytes, length);
    free(bytes);
    return 1;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, bytes, length);

        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            bytes += put;
            length -= (size_t)put;
        }
    }
    return true;
}

static int l_write(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    mode_t mode = (mode_t)luaL_optinteger(L, 3, 0644);
    const char *fresh = lua_pushfstring(L, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    bool good;

    if (fd < 0)
        return told_errno(L, path);
    good = fchmod(fd, mode) == 0 && write_all(fd, bytes, length);
    good = close(fd) == 0 && good && rename(fresh, path) == 0;
    return good ? done(L) : told_errno(L, path);
}

static int l_link(lua_State *L)
{
    const char *to = luaL_checkstring(L, 1);
    const char *path = luaL_checkstring(L, 2);
    const char *fresh = lua_pushfstring(L, "%s.new", path);

    if (symlink(to, fresh) < 0 || rename(fresh, path) < 0)
        return told_errno(L, path);
    return done(L);
}

/* Empties a file, for this process alone to write; what is no file is as it is. */
static bool take_over(int fd)
{
    struct stat about;

    if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode))
        return true;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, 0) == 0;
}

/* Without waiting for somebody who reads, where it is a FIFO. */
static int open_appended(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);

    if (fd < 0 || (fcntl(fd, F_SETFL, O_APPEND) == 0 && take_over(fd)))
        return fd;
    close(fd);
    return -1;
}

static int l_append(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int fd = open_appended(path);
    int *file;

    if (fd < 0) {
        const char *why = errno == EWOULDBLOCK ? "another process is writing it"
                          : errno == ENXIO     ? "nobody reads from it"
                                               : strerror(errno);
        lua_pushnil(L);
        lua_pushfstring(L, "%s: %s", path, why);
        return 2;
    }
    file = lua_newuserdatauv(L, sizeof *file, 1);
    *file = fd;
    luaL_setmetatable(L, APPENDED);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

static int appended_write(lua_State *L)
{
    int *file = luaL_checkudata(L, 1, APPENDED);
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);

    if (write_all(*file, bytes, length))
        return 0;
    lua_getiuservalue(L, 1, 1);
    return luaL_error(L, "%s: cannot write: %s", lua_tostring(L, -1), strerror(errno));
}

static int appended_gc(lua_State *L)
{
    int *file = luaL_checkudata(L, 1, APPENDED);

    close(*file);
    return 0;
}

static int l_lock(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return told_errno(L, path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        const char *why = errno == EWOULDBLOCK ? "another process has locked it" : strerror(errno);

        close(fd);
        lua_pushnil(L);
        lua_pushfstring(L, "%s: %s", path, why);
        return 2;
    }
    return done(L); /* the descriptor, and the lock with it, lives until exit */
}

/* --- machine ------------------------------------------------------------------------------------ */

static int l_free_port(lua_State *L)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                 getsockname(fd, (struct sockaddr *)&address, &length) == 0;

    if (fd >= 0)
        close(fd);
    if (!found)
        return told_errno(L, "no free port on 127.0.0.1");
    lua_pushinteger(L, ntohs(address.sin_port));
    return 1;
}

static int l_is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

static int l_columns(lua_State *L)
{
    struct winsize size;
    bool known = ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;

    lua_pushinteger(L, known ? size.ws_col : 80);
    return 1;
}

static int l_pid(lua_State *L)
{
    lua_pushinteger(L, getpid());
    return 1;
}

static int l_uid(lua_State *L)
{
    lua_pushinteger(L, geteuid());
    return 1;
}

static ev_signal endings[3];
static int last_signal;
static flow_id signal_waiter;

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop;
    (void)events;
    if (last_signal != 0)
        _exit(STATUS_SIGNALLED + watcher->signum); /* asked twice: stages die with us */
    last_signal = watcher->signum;
    flow_wake(signal_waiter);
}

static int look_signal(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    if (last_signal == 0) {
        signal_waiter = flow_running(L);
        return flow_park(L, -1, look_signal);
    }
    lua_pushinteger(L, last_signal);
    return 1;
}

static int l_next_signal(lua_State *L)
{
    return flow_wait(L, look_signal);
}

/* Ctrl-C, `kill`, and a terminal that goes away. */
static void watch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        ev_signal_init(&endings[i], on_signal, numbers[i]);
        ev_signal_start(flow_loop(), &endings[i]);
        ev_unref(flow_loop()); /* waiting for Ctrl-C is no reason to stay */
    }
}

int host_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"duration",       l_duration      },
        {"moment",         l_moment        },
        {"show_duration",  l_show_duration },
        {"show_moment",    l_show_moment   },
        {"nearest",        l_nearest       },
        {"address",        l_address       },
        {"make_directory", l_make_directory},
        {"remove_tree",    l_remove_tree   },
        {"kind_of",        paths_kind      },
        {"files_below",    paths_below     },
        {"read",           l_read          },
        {"write",          l_write         },
        {"link",           l_link          },
        {"append",         l_append        },
        {"lock",           l_lock          },
        {"free_port",      l_free_port     },
        {"is_terminal",    l_is_terminal   },
        {"columns",        l_columns       },
        {"pid",            l_pid           },
        {"uid",            l_uid           },
        {"next_signal",    l_next_signal   },
        {"clock",          calendar_create },
        {NULL,             NULL            },
    };
    static const luaL_Reg appended[] = {
        {"write", appended_write},
        {"__gc",  appended_gc   },
        {NULL,    NULL          },
    };

    calendar_register(L);
    userdata_register(L, APPENDED, appended);
    watch_signals();
    luaL_newlib(L, functions);
    lua_pushnumber(L, CLOCK_FASTEST);
    lua_setfield(L, -2, "FASTEST");
    return 1;
}
