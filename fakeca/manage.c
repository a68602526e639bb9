#include "fakeca/manage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fakeca/dns_keep.h"
#include "fakeca/eab.h"
#include "fakeca/manage_authority.h"
#include "testbed/wire/lines.h"
#include "testbed/wire/moment.h"
#include "testbed/wire/status.h"

struct manager { /* one who is connected */
    struct manage *manage;
    struct manager *next, *previous;
    int fd;
    ev_io io;
    struct lines lines;
    struct outbox outbox;
};

/* --- verbs -------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *request, const char *name)
{
    return json_string_value(json_object_get(request, name));
}

static int need(const json_t *request, const char *name, const char **out, struct error *e)
{
    *out = text_of(request, name);
    return *out != NULL ? 0 : failed(e, "expected \"%s\", a text", name);
}

static void change(const struct manage *manage)
{
    if (manage->changed != NULL)
        manage->changed(manage->context);
}

/* What a fault of that name needs beside its being armed. */
static int prepare(const struct manage *manage, const char *name, struct error *e)
{
    const struct serve_fault *fault = name == NULL ? NULL : serve_fault_named(name, e);

    if (fault == NULL || fault->dns == NULL || !fault->dns->swallows || manage->swallow == NULL)
        return 0;
    return manage->swallow(manage->context, e) < 0 ? failed_in(e, name) : 0;
}

/* What is over before it begins would never fire. */
static int check_end(const struct manage *manage, const json_t *request, struct error *e)
{
    const json_t *until = json_object_get(request, "until");
    int64_t now = manage->plain->now(manage->plain->context);
    char text[MOMENT_TEXT];

    if (!json_is_integer(until) || json_integer_value(until) > now)
        return 0;
    moment_format(now, text);
    return failed(e, "\"until\" is over already: it is %s on its calendar", text);
}

static int do_arm(struct manage *manage, const json_t *request, json_t *answer, struct error *e)
{
    int64_t number = check_end(manage, request, e);

    if (number == 0)
        number = prepare(manage, text_of(request, "fault"), e);
    if (number == 0)
        number = misbehaviour_arm(manage->misbehaviour, request, e);
    change(manage);
    return number < 0 ? -1 : json_object_set_new(answer, "number", json_integer(number));
}

static int do_disarm(struct manage *manage, const json_t *request, json_t *answer, struct error *e)
{
    bool all = json_is_true(json_object_get(request, "all"));
    const char *name = NULL;
    int count;

    if (!all && need(request, "fault", &name, e) < 0)
        return -1;
    count = misbehaviour_disarm(manage->misbehaviour, name, text_of(request, "on"), e);
    if (count < 0)
        return -1;
    change(manage);
    return json_object_set_new(answer, "disarmed", json_integer(count));
}

static int do_armed(struct manage *manage, const json_t *request, json_t *answer, struct error *e)
{
    (void)request;
    (void)e;
    json_object_set_new(answer, "armed", misbehaviour_armed(manage->misbehaviour));
    json_object_set_new(answer, "lapsed", misbehaviour_lapsed(manage->misbehaviour));
    return json_object_set_new(answer, "disarmed", misbehaviour_disarmed(manage->misbehaviour));
}

static void list_one(void *list, int64_t number, json_t *body)
{
    json_object_set_new(body, "number", json_integer(number));
    json_object_del(body, "pem");
    json_array_append(list, body);
}

static int list(struct manage *manage, const char *kind, const char *name, json_t *answer)
{
    json_t *all = json_array();

    store_each(manage->store, kind, list_one, all);
    return json_object_set_new(answer, name, all);
}

static int do_accounts(struct manage *manage, const json_t *request, json_t *answer,
                       struct error *e)
{
    (void)request;
    (void)e;
    return list(manage, "account", "accounts", answer);
}

static int do_orders(struct manage *manage, const json_t *request, json_t *answer, struct error *e)
{
    (void)request;
    (void)e;
    return list(manage, "order", "orders", answer);
}

