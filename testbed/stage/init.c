/* stage-init -- the first process of a stage, and the end of everything on it.
 *
 *     stage-init [--outward] [--show PATH=FILE]  with a socket as descriptor 3 (protocol.h)
 *
 * It starts what the orchestrator asks for, reports how each child ended, and dies when the
 * orchestrator does.  As PID 1 of its own namespace its death is the kernel's order to kill
 * whatever is left, daemons included; where there are no namespaces it is the subreaper
 * of all it started, and hunts them down itself.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testbed/stage/namespaces.h"
#include "testbed/stage/protocol.h"
#include "testbed/wire/options.h"
#include "testbed/wire/status.h"
#include "testbed/wire/streams.h"

#define CHILDREN_MAX  1024
#define ARGUMENTS_MAX 1024

struct arguments {
    bool outward;
    struct option_list shown;
};

#define AT(field) offsetof(struct arguments, field)

/* clang-format off */
static const struct option_row option_rows[] = {
    {"outward", NULL,        "keep the machine's network",                 OPTION_FLAG, AT(outward)},
    {"show",    "PATH=FILE", "what is read at PATH inside (may repeat)",   OPTION_LIST, AT(shown)},
    {0},
};
/* clang-format on */

static struct {
    pid_t pid; /* 0: free */
    uint32_t id;
} children[CHILDREN_MAX];

static void say(enum stage_verb verb, uint32_t id, int32_t number, const char *text)
{
    struct stage_message head = {.verb = verb, .id = id, .number = number};
    struct iovec parts[2] = {
        {&head,                   sizeof head },
        {(void *)(uintptr_t)text, strlen(text)}
    };
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};

    head.length = (uint32_t)parts[1].iov_len;
    (void)!sendmsg(STAGE_FD, &packet, MSG_NOSIGNAL);
}

/* --- one child -------------------------------------------------------------------------------- */

struct order {
    char *dir;
    char *arguments[ARGUMENTS_MAX + 1];
    char *environment[ARGUMENTS_MAX + 1];
    int stdio[3];
};

/* Takes the NUL-terminated strings of a SPAWN apart; the text is edited in place. */
static int order_parse(char *text, size_t length, struct order *order)
{
    char *at = text, *end = text + length;
    char *words[2 * ARGUMENTS_MAX + 2];
    size_t count = 0, argc;

    while (at < end && count < 2 * ARGUMENTS_MAX + 2) {
        words[count++] = at;
        at += strnlen(at, (size_t)(end - at)) + 1;
    }
    if (count < 3 || length == 0 || text[length - 1] != '\0')
        return -1;
    argc = strtoul(words[1], NULL, 10);
    if (argc < 1 || argc > ARGUMENTS_MAX || argc > count - 2 || count - 2 - argc > ARGUMENTS_MAX)
        return -1;
    order->dir = words[0];
    memcpy(order->arguments, words + 2, argc * sizeof words[0]);
    order->arguments[argc] = NULL;
    memcpy(order->environment, words + 2 + argc, (count - 2 - argc) * sizeof words[0]);
    order->environment[count - 2 - argc] = NULL;
    return 0;
}

static void become(const struct order *order, int trouble)
{
    sigset_t none;
    int error;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    for (int fd = 0; fd < 3; fd++)
        dup2(order->stdio[fd], fd);
    environ = (char **)(uintptr_t)order->environment; /* its own PATH decides what a name means */
    if (order->dir[0] == '\0' || chdir(order->dir) == 0)
        execvp(order->arguments[0], order->arguments);
    error = errno;
    (void)!write(trouble, &error, sizeof error);
    _exit(STATUS_NOT_FOUND);
}

static int free_slot(void)
{
    for (int i = 0; i < CHILDREN_MAX; i++)
        if (children[i].pid == 0)
            return i;
    return -1;
}

static void spawn(uint32_t id, const struct order *order)
{
    int trouble[2], error = 0, slot = free_slot();
    char why[512];
    pid_t pid;

    if (slot < 0 || pipe2(trouble, O_CLOEXEC) < 0) {
        say(STAGE_EXITED, id, -1, "too many processes on this stage");
        return;
    }
    pid = fork();
    if (pid == 0)
        become(order, trouble[1]);
    close(trouble[1]);
    if (pid < 0)
        error = errno;
    else if (read(trouble[0], &error, sizeof error) == sizeof error)
        waitpid(pid, NULL, 0);
    close(trouble[0]);
    if (error != 0) {
        snprintf(why, sizeof why, "%.300s: cannot start: %s", order->arguments[0], strerror(error));
        say(STAGE_EXITED, id, -1, why);
        return;
    }
    children[slot].pid = pid;
    children[slot].id = id;
    say(STAGE_STARTED, id, pid, "");
}

static void signal_child(uint32_t id, int number)
{
    for (int i = 0; i < CHILDREN_MAX; i++)
        if (children[i].pid != 0 && children[i].id == id)
            kill(children[i].pid, number);
}

static void reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < CHILDREN_MAX; i++)
            if (children[i].pid == pid) {
                children[i].pid = 0;
                say(STAGE_EXITED, children[i].id, status, "");
            }
}

/* --- the conversation --------------------------------------------------------------------------- */

