#include "clients/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clients/virtual_time.h"
#include "testbed/wire/moment.h"

#define CHUNK     16384
#define STEPS_MAX 16 /* of one connection, before the loop looks at the others */

/* What a connection is doing; each has one function, below. */
enum phase { CONNECTING, SHAKING, AWAITING, SAYING, HEARING, LISTENING, DRAINING, OVER };

struct connection {
    struct ev_loop *loop;
    struct plan *plan;
    connection_done *done;
    void *owner;
    ev_io io;
    ev_timer timer;
    ev_timer pause; /* how long the server's first word is awaited before we end our half */
    enum phase phase;
    struct addrinfo *address; /* the one being tried */
    struct stream stream;
    struct session *session;
    size_t said;
    bool on_trust; /* the handshake's last word was the client's, and nothing has come since */
    struct result result;
};

/* --- the library, on this connection's calendar ------------------------------------------- */

static const struct driver *enter(struct connection *c)
{
    virtual_time_begin(plan_now(c->plan));
    return c->plan->driver;
}

static enum step leave(enum step step)
{
    virtual_time_end();
    return step;
}

/* --- verdicts that TCP gives ---------------------------------------------------------------- */

static void blame(struct connection *c, enum outcome outcome, const char *code, const char *words)
{
    verdict_set(&c->result.verdict, outcome, DEPTH_UNKNOWN, code, words);
    c->result.by_tcp = true;
    c->result.ended = true_monotonic();
}

static void blame_tcp(struct connection *c, enum outcome outcome, int number)
{
    char code[64];

    snprintf(code, sizeof code, "%s (%d)", strerrorname_np(number), number);
    blame(c, outcome, code, strerror(number));
}

/* The library failed and could not say why in our words: what did TCP do?  Its own code and
 * words stay, for they are what its users will see. */
static void settle(struct connection *c)
{
    struct verdict *verdict = &c->result.verdict;

    if (!stream_may_be_tls(&c->stream))
        verdict->outcome = OUTCOME_NOT_TLS;
    else if (verdict->outcome != OUTCOME_OTHER)
        return;
    else if (stream_was_reset(&c->stream))
        verdict->outcome = OUTCOME_RESET;
    else if (c->stream.error == ETIMEDOUT)
        verdict->outcome = OUTCOME_TIMEOUT;
    else if (c->stream.ended)
        verdict->outcome = OUTCOME_CLOSED;
}

/* --- the phases ------------------------------------------------------------------------------ */

static enum step become(struct connection *c, enum phase phase)
{
    c->phase = phase;
    return STEP_DONE;
}

static void linger(struct connection *c)
{
    c->timer.repeat = CONNECTION_LINGER;
    ev_timer_again(c->loop, &c->timer);
}

static enum step drain(struct connection *c)
{
    shutdown(c->stream.fd, SHUT_WR);
    linger(c);
    return become(c, DRAINING);
}

static enum step listen_on(struct connection *c)
{
    enter(c)->finish(c->session);
    leave(STEP_DONE);
    shutdown(c->stream.fd, SHUT_WR);
    if (!c->on_trust)
        linger(c);
    return become(c, LISTENING);
}

/* A server that had the last word has accepted; of another the first one is awaited. */
static enum step await(struct connection *c)
{
    double half = ev_timer_remaining(c->loop, &c->timer) / 2;

    if (!c->on_trust)
        return listen_on(c);
    ev_timer_set(&c->pause, half < CONNECTION_LINGER ? half : CONNECTION_LINGER, 0);
    ev_timer_start(c->loop, &c->pause);
    return become(c, AWAITING);
}

static int try_address(struct connection *c, struct error *e);

/* The next address, or the verdict that there is none left. */
static enum step refused(struct connection *c, int number)
{
    struct error e;

    ev_io_stop(c->loop, &c->io);
    close(c->stream.fd);
    c->stream.fd = -1;
    c->address = c->address->ai_next;
    if (c->address != NULL && try_address(c, &e) == 0)
        return STEP_WANT_WRITE;
    blame_tcp(c, number == ETIMEDOUT ? OUTCOME_TIMEOUT : OUTCOME_REFUSED, number);
    return become(c, OVER);
}

static enum step connecting(struct connection *c)
{
    int number = 0;
    socklen_t size = sizeof number;
    struct error e;