static int do_certificates(struct manage *manage, const json_t *request, json_t *answer,
                           struct error *e)
{
    (void)request;
    (void)e;
    if (list(manage, "certificate", "certificates", answer) < 0)
        return -1;
    return mark_revoked(manage->plain, json_object_get(answer, "certificates"), e);
}

static void number_one(void *list, int64_t number, json_t *body)
{
    (void)body;
    json_array_append_new(list, json_integer(number));
}

/* One by one, in one transaction: the store must not be changed while it is gone through. */
static int forget_all(struct store *store, const char *kind, const json_t *numbers, struct error *e)
{
    size_t i;
    json_t *number;

    store_begin(store);
    json_array_foreach (numbers, i, number)
        if (store_remove(store, kind, json_integer_value(number), e) < 0) {
            store_rollback(store);
            return -1;
        }
    return store_commit(store, e);
}

static int do_forget_accounts(struct manage *manage, const json_t *request, json_t *answer,
                              struct error *e)
{
    json_t *numbers = json_array();
    int status;

    (void)request;
    store_each(manage->store, "account", number_one, numbers);
    status = forget_all(manage->store, "account", numbers, e);
    json_object_set_new(answer, "forgotten", json_integer((json_int_t)json_array_size(numbers)));
    json_decref(numbers);
    return status;
}

static int64_t perspective_of(const json_t *request)
{
    return json_integer_value(json_object_get(request, "perspective"));
}

static int do_dns_add(struct manage *manage, const json_t *request, json_t *answer, struct error *e)
{
    const char *record;

    (void)answer;
    if (need(request, "record", &record, e) < 0)
        return -1;
    return dns_views_add(manage->names, perspective_of(request), record, e) < 0
               ? -1
               : dns_keep_added(manage->store, perspective_of(request), record, e);
}

static int do_dns_remove(struct manage *manage, const json_t *request, json_t *answer,
                         struct error *e)
{
    const char *name, *type = text_of(request, "type");
    int64_t perspective = perspective_of(request);
    int count;

    if (need(request, "name", &name, e) < 0)
        return -1;
    count = dns_views_remove(manage->names, perspective, name, type, e);
    if (count < 0 || dns_keep_removed(manage->store, perspective, name, type, e) < 0)
        return -1;
    return json_object_set_new(answer, "removed", json_integer(count));
}

/* They are as they were where that cannot be kept. */
static int keep_profiles(struct manage *manage, const struct profiles *changed, const char *name,
                         struct error *e)
{
    if (profile_keep(manage->store, changed, name, e) < 0)
        return -1;
    *manage->profiles = *changed;
    return 0;
}

static int do_profile(struct manage *manage, const json_t *request, json_t *answer, struct error *e)
{
    const char *name;
    int64_t lifetime = json_integer_value(json_object_get(request, "lifetime"));
    struct profiles changed = *manage->profiles;

    (void)answer;
    return need(request, "name", &name, e) < 0 || profile_set(&changed, name, lifetime, e) < 0
               ? -1
               : keep_profiles(manage, &changed, name, e);
}

static int do_withdraw_profile(struct manage *manage, const json_t *request, json_t *answer,
                               struct error *e)
{
    const char *name;
    struct profiles changed = *manage->profiles;

    (void)answer;
    return need(request, "name", &name, e) < 0 || profile_withdraw(&changed, name, e) < 0
               ? -1
               : keep_profiles(manage, &changed, name, e);
}

static int do_revoke(struct manage *manage, const json_t *request, json_t *answer, struct error *e)
{
    return authority_take_back(manage->plain, manage->store, request, answer, e);
}

static int do_rotate_issuer(struct manage *manage, const json_t *request, json_t *answer,
                            struct error *e)
{
    (void)request;
    return authority_rotate_issuer(manage->plain, answer, e);
}

