#include "fakeca/validate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fakeca/openssl_error.h"
#include "fakeca/validate_parts.h"

const char *const challenge_names[CHALLENGES] = {
    [HTTP_01] = "http-01", [DNS_01] = "dns-01", [TLS_ALPN_01] = "tls-alpn-01"};

/* --- beginning and ending ----------------------------------------------------------------------- */

static void disconnect(struct attempt *attempt)
{
    ev_io_stop(attempt->validator->loop, &attempt->io);
    ev_timer_stop(attempt->validator->loop, &attempt->turn);
    SSL_free(attempt->ssl);
    attempt->ssl = NULL;
    if (attempt->fd >= 0)
        close(attempt->fd);
    attempt->fd = -1;
    attempt->connected = false;
    attempt->put = 0;
    attempt->got = 0;
}

static void discard(struct attempt *attempt)
{
    struct validator *validator = attempt->validator;

    disconnect(attempt);
    lookup_cancel(attempt->lookup);
    caa_cancel(attempt->caa);
    ev_timer_stop(validator->loop, &attempt->limit);
    *(attempt->previous == NULL ? &validator->first : &attempt->previous->next) = attempt->next;
    if (attempt->next != NULL)
        attempt->next->previous = attempt->previous;
    free(attempt->reply);
    free(attempt);
}

const struct resolver *attempt_resolver(const struct attempt *attempt)
{
    const struct validator *validator = attempt->validator;
    int estranged = attempt->detour.estranged;

    if (attempt->perspective > 0 && (estranged < 0 || attempt->perspective <= (size_t)estranged))
        return validator->stranger;
    return validator->resolvers[attempt->perspective];
}

static void on_caa(void *context, enum caa_verdict verdict, const char *detail)
{
    static const int problems[] = {
        [CAA_PERMITS] = VALIDATION_GOOD, [CAA_REFUSES] = CAA_FORBIDS, [CAA_SILENT] = DNS_FAILED};
    struct attempt *attempt = context;

    attempt->caa = NULL;
    attempt->may_issue = true;
    attempt_end(attempt, problems[verdict], "%s", detail);
}

/* Whether CAA is yet to be looked up, and that is under way now. */
static bool asks_caa(struct attempt *attempt)
{
    const struct policy *policy = attempt->validator->policy;
    struct caa_question question = {.wildcard = attempt->wildcard,
                                    .account = attempt->account,
                                    .method = challenge_names[attempt->challenge]};
    struct sockaddr_storage unused;
    struct error e;

    if (attempt->may_issue || policy == NULL || !policy->caa ||
        lookup_literal(attempt->identifier, &unused))
        return false;
    disconnect(attempt);
    snprintf(question.name, sizeof question.name, "%s", attempt->identifier);
    attempt->caa = caa_start(attempt->validator->loop, attempt_resolver(attempt), &question, on_caa,
                             attempt, &e);
    if (attempt->caa == NULL)
        on_caa(attempt, CAA_SILENT, e.text);
    return true;
}

void attempt_end(struct attempt *attempt, int problem, const char *format, ...)
{
    struct trial *trial = attempt->trial;
    size_t perspective = attempt->perspective;
    char what[512], detail[800];
    va_list list;

    if (problem == VALIDATION_GOOD && asks_caa(attempt))
        return;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    snprintf(detail, sizeof detail, "%s of %s: %s",
             attempt->proven ? "CAA" : challenge_names[attempt->challenge], attempt->identifier,
             what);
    discard(attempt);
    trial_judged(trial, perspective, problem, detail);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct attempt *attempt = timer->data;

    (void)loop;
    (void)events;
    attempt_end(attempt, CONNECTION_FAILED, "%s, port %u: no answer in %.0f s", attempt->at.host,
                attempt->at.port, VALIDATE_SECONDS);
}

/* --- one connection ----------------------------------------------------------------------------- */

static void on_io(struct ev_loop *loop, ev_io *io, int events);

/* Where to really connect, given what the name stands for. */
static struct sockaddr_storage destination(const struct attempt *attempt,
                                           const struct sockaddr_storage *named)
{
    const struct address *circle = attempt->validator->circle;
    struct sockaddr_storage to = *named;
    unsigned port = attempt->at.port;

    if (attempt->detour.circles && lookup_literal(circle->host, &to))
        port = (unsigned)strtoul(circle->port, NULL, 10);
    ((struct sockaddr_in *)&to)->sin_port =
        htons((uint16_t)port); /* the same place in both families */
    return to;
}