    getsockopt(c->stream.fd, SOL_SOCKET, SO_ERROR, &number, &size);
    if (number == 0)
        number = c->stream.error;
    if (number != 0)
        return refused(c, number);
    c->result.connect_seconds = true_monotonic() - c->result.began;
    c->session =
        enter(c)->open(c->plan->profile, c->plan->name, &c->stream, &c->result.verdict, &e);
    leave(STEP_DONE);
    if (c->session != NULL)
        return become(c, SHAKING);
    verdict_set(&c->result.verdict, OUTCOME_OTHER, DEPTH_UNKNOWN, NULL, e.text);
    c->result.ended = true_monotonic();
    return become(c, OVER);
}

static enum step shaking(struct connection *c)
{
    int64_t now = plan_now(c->plan);
    enum step step;

    virtual_time_begin(now);
    step = leave(c->plan->driver->handshake(c->session));
    c->result.now = now / NANOSECONDS - (now % NANOSECONDS < 0);
    if (step == STEP_WANT_READ || step == STEP_WANT_WRITE)
        return step;
    c->result.ended = true_monotonic();
    c->result.handshake_seconds = c->result.ended - c->result.began - c->result.connect_seconds;
    if (step == STEP_FAILED) {
        settle(c);
        return drain(c);
    }
    c->on_trust = c->stream.unanswered;
    return c->plan->settings.say == NULL ? await(c) : become(c, SAYING);
}

static enum step saying(struct connection *c)
{
    const char *text = c->plan->settings.say;
    size_t sent = 0;
    enum step step =
        leave(enter(c)->send(c->session, text + c->said, strlen(text + c->said), &sent));

    if (step == STEP_FAILED)
        return drain(c);
    if (step != STEP_DONE)
        return step;
    c->said += sent;
    return text[c->said] == '\0' ? become(c, HEARING) : STEP_DONE;
}

/* The server has ended, and has said nothing since the client's last word.  Where we have ended our half,
 * a hang-up is how many a server answers that. */
static void blame_silence(struct connection *c)
{
    if (stream_was_reset(&c->stream))
        blame_tcp(c, OUTCOME_RESET, ECONNRESET);
    else if (c->stream.ended && c->phase != LISTENING)
        blame(c, OUTCOME_CLOSED, NULL, "the server hung up after the client's Finished");
    else
        return;
    c->on_trust = false;
}

/* Reads once more.  In TLS 1.3 the client has the last word of a handshake, and what comes only now is
 * the server's real answer: its alert (a refused client certificate), or its end before it has said
 * anything. */
static enum step receive(struct connection *c, char *bytes, size_t room, size_t *got)
{
    struct verdict *verdict = &c->result.verdict;
    int before = verdict->alert_received;
    size_t heard = c->stream.received;
    enum step step = leave(enter(c)->receive(c->session, bytes, room, got));

    c->on_trust &= c->stream.received == heard;
    if (c->on_trust && step != STEP_WANT_READ)
        blame_silence(c);
    if (step == STEP_FAILED && verdict->alert_received != before && verdict->alert_received > 0) {
        verdict->outcome = alert_outcome(verdict->alert_received, 1);
        c->result.ended = true_monotonic();
    }
    return step;
}

static enum step awaiting(struct connection *c)
{
    char scrap[1024];
    size_t got = 0;
    enum step step = receive(c, scrap, sizeof scrap, &got);

    if (step == STEP_WANT_READ && c->on_trust)
        return step;
    ev_timer_stop(c->loop, &c->pause);
    return step == STEP_FAILED ? drain(c) : listen_on(c);
}

static enum step hearing(struct connection *c)
{
    size_t got = 0;
    enum step step;

    if (c->result.heard == NULL)
        c->result.heard = malloc(HEARD_MAX);
    if (c->result.heard == NULL)
        return listen_on(c);
    step = receive(c, c->result.heard + c->result.heard_length, HEARD_MAX - c->result.heard_length,
                   &got);
    if (step == STEP_WANT_READ || step == STEP_WANT_WRITE)
        return step;
    c->result.heard_length += got;
    if (got > 0)
        linger(c); /* whoever has begun to answer and then pauses has answered */
    if (step == STEP_FAILED)
        return drain(c);
    return got == 0 || c->result.heard_length == HEARD_MAX ? listen_on(c) : STEP_DONE;
}

static enum step listening(struct connection *c)
{
    char scrap[1024];
    size_t got = 0;
    bool on_trust = c->on_trust;
    enum step step = receive(c, scrap, sizeof scrap, &got);

    if (step == STEP_FAILED)
        return drain(c);
    if (on_trust && !c->on_trust)
        linger(c);
    return step == STEP_DONE && got == 0 ? become(c, OVER) : step;
}

static enum step draining(struct connection *c)
{
    char scrap[CHUNK];
    ssize_t got = stream_receive(&c->stream, scrap, sizeof scrap);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return STEP_WANT_READ;
    return got > 0 ? STEP_DONE : become(c, OVER);
}

