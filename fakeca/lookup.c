#include "fakeca/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fakeca/lookup_stream.h"

#define QUESTIONS_MOST 2
#define AGAIN_SECONDS  2.
#define ADDRESSES      offsetof(struct found, texts) /* what is found without texts */
#define TRUNCATED      2                             /* TC, in the third octet */

struct question {
    struct lookup *lookup;
    unsigned type, id;
    struct lookup_stream *stream; /* where it is asked over TCP */
    bool answered;
};

struct lookup {
    struct ev_loop *loop;
    void (*done)(void *context, const struct found *found);
    void *context;
    const struct resolver *resolver;
    enum lookup_kind kind;
    char name[256];
    int fd;      /* to the resolver, or from the child */
    pid_t child; /* 0: a resolver is asked */
    struct question questions[QUESTIONS_MOST];
    size_t count;
    ev_io io;
    ev_timer again, limit;
    struct found found;
};

static void stop(struct lookup *lookup)
{
    ev_io_stop(lookup->loop, &lookup->io);
    ev_timer_stop(lookup->loop, &lookup->again);
    ev_timer_stop(lookup->loop, &lookup->limit);
    for (size_t i = 0; i < lookup->count; i++)
        lookup_stream_cancel(lookup->questions[i].stream);
    if (lookup->child > 0) {
        kill(lookup->child, SIGKILL);
        while (waitpid(lookup->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (lookup->fd >= 0)
        close(lookup->fd);
}

void lookup_cancel(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    stop(lookup);
    free(lookup);
}

/* IPv6 goes first, as it does in Boulder: the answers come in any order. */
static void put_in_order(struct found *found)
{
    struct sockaddr_storage in_order[FOUND_MOST];
    size_t next = 0;

    for (int six = 1; six >= 0; six--)
        for (size_t i = 0; i < found->count; i++)
            if ((found->addresses[i].ss_family == AF_INET6) == six)
                in_order[next++] = found->addresses[i];
    memcpy(found->addresses, in_order, next * sizeof in_order[0]);
}

static void finish(struct lookup *lookup)
{
    struct found *found = &lookup->found;

    if (found->count == 0 && found->why[0] == '\0')
        snprintf(found->why, sizeof found->why, "no such records");
    if (lookup->kind == LOOKUP_ADDRESSES)
        put_in_order(found);
    stop(lookup);
    lookup->done(lookup->context, found);
    free(lookup);
}

/* --- a resolver --------------------------------------------------------------------------------- */

static ssize_t write_question(const struct question *question, unsigned char packet[512])
{
    const struct lookup *lookup = question->lookup;

    return question_write(lookup->name, question->type, question->id,
                          lookup->resolver->trust != NULL, packet);
}

static void ask(struct lookup *lookup)
{
    unsigned char packet[512];

    for (size_t i = 0; i < lookup->count; i++) {
        const struct question *question = &lookup->questions[i];
        ssize_t length = write_question(question, packet);

        /* a datagram that the system refuses is one that got lost */
        if (!question->answered && question->stream == NULL && length > 0)
            (void)!send(lookup->fd, packet, (size_t)length, MSG_NOSIGNAL);
    }
}

static bool all_answered(const struct lookup *lookup)
{
    for (size_t i = 0; i < lookup->count; i++)
        if (!lookup->questions[i].answered)
            return false;
    return true;
}

static void take_reply(struct question *question, const unsigned char *packet, size_t length)
{
    const struct lookup *lookup = question->lookup;
    struct found *found = &question->lookup->found;

    if (lookup->resolver->trust != NULL &&
        dns_trust_check(lookup->resolver->trust, packet, length, lookup->name, question->type,
                        found->why) < 0)
        found->failed = true;
    else
        reply_read(packet, length, question->type, question->id, found);
    question->answered = true;
}

static void on_stream(void *context, const unsigned char *reply, size_t length)
{
    struct question *question = context;

    question->stream = NULL;
    take_reply(question, reply, length);
    if (all_answered(question->lookup))
        finish(question->lookup);
}

/* What did not fit into a datagram is asked for again, over TCP. */
static bool ask_by_stream(struct question *question)
{
    struct lookup *lookup = question->lookup;
    unsigned char packet[512];
    ssize_t length = write_question(question, packet);
    struct error unused;

    if (length > 0)
        question->stream = lookup_stream_ask(lookup->loop, &lookup->resolver->address, packet,
                                             (size_t)length, on_stream, question, &unused);
    return question->stream != NULL;
}

static void on_reply(struct ev_loop *loop, ev_io *io, int events)
{
    struct lookup *lookup = io->data;
    unsigned char packet[4096];
    ssize_t length = recv(lookup->fd, packet, sizeof packet, 0);

    (void)loop;
    (void)events;
    if (length < 3)
        return;
    for (size_t i = 0; i < lookup->count; i++) {
        struct question *question = &lookup->questions[i];
        bool truncated = (packet[2] & TRUNCATED) != 0;

        if (question->answered || question->stream != NULL ||
            question->id != ((unsigned)packet[0] << 8 | packet[1]) ||
            (truncated && ask_by_stream(question)))
            continue;
        take_reply(question, packet, (size_t)length);
        lookup->found.failed = lookup->found.failed || truncated;
    }
    if (all_answered(lookup))
        finish(lookup);
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    ask(timer->data);
}

static int begin_asking(struct lookup *lookup, const struct resolver *resolver,
                        enum lookup_kind kind, struct error *e)
{
    static const unsigned types[][QUESTIONS_MOST] = {
        [LOOKUP_ADDRESSES] = {1,   28},
        [LOOKUP_TEXTS] = {16,  0 },
        [LOOKUP_CAA] = {257, 0 },
    };
    unsigned char random[2 * QUESTIONS_MOST], probe[512];

    if (question_write(lookup->name, 1, 0, false, probe) < 0)
        return failed(e, "'%s' cannot be asked for", lookup->name);
    lookup->fd = resolver_connect(&resolver->address, SOCK_DGRAM, e);
    if (lookup->fd < 0)
        return -1;
    if (RAND_bytes(random, sizeof random) != 1)
        return failed(e, "no random numbers");
    random[0] = (unsigned char)((random[2] ^ 1) & 0xff); /* never the same number twice */
    for (size_t i = 0; i < QUESTIONS_MOST && types[kind][i] != 0; i++)
        lookup->questions[lookup->count++] =
            (struct question){.lookup = lookup,
                              .type = types[kind][i],
                              .id = (unsigned)random[2 * i] << 8 | random[2 * i + 1]};
    ev_io_init(&lookup->io, on_reply, lookup->fd, EV_READ);
    ask(lookup);
    ev_timer_init(&lookup->again, on_again, AGAIN_SECONDS, AGAIN_SECONDS);
    lookup->again.data = lookup;
    ev_timer_start(lookup->loop, &lookup->again);
    return 0;
}

/* --- this machine ------------------------------------------------------------------------------- */

static _Noreturn void look_up_here(const char *name, int to)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    struct found found = {0};
    int why = getaddrinfo(name, NULL, &hints, &all);

    if (why != 0)
        snprintf(found.why, sizeof found.why, "%s", gai_strerror(why));
    for (struct addrinfo *at = all; at != NULL && found.count < FOUND_MOST; at = at->ai_next)
        memcpy(&found.addresses[found.count++], at->ai_addr, at->ai_addrlen);
    /* at most a page, which a pipe takes whole */
    _exit(write(to, &found, ADDRESSES) == (ssize_t)ADDRESSES ? 0 : 1);
}

static void on_child(struct ev_loop *loop, ev_io *io, int events)
{
    struct lookup *lookup = io->data;
    struct found found;

    (void)loop;
    (void)events;
    if (read(lookup->fd, &found, ADDRESSES) == (ssize_t)ADDRESSES)
        memcpy(&lookup->found, &found, ADDRESSES);
    else
        snprintf(lookup->found.why, sizeof lookup->found.why, "the look-up broke off");
    finish(lookup);
}

static int begin_here(struct lookup *lookup, enum lookup_kind kind, struct error *e)
{
    int ends[2];

    if (kind != LOOKUP_ADDRESSES)
        return failed(e, "texts can be asked of a resolver only");
    if (pipe2(ends, O_CLOEXEC) < 0)
        return failed(e, "cannot make a pipe: %s", strerror(errno));
    lookup->child = fork();
    if (lookup->child == 0)
        look_up_here(lookup->name, ends[1]);
    close(ends[1]);
    lookup->fd = ends[0];
    if (lookup->child < 0) {
        lookup->child = 0;
        return failed(e, "cannot start a look-up: %s", strerror(errno));
    }
    ev_io_init(&lookup->io, on_child, lookup->fd, EV_READ);
    return 0;
}

/* --- either ------------------------------------------------------------------------------------- */

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct lookup *lookup = timer->data;

    (void)loop;
    (void)events;
    snprintf(lookup->found.why, sizeof lookup->found.why, "no answer in %.0f s", LOOKUP_SECONDS);
    lookup->found.failed = true;
    finish(lookup);
}

struct lookup *lookup_start(struct ev_loop *loop, const struct resolver *resolver, const char *name,
                            enum lookup_kind kind,
                            void (*done)(void *context, const struct found *found), void *context,
                            struct error *e)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);

    if (lookup == NULL)
        return failed(e, "out of memory"), NULL;
    lookup->loop = loop;
    lookup->done = done;
    lookup->context = context;
    lookup->resolver = resolver;
    lookup->kind = kind;
    lookup->fd = -1;
    snprintf(lookup->name, sizeof lookup->name, "%s", name);
    if ((resolver != NULL ? begin_asking(lookup, resolver, kind, e) : begin_here(lookup, kind, e)) <
        0) {
        lookup_cancel(lookup);
        return NULL;
    }
    lookup->io.data = lookup->limit.data = lookup;
    ev_io_start(loop, &lookup->io);
    ev_timer_init(&lookup->limit, on_limit, LOOKUP_SECONDS, 0.);
    lookup->limit.data = lookup;
    ev_timer_start(loop, &lookup->limit);
    return lookup;
}

bool lookup_literal(const char *name, struct sockaddr_storage *out)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *at = NULL;

    if (getaddrinfo(name, NULL, &hints, &at) != 0)
        return false;
    memset(out, 0, sizeof *out);
    memcpy(out, at->ai_addr, at->ai_addrlen);
    freeaddrinfo(at);
    return true;
}