/* From where; only within 127.0.0.0/8 is there a choice. */
static int choose_source(const struct attempt *attempt, const struct sockaddr_storage *to)
{
    const struct sockaddr_in *there = (const struct sockaddr_in *)to;
    struct sockaddr_storage from;

    if (!attempt->detour.alien || to->ss_family != AF_INET ||
        ntohl(there->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET ||
        !lookup_literal(ALIEN_SOURCE, &from))
        return 0;
    return bind(attempt->fd, (const struct sockaddr *)&from, sizeof(struct sockaddr_in));
}

static int open_socket(struct attempt *attempt, const struct sockaddr_storage *named)
{
    struct sockaddr_storage to = destination(attempt, named);
    socklen_t length =
        to.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

    attempt->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (attempt->fd < 0 || choose_source(attempt, &to) < 0)
        return -1;
    return connect(attempt->fd, (struct sockaddr *)&to, length) == 0 || errno == EINPROGRESS ? 0
                                                                                             : -1;
}

/* To the next of the addresses that the name has; the last one's failure is the attempt's. */
static void try_next(struct attempt *attempt, int why)
{
    disconnect(attempt);
    while (attempt->next_address < attempt->address_count) {
        if (open_socket(attempt, &attempt->addresses[attempt->next_address++]) == 0) {
            ev_io_set(&attempt->io, attempt->fd, EV_WRITE);
            ev_io_start(attempt->validator->loop, &attempt->io);
            if (attempt->next_address < attempt->address_count)
                ev_timer_again(attempt->validator->loop, &attempt->turn);
            return;
        }
        why = errno;
        disconnect(attempt);
    }
    attempt_end(attempt, CONNECTION_FAILED, "%s, port %u: %s", attempt->at.host, attempt->at.port,
                strerror(why));
}

/* An address that keeps silent leaves time for the next. */
static void on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    try_next(timer->data, ETIMEDOUT);
}

static void on_found(void *context, const struct found *found)
{
    struct attempt *attempt = context;

    attempt->lookup = NULL;
    attempt->address_count = found->count;
    memcpy(attempt->addresses, found->addresses, sizeof attempt->addresses);
    if (found->count == 0)
        attempt_end(attempt, DNS_FAILED, "looking up %s: %s", attempt->at.host, found->why);
    else
        try_next(attempt, 0);
}

void attempt_connect(struct attempt *attempt)
{
    struct validator *validator = attempt->validator;
    struct error e;

    disconnect(attempt);
    attempt->next_address = 0;
    attempt->address_count = 1;
    if (lookup_literal(attempt->at.host, &attempt->addresses[0])) {
        try_next(attempt, 0);
        return;
    }
    attempt->lookup = lookup_start(validator->loop, attempt_resolver(attempt), attempt->at.host,
                                   LOOKUP_ADDRESSES, on_found, attempt, &e);
    if (attempt->lookup == NULL)
        attempt_end(attempt, DNS_FAILED, "%s", e.text);
}

/* Only names are told: RFC 6066 section 3. */
static int tell_name(struct attempt *attempt)
{
    struct sockaddr_storage unused;

    return lookup_literal(attempt->at.host, &unused) ||
                   SSL_set_tlsext_host_name(attempt->ssl, attempt->at.host) == 1
               ? 0
               : -1;
}

/* The connection stands: what comes first on it. */
static int greet(struct attempt *attempt)
{
    attempt->connected = true;
    ev_timer_stop(attempt->validator->loop, &attempt->turn);
    if (attempt->challenge == HTTP_01)
        http_01_ask(attempt);
    if (!attempt->at.secure)
        return 0;
    attempt->ssl = SSL_new(attempt->validator->tls);
    if (attempt->ssl == NULL || SSL_set_fd(attempt->ssl, attempt->fd) != 1)
        return -1;
    SSL_set_connect_state(attempt->ssl);
    if (attempt->challenge == TLS_ALPN_01)
        return tls_alpn_01_prepare(attempt);
    return tell_name(attempt);
}