static int do_settings(struct manage *manage, const json_t *request, json_t *answer,
                       struct error *e)
{
    (void)request;
    (void)e;
    return json_object_set_new(answer, "settings", policy_describe(manage->policy));
}

/* In one transaction: all of them, or none. */
static int keep_settings(struct store *store, const json_t *settings, struct error *e)
{
    json_t *one;
    size_t i;

    store_begin(store);
    json_array_foreach (settings, i, one) {
        if (policy_keep(store, json_string_value(one), e) < 0) {
            store_rollback(store);
            return -1;
        }
    }
    return store_commit(store, e);
}

static int do_set(struct manage *manage, const json_t *request, json_t *answer, struct error *e)
{
    json_t *settings = json_object_get(request, "settings"), *one;
    struct policy policy = *manage->policy;
    size_t i;

    if (json_array_size(settings) == 0)
        return failed(e, "expected \"settings\", an array of texts like caa=on");
    json_array_foreach (settings, i, one) {
        const char *text = json_string_value(one);

        if (policy_set(&policy, text == NULL ? "" : text, e) < 0)
            return -1;
    }
    if (keep_settings(manage->store, settings, e) < 0)
        return -1;
    *manage->policy = policy;
    return do_settings(manage, request, answer, e);
}

static int do_eab_add(struct manage *manage, const json_t *request, json_t *answer, struct error *e)
{
    json_t *key = eab_make(manage->store, text_of(request, "kid"), e);

    if (key == NULL)
        return -1;
    json_object_update(answer, key);
    json_decref(key);
    return 0;
}

static int do_eab_keys(struct manage *manage, const json_t *request, json_t *answer,
                       struct error *e)
{
    (void)request;
    (void)e;
    return json_object_set_new(answer, "keys", eab_list(manage->store));
}

static int do_unpause(struct manage *manage, const json_t *request, json_t *answer, struct error *e)
{
    json_t *account = json_object_get(request, "account");
    int count = json_is_integer(account)
                    ? limit_unpause(manage->store, json_integer_value(account), e)
                    : failed(e, "expected \"account\", a number");

    return count < 0 ? -1 : json_object_set_new(answer, "unpaused", json_integer(count));
}

static const struct {
    const char *name;
    int (*run)(struct manage *manage, const json_t *request, json_t *answer, struct error *e);
} verbs[] = {
    {"arm",              do_arm             },
    {"disarm",           do_disarm          },
    {"armed",            do_armed           },
    {"accounts",         do_accounts        },
    {"orders",           do_orders          },
    {"certificates",     do_certificates    },
    {"forget-accounts",  do_forget_accounts },
    {"profile",          do_profile         },
    {"withdraw-profile", do_withdraw_profile},
    {"revoke",           do_revoke          },
    {"rotate-issuer",    do_rotate_issuer   },
    {"settings",         do_settings        },
    {"set",              do_set             },
    {"eab-add",          do_eab_add         },
    {"eab-keys",         do_eab_keys        },
    {"unpause",          do_unpause         },
    {"dns-add",          do_dns_add         },
    {"dns-remove",       do_dns_remove      },
};

/* What is answered to one request: to be decref'd. */
static json_t *answer_to(struct manage *manage, const json_t *request)
{
    const char *name = text_of(request, "do");
    json_t *answer = json_object();
    struct error e;

    errno = 0;
    failed(&e, "unknown verb '%s'", name == NULL ? "" : name);
    for (size_t i = 0; name != NULL && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0 && verbs[i].run(manage, request, answer, &e) == 0) {
            json_object_set_new(answer, "ok", json_true());
            return answer;
        }
    json_object_clear(answer);
    json_object_set_new(answer, "status", json_integer(status_of_errno(errno)));
    json_object_set_new(answer, "error", json_string(e.text));
    return answer;
}

/* --- connections -------------------------------------------------------------------------------- */