static enum step (*const phases[])(struct connection *) = {
    [CONNECTING] = connecting, [SHAKING] = shaking,     [AWAITING] = awaiting, [SAYING] = saying,
    [HEARING] = hearing,       [LISTENING] = listening, [DRAINING] = draining,
};

/* --- on the loop ----------------------------------------------------------------------------- */

static void discard(struct connection *c)
{
    ev_io_stop(c->loop, &c->io);
    ev_timer_stop(c->loop, &c->timer);
    ev_timer_stop(c->loop, &c->pause);
    if (c->session != NULL) {
        enter(c)->close(c->session);
        leave(STEP_DONE);
    }
    if (c->stream.fd >= 0)
        close(c->stream.fd);
    verdict_free(&c->result.verdict);
    free(c->result.heard);
    plan_drop(c->plan);
    free(c);
}

static void report(struct connection *c)
{
    c->done(c, &c->result, c->owner);
    discard(c);
}

static void watch(struct connection *c, int events)
{
    if (ev_is_active(&c->io) && c->io.fd == c->stream.fd && (c->io.events & 3) == events)
        return;
    ev_io_stop(c->loop, &c->io);
    ev_io_set(&c->io, c->stream.fd, events);
    ev_io_start(c->loop, &c->io);
}

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
    struct connection *c = io->data;
    enum step step = STEP_DONE;

    (void)events;
    for (int steps = 0; step == STEP_DONE && c->phase != OVER && steps < STEPS_MAX; steps++)
        step = phases[c->phase](c);
    if (c->phase == OVER) {
        report(c);
        return;
    }
    watch(c, step == STEP_WANT_WRITE ? EV_WRITE : EV_READ);
    if (step == STEP_DONE) /* there is more, perhaps within the library: in the next turn */
        ev_feed_event(loop, io, EV_READ);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct connection *c = timer->data;

    (void)loop;
    (void)events;
    if (c->phase == CONNECTING || c->phase == SHAKING || c->on_trust)
        blame_tcp(c, OUTCOME_TIMEOUT, ETIMEDOUT);
    report(c);
}

static void on_pause(struct ev_loop *loop, ev_timer *pause, int events)
{
    (void)loop;
    (void)events;
    listen_on(pause->data);
}

static int try_address(struct connection *c, struct error *e)
{
    static const int yes = 1;
    const struct addrinfo *to = c->address;

    c->stream.fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->stream.fd < 0)
        return failed(e, "cannot make a socket: %s", strerror(errno));
    c->stream.error = 0;
    setsockopt(c->stream.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    /* A failure shows as a writable socket with SO_ERROR, or here and now. */
    if (connect(c->stream.fd, to->ai_addr, to->ai_addrlen) < 0 && errno != EINPROGRESS)
        c->stream.error = errno;
    /* In IPv6 this is how a machine without an address says that no way leads there. */
    if (c->stream.error == EADDRNOTAVAIL && to->ai_family == AF_INET)
        return failed(e, "no local port is left to connect from");
    watch(c, EV_WRITE);
    return 0;
}

struct connection *connection_begin(struct ev_loop *loop, struct plan *plan, connection_done *done,
                                    void *owner, struct error *e)
{
    struct connection *c = calloc(1, sizeof *c);

    if (c == NULL)
        return failed(e, "out of memory"), NULL;
    *c = (struct connection){.loop = loop,
                             .plan = plan,
                             .done = done,
                             .owner = owner,
                             .address = plan->addresses,
                             .stream.fd = -1};
    ev_init(&c->io, on_ready);
    ev_timer_init(&c->timer, on_timer, 0, (double)plan->settings.timeout / 1e9);
    /* What came in time counts, however late it is looked at. */
    ev_set_priority(&c->timer, EV_MINPRI);
    ev_init(&c->pause, on_pause);
    ev_set_priority(&c->pause, EV_MINPRI);
    c->io.data = c->timer.data = c->pause.data = c;
    verdict_begin(&c->result.verdict);
    plan_keep(plan);
    c->result.began = true_monotonic();
    c->result.connect_seconds = c->result.handshake_seconds = -1;
    c->result.now = plan_now(plan) / NANOSECONDS;
    if (try_address(c, e) < 0) {
        discard(c);
        return NULL;
    }
    ev_now_update(loop); /* the timer counts from now, not from when the loop last woke */
    ev_timer_again(loop, &c->timer);
    return c;
}

void connection_abandon(struct connection *connection)
{
    discard(connection);
}