/* libssl waits for something: 1; it failed: 0. */
static int tls_waits(struct attempt *attempt, int result)
{
    int why = SSL_get_error(attempt->ssl, result);

    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return 0;
    ev_io_stop(attempt->validator->loop, &attempt->io);
    ev_io_set(&attempt->io, attempt->fd, why == SSL_ERROR_WANT_READ ? EV_READ : EV_WRITE);
    ev_io_start(attempt->validator->loop, &attempt->io);
    return 1;
}

static void tls_ends(struct attempt *attempt)
{
    struct error e;

    openssl_failed(&e, "shake hands");
    attempt_end(attempt, TLS_FAILED, "%s, port %u: %s", attempt->at.host, attempt->at.port, e.text);
}

static void wait_for(struct attempt *attempt, int events)
{
    ev_io_stop(attempt->validator->loop, &attempt->io);
    ev_io_set(&attempt->io, attempt->fd, events);
    ev_io_start(attempt->validator->loop, &attempt->io);
}

/* Bytes moved, 0 at the end of the stream, -1 wait, -2 failed. */
static ssize_t moved(struct attempt *attempt, ssize_t count, int events)
{
    if (attempt->ssl != NULL) {
        if (count > 0)
            return count;
        if (SSL_get_error(attempt->ssl, (int)count) == SSL_ERROR_ZERO_RETURN)
            return 0;
        return tls_waits(attempt, (int)count) ? -1 : -2;
    }
    if (count >= 0)
        return count;
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        return -2;
    wait_for(attempt, events);
    return -1;
}

static ssize_t put(struct attempt *attempt)
{
    const char *from = attempt->request + attempt->put;
    size_t left = attempt->length - attempt->put;

    return moved(attempt,
                 attempt->ssl != NULL ? SSL_write(attempt->ssl, from, (int)left)
                                      : send(attempt->fd, from, left, MSG_NOSIGNAL),
                 EV_WRITE);
}

/* -1: there is no memory for more. */
static int make_room(struct attempt *attempt)
{
    size_t room = attempt->room == 0 ? REPLY_FIRST : 2 * attempt->room;
    char *more = attempt->got < attempt->room ? attempt->reply : realloc(attempt->reply, room + 1);

    if (more == NULL)
        return -1;
    if (attempt->got == attempt->room)
        attempt->room = room;
    attempt->reply = more;
    return 0;
}

static ssize_t get(struct attempt *attempt)
{
    char *to = attempt->reply + attempt->got;
    size_t room = attempt->room - attempt->got;

    return moved(attempt,
                 attempt->ssl != NULL ? SSL_read(attempt->ssl, to, (int)room)
                                      : recv(attempt->fd, to, room, 0),
                 EV_READ);
}

static void talk(struct attempt *attempt)
{
    ssize_t count;

    while (attempt->put < attempt->length) {
        count = put(attempt);
        if (count == -1)
            return;
        if (count <= 0) {
            try_next(attempt, ECONNRESET);
            return;
        }
        attempt->put += (size_t)count;
    }
    while (attempt->got < REPLY_MOST && !http_reply_whole(attempt->reply, attempt->got)) {
        count = make_room(attempt) < 0 ? -2 : get(attempt);
        if (count == -1)
            return;
        if (count < 0 && attempt->got == 0) {
            try_next(attempt, ECONNRESET);
            return;
        }
        if (count <= 0)
            break;
        attempt->got += (size_t)count;
        attempt->reply[attempt->got] = '\0';
    }
    http_01_judge(attempt);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct attempt *attempt = io->data;
    int why = 0;
    socklen_t length = sizeof why;

    (void)loop;
    (void)events;
    ERR_clear_error();
    if (!attempt->connected) {
        if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &why, &length) < 0 || why != 0) {
            try_next(attempt, why);
            return;
        }
        if (greet(attempt) < 0) {
            tls_ends(attempt);
            return;
        }
    }
    if (attempt->ssl != NULL && !SSL_is_init_finished(attempt->ssl)) {
        int result = SSL_do_handshake(attempt->ssl);

        if (result != 1) {
            if (!tls_waits(attempt, result))
                tls_ends(attempt);
            return;
        }
    }
    if (attempt->challenge == TLS_ALPN_01)
        tls_alpn_01_judge(attempt);
    else
        talk(attempt);
}