static void end(struct manager *manager)
{
    struct manage *manage = manager->manage;

    ev_io_stop(manage->loop, &manager->io);
    *(manager->previous == NULL ? &manage->first : &manager->previous->next) = manager->next;
    if (manager->next != NULL)
        manager->next->previous = manager->previous;
    manage->count--;
    close(manager->fd);
    lines_free(&manager->lines);
    outbox_free(&manager->outbox);
    free(manager);
}

static int answer_line(struct manager *manager, const char *line)
{
    json_t *request = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    json_t *answer = answer_to(manager->manage, request);
    char *text = json_dumps(answer, JSON_COMPACT);
    int status = text == NULL ? -1 : outbox_put(&manager->outbox, text, strlen(text));

    if (status == 0)
        status = outbox_put(&manager->outbox, "\n", 1);
    free(text);
    json_decref(answer);
    json_decref(request);
    return status;
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct manager *manager = io->data;
    ssize_t got = (events & EV_READ) != 0 ? lines_read(&manager->lines, manager->fd) : 1;
    char *line;
    int status;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        got = 1;
    while (got >= 0 && (line = lines_next(&manager->lines)) != NULL)
        if (answer_line(manager, line) < 0)
            got = -1;
    status = outbox_flush(&manager->outbox, manager->fd);
    if (got < 0 || (status < 0 && errno != EAGAIN) || (got == 0 && status == 1)) {
        end(manager);
        return;
    }
    ev_io_stop(loop, io);
    ev_io_set(io, manager->fd, (got == 0 ? 0 : EV_READ) | (status == 1 ? 0 : EV_WRITE));
    ev_io_start(loop, io);
}

static void turn_away(int fd)
{
    char line[80];
    int length =
        snprintf(line, sizeof line,
                 "{\"error\":\"%d are connected already, and more are not heard\"}\n", MANAGE_MOST);

    send(fd, line, (size_t)length, MSG_NOSIGNAL);
    close(fd);
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct manage *manage = io->data;
    int fd = accept4(manage->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct manager *manager =
        fd < 0 || manage->count == MANAGE_MOST ? NULL : calloc(1, sizeof *manager);

    (void)events;
    if (manager == NULL) {
        if (fd >= 0)
            turn_away(fd);
        return;
    }
    *manager = (struct manager){.manage = manage, .next = manage->first, .fd = fd};
    if (manage->first != NULL)
        manage->first->previous = manager;
    manage->first = manager;
    manage->count++;
    ev_io_init(&manager->io, on_io, fd, EV_READ);
    manager->io.data = manager;
    ev_io_start(loop, &manager->io);
}

/* --- opening ------------------------------------------------------------------------------------ */

static bool is_served(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool served = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;

    if (fd >= 0)
        close(fd);
    return served;
}

int manage_open(struct manage *manage, const char *directory, struct error *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t mask;

    if (snprintf(manage->path, sizeof manage->path, "%s/" MANAGE_SOCKET, directory) >=
        (int)sizeof manage->path)
        return manage->fd = -1, failed(e, "%s: the path is too long for a socket", directory);
    strcpy(address.sun_path, manage->path);
    manage->fd = -1;
    if (is_served(&address))
        return failed(e, "%s: somebody serves there already", directory);
    unlink(manage->path);
    manage->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mask = umask(0177);
    if (manage->fd < 0 || bind(manage->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(manage->fd, MANAGE_MOST) < 0) {
        umask(mask);
        failed(e, "%s: cannot listen: %s", manage->path, strerror(errno));
        if (manage->fd >= 0)
            close(manage->fd);
        return manage->fd = -1;
    }
    umask(mask);
    ev_io_init(&manage->accepting, on_accept, manage->fd, EV_READ);
    manage->accepting.data = manage;
    ev_io_start(manage->loop, &manage->accepting);
    return 0;
}

void manage_close(struct manage *manage)
{
    ev_io_stop(manage->loop, &manage->accepting);
    while (manage->first != NULL)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): end() has moved `first` on */
        end(manage->first);
    close(manage->fd);
    unlink(manage->path);
}
