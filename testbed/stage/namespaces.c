#include "testbed/stage/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
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

static void loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        fprintf(stderr, "stage-init: cannot bring loopback up: %s\n", strerror(errno));
    close(fd);
}

void namespaces_furnish(bool outward, const char *hosts)
{
    (void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    (void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    if (hosts != NULL)
        (void)mount(hosts, "/etc/hosts", NULL, MS_BIND, NULL);
    if (outward)
        return;
    loopback_up();
    (void)write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
}