/* --- from outside ------------------------------------------------------------------------------- */

int validator_open(struct validator *validator, struct error *e)
{
    validator->tls = SSL_CTX_new(TLS_client_method());
    if (validator->tls == NULL)
        return openssl_failed(e, "make a TLS client");
    SSL_CTX_set_verify(validator->tls, SSL_VERIFY_NONE, NULL); /* as RFC 8737 section 3 has it */
    return 0;
}

static void abandon(struct attempt *attempt)
{
    struct trial *trial = attempt->trial;

    discard(attempt);
    trial_leave(trial);
}

void validator_close(struct validator *validator)
{
    while (validator->first != NULL)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): discard() has moved `first` on */
        abandon(validator->first);
    SSL_CTX_free(validator->tls);
}

static void begin(struct attempt *attempt)
{
    const struct validator *validator = attempt->validator;

    if (attempt->proven) {
        attempt_end(attempt, VALIDATION_GOOD, "good");
        return;
    }
    if (attempt->challenge == DNS_01) {
        dns_01_begin(attempt);
        return;
    }
    attempt->at.secure = attempt->challenge == TLS_ALPN_01;
    attempt->at.port = attempt->at.secure ? validator->tls_port : validator->http_port;
    snprintf(attempt->at.host, sizeof attempt->at.host, "%s", attempt->identifier);
    snprintf(attempt->at.path, sizeof attempt->at.path, "/.well-known/acme-challenge/%s",
             attempt->token);
    attempt_connect(attempt);
}

/* The first step comes from the loop: whoever asked must have finished first. */
static void on_begin(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct attempt *attempt = timer->data;

    (void)events;
    ev_timer_init(&attempt->limit, on_limit, VALIDATE_SECONDS, 0.);
    ev_timer_start(loop, &attempt->limit);
    begin(attempt);
}

static int start(struct trial *trial, size_t perspective, struct validator *validator,
                 const struct validation *validation)
{
    struct attempt *attempt = calloc(1, sizeof *attempt);

    if (attempt == NULL)
        return -1;
    attempt->validator = validator;
    attempt->trial = trial;
    attempt->perspective = perspective;
    attempt->detour = validation->detour;
    attempt->account = validation->account;
    attempt->proven = validation->proven;
    attempt->wildcard = validation->wildcard;
    attempt->challenge = validation->challenge;
    attempt->fd = -1;
    snprintf(attempt->identifier, sizeof attempt->identifier, "%s", validation->identifier);
    snprintf(attempt->token, sizeof attempt->token, "%s", validation->token);
    snprintf(attempt->key_authorization, sizeof attempt->key_authorization, "%s",
             validation->key_authorization);
    attempt->next = validator->first;
    if (validator->first != NULL)
        validator->first->previous = attempt;
    validator->first = attempt;
    ev_init(&attempt->io, on_io);
    ev_timer_init(&attempt->turn, on_turn, 0., CONNECT_SECONDS);
    ev_timer_init(&attempt->limit, on_begin, perspective == 0 ? 0. : validation->detour.late, 0.);
    attempt->io.data = attempt->turn.data = attempt->limit.data = attempt;
    ev_timer_start(validator->loop, &attempt->limit);
    return 0;
}

/* What is about the perspectives besides the first takes one. */
static size_t perspectives_of(const struct validator *validator, const struct detour *detour)
{
    size_t least = detour->estranged != 0 || detour->late > 0 ? 2 : 1;

    return validator->perspectives < least ? least : validator->perspectives;
}

int validate_start(struct validator *validator, const struct validation *validation,
                   struct error *e)
{
    size_t perspectives = perspectives_of(validator, &validation->detour);
    struct trial *trial = trial_new(validator, validation->authorization, perspectives);

    for (size_t i = 0; trial != NULL && i < perspectives; i++)
        if (start(trial, i, validator, validation) < 0) {
            /* those under way find nobody to tell; the last of them takes the trial along */
            for (; i < perspectives; i++)
                trial_leave(trial);
            return failed(e, "out of memory");
        }
    return trial != NULL ? 0 : failed(e, "out of memory");
}