/* One packet; the descriptors that came with it, or -1 each.  0 when the socket closed. */
static ssize_t hear(struct stage_message *head, char *text, int stdio[3])
{
    struct iovec parts[2] = {
        {head, sizeof *head      },
        {text, STAGE_MESSAGE_TEXT}
    };
    union {
        char bytes[CMSG_SPACE(3 * sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct msghdr packet = {.msg_iov = parts,
                            .msg_iovlen = 2,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    ssize_t got = recvmsg(STAGE_FD, &packet, MSG_CMSG_CLOEXEC);
    struct cmsghdr *rights = got > 0 ? CMSG_FIRSTHDR(&packet) : NULL;

    stdio[0] = stdio[1] = stdio[2] = -1;
    if (rights != NULL && rights->cmsg_type == SCM_RIGHTS &&
        rights->cmsg_len == CMSG_LEN(3 * sizeof(int)))
        memcpy(stdio, CMSG_DATA(rights), 3 * sizeof(int));
    return got;
}

static void obey(struct stage_message *head, char *text, size_t length, const int stdio[3])
{
    static struct order order;

    if (head->verb == STAGE_SIGNAL)
        signal_child(head->id, head->number);
    if (head->verb != STAGE_SPAWN)
        return;
    memcpy(order.stdio, stdio, sizeof order.stdio);
    if (stdio[2] < 0 || order_parse(text, length, &order) < 0)
        say(STAGE_EXITED, head->id, -1, "malformed order");
    else
        spawn(head->id, &order);
    for (int i = 0; i < 3; i++)
        if (stdio[i] >= 0)
            close(stdio[i]);
}

static void serve(int signals)
{
    static char text[STAGE_MESSAGE_TEXT];
    struct pollfd wait[2] = {
        {.fd = STAGE_FD, .events = POLLIN},
        {.fd = signals,  .events = POLLIN}
    };

    for (;;) {
        struct signalfd_siginfo news;
        struct stage_message head;
        int stdio[3];
        ssize_t got;

        if (poll(wait, 2, -1) < 0)
            continue;
        if (wait[1].revents != 0 && read(signals, &news, sizeof news) == sizeof news) {
            reap();
            if (news.ssi_signo == SIGTERM)
                return;
        }
        if (wait[0].revents == 0)
            continue;
        got = hear(&head, text, stdio);
        if (got < (ssize_t)sizeof head)
            return;
        obey(&head, text, (size_t)got - sizeof head, stdio);
    }
}

/* --- the end ------------------------------------------------------------------------------------ */

static pid_t parent_of(const char *pid)
{
    char path[300], line[512], *paren;
    pid_t parent = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    /* proc(5): "pid (name) state ppid ..."; the name may hold anything, so count from its end */
    if (fgets(line, sizeof line, file) != NULL && (paren = strrchr(line, ')')) != NULL &&
        strlen(paren) > 4)
        parent = (pid_t)strtol(paren + 4, NULL, 10);
    fclose(file);
    return parent;
}

/* As subreaper every orphan is our child sooner or later: kill children until none is left. */
static void hunt(void)
{
    while (waitpid(-1, NULL, WNOHANG) >= 0) {
        DIR *proc = opendir("/proc");
        struct dirent *entry;

        if (proc == NULL)
            return;
        while ((entry = readdir(proc)) != NULL)
            if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
                parent_of(entry->d_name) == getpid())
                kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
        closedir(proc);
        waitpid(-1, NULL, 0);
    }
}

/* Dies with its parent; the race with a parent that is dead already is closed by asking again. */
static void die_with(pid_t parent, int signal_number)
{
    prctl(PR_SET_PDEATHSIG, signal_number);
    if (getppid() != parent)
        raise(signal_number);
}

static int watch_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static int stage_with_namespaces(const struct arguments *arguments)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct error e = {""};

        /* getppid() is 0 across the namespace: the socket's end covers the race */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)namespaces_furnish(arguments->outward, &arguments->shown, &e);
        say(STAGE_READY, 0, arguments->outward ? STAGE_OUTWARD : STAGE_ISOLATED, e.text);
        serve(watch_signals());
        _exit(STATUS_DONE);
    }
    close(STAGE_FD);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    /* who has left its PID namespace makes no thread any more, as a leak check at exit would */
    _exit(STATUS_DONE);
}

static int stage_without(const char *why)
{
    int signals = watch_signals();

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    say(STAGE_READY, 0, STAGE_SHARED, why);
    serve(signals);
    hunt();
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct option_list rest = {0};
    struct error e;
    pid_t parent = getppid();
    const char *refuse = getenv("REHEARSE_NO_NAMESPACES");

    streams_fill();
    if (options_parse(option_rows, argc, argv, &arguments, &rest, &e) < 0) {
        fprintf(stderr, "stage-init: %s\n", e.text);
        return STATUS_USAGE;
    }
    if (rest.count > 0) {
        fprintf(stderr, "stage-init: unexpected '%s'; every value has its option\n", rest.items[0]);
        return STATUS_USAGE;
    }
    fcntl(STAGE_FD, F_SETFD, FD_CLOEXEC);
    setsid(); /* Ctrl-C at a terminal is for the orchestrator alone */
    if (refuse != NULL && refuse[0] != '\0') {
        die_with(parent, SIGTERM);
        return stage_without("REHEARSE_NO_NAMESPACES is set");
    }
    if (namespaces_try(arguments.outward, &e) < 0) {
        die_with(parent, SIGTERM);
        return stage_without(e.text);
    }
    die_with(parent, SIGKILL);
    if (namespaces_enter(arguments.outward, &e) < 0) {
        fprintf(stderr, "stage-init: %s\n", e.text);
        return STATUS_ENVIRONMENT;
    }
    return stage_with_namespaces(&arguments);
}
