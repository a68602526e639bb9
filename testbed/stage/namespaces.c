#include "testbed/stage/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t put;

    if (fd < 0)
        return -1;
    put = write(fd, text, strlen(text));
    close(fd);
    return put == (ssize_t)strlen(text) ? 0 : -1;
}

/* user_namespaces(7): an unprivileged process may map its own ids, once setgroups is denied. */
static int keep_own_ids(uid_t uid, gid_t gid)
{
    char map[64];

    if (write_file("/proc/self/setgroups", "deny") < 0 && errno != ENOENT)
        return -1;
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    if (write_file("/proc/self/uid_map", map) < 0)
        return -1;
    snprintf(map, sizeof map, "%u %u 1", gid, gid);
    return write_file("/proc/self/gid_map", map);
}

int namespaces_enter(bool outward, struct error *e)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int kinds = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | (outward ? 0 : CLONE_NEWNET);

    if (uid != 0)
        kinds |= CLONE_NEWUSER;
    if (unshare(kinds) < 0)
        return failed(e, "the kernel refuses namespaces (%s)", strerror(errno));
    if (uid != 0 && keep_own_ids(uid, gid) < 0)
        return failed(e, "cannot map user %u into a namespace (%s)", uid, strerror(errno));
    return 0;
}

int namespaces_try(bool outward, struct error *e)
{
    struct error why = {""};
    int words[2];
    pid_t pid;

    if (pipe2(words, O_CLOEXEC) < 0)
        return failed(e, "cannot make a pipe (%s)", strerror(errno));
    pid = fork();
    if (pid == 0) {
        if (namespaces_enter(outward, &why) < 0)
            (void)!write(words[1], why.text, strlen(why.text));
        _exit(0);
    }
    close(words[1]);
    if (pid < 0)
        failed(&why, "cannot fork (%s)", strerror(errno));
    else if (read(words[0], why.text, sizeof why.text - 1) < 0)
        failed(&why, "cannot read a pipe (%s)", strerror(errno));
    close(words[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return why.text[0] == '\0' ? 0 : failed(e, "%s", why.text);
}

static int loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), status;

    if (fd < 0)
        return -1;
    status = ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
    return status;
}

/* Keeps the first failure: the later ones often only follow from it. */
static void note(struct error *e, int status, const char *what)
{
    if (status < 0 && e->text[0] == '\0')
        failed(e, "%s (%s)", what, strerror(errno));
}

/* `pair` is "PATH=FILE": what is read at PATH is FILE. */
static int show(const char *pair)
{
    const char *file = strchr(pair, '=');
    char path[PATH_MAX];

    if (file == NULL || (size_t)(file - pair) >= sizeof path) {
        errno = EINVAL;
        return -1;
    }
    snprintf(path, sizeof path, "%.*s", (int)(file - pair), pair);
    return mount(file + 1, path, NULL, MS_BIND, NULL);
}

int namespaces_furnish(bool outward, const struct option_list *shown, struct error *e)
{
    struct error first = {""};

    note(&first, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "cannot make mounts private");
    note(&first, mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
         "cannot mount /proc");
    for (size_t i = 0; i < shown->count; i++)
        note(&first, show(shown->items[i]), "cannot mount a file of the stage's own");
    if (!outward) {
        note(&first, loopback_up(), "cannot bring loopback up");
        note(&first, write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"),
             "cannot open low ports");
    }
    return first.text[0] == '\0' ? 0 : failed(e, "%s", first.text);
}
