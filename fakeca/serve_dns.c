#include "fakeca/serve_dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_TRIES 16

struct late {
    struct dns_server *server;
    struct late *next, *previous;
    struct sockaddr_storage to;
    socklen_t length;
    struct dns_reply reply;
    ev_timer timer;
};

/* One that the system does not take is lost, as any datagram may be. */
static void send_reply(const struct dns_server *server, const struct dns_reply *reply,
                       const struct sockaddr_storage *to, socklen_t length)
{
    (void)!sendto(server->fd, reply->bytes, reply->length, MSG_NOSIGNAL,
                  (const struct sockaddr *)to, length);
}

static void discard(struct late *late)
{
    struct dns_server *server = late->server;

    ev_timer_stop(server->loop, &late->timer);
    *(late->previous == NULL ? &server->late : &late->previous->next) = late->next;
    if (late->next != NULL)
        late->next->previous = late->previous;
    server->late_count--;
    free(late->reply.bytes);
    free(late);
}

static void on_time(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct late *late = timer->data;

    (void)loop;
    (void)events;
    send_reply(late->server, &late->reply, &late->to, late->length);
    discard(late);
}

/* Takes the reply over and sends it later; false where it must be sent now. */
static bool keep(struct dns_server *server, const struct dns_reply *reply,
                 const struct sockaddr_storage *to, socklen_t length)
{
    struct late *late =
        reply->delay_ms == 0 || server->late_count == DNS_LATE_MOST ? NULL : malloc(sizeof *late);

    if (late == NULL)
        return false;
    *late = (struct late){
        .server = server, .next = server->late, .to = *to, .length = length, .reply = *reply};
    if (server->late != NULL)
        server->late->previous = late;
    server->late = late;
    server->late_count++;
    ev_timer_init(&late->timer, on_time, reply->delay_ms / 1000., 0.);
    late->timer.data = late;
    ev_timer_start(server->loop, &late->timer);
    return true;
}

static const struct dns_misbehaviour *choose(struct dns_server *server, const unsigned char *packet,
                                             size_t length)
{
    struct dns_question question;
    struct subject subject = {.endpoint = "dns"};
    struct chosen chosen;

    if (server->misbehaviour == NULL || !dns_asked(packet, length, &question))
        return NULL;
    subject.now = server->now(server->context);
    subject.names = json_pack("[s]", question.name);
    subject.type = question.type;
    subject.traits = server->signer != NULL && question.secured ? SECURED : 0;
    chosen = misbehaviour_choose(server->misbehaviour, &subject);
    misbehaviour_keep(server->misbehaviour);
    json_decref((json_t *)subject.names);
    return chosen.fault == NULL ? NULL : chosen.fault->dns;
}

static void answer(struct dns_server *server, const unsigned char *packet, size_t length,
                   enum dns_transport transport, struct dns_reply *reply)
{
    struct dns_signing signing = {server->signer,
                                  server->signer == NULL ? 0 : server->now(server->context)};
    struct error e;

    if (dns_answer(server->zone, packet, length, transport, signing, choose(server, packet, length),
                   reply, &e) < 0)
        fprintf(stderr, "fakeca: %s\n", e.text);
}

static void answer_stream(void *server, const unsigned char *packet, size_t length,
                          struct dns_reply *reply)
{
    answer(server, packet, length, DNS_TCP, reply);
}

static void on_query(struct ev_loop *loop, ev_io *io, int events)
{
    struct dns_server *server = io->data;
    unsigned char packet[4096];
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    ssize_t got = recvfrom(server->fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &length);
    struct dns_reply reply = {0};

    (void)loop;
    (void)events;
    if (got < 0)
        return;
    answer(server, packet, (size_t)got, DNS_UDP, &reply);
    if (reply.bytes == NULL || keep(server, &reply, &from, length))
        return;
    send_reply(server, &reply, &from, length);
    free(reply.bytes);
}

static bool is_any(const struct address *address)
{
    return strcmp(address->port, "0") == 0;
}

/* The same port for both: a free one of TCP's may be taken of UDP's. */
static int open_both(struct dns_server *server, const struct address *address, int *stream,
                     struct error *e)
{
    struct address same;

    *stream = socket_listen(address, SOCK_STREAM, server->address, e);
    if (*stream < 0 || address_parse(server->address, &same, e) < 0)
        return -1;
    server->fd = socket_listen(&same, SOCK_DGRAM, server->address, e);
    if (server->fd >= 0)
        return 0;
    close(*stream);
    return -1;
}

int dns_server_open(struct dns_server *server, const struct address *address, struct error *e)
{
    int stream = -1, status = -1;

    for (int tries = 0; status < 0 && tries < (is_any(address) ? PORT_TRIES : 1); tries++)
        status = open_both(server, address, &stream, e);
    if (status < 0)
        return -1;
    server->tcp =
        (struct dns_tcp){.loop = server->loop, .answer = answer_stream, .context = server};
    dns_tcp_open(&server->tcp, stream);
    ev_io_init(&server->io, on_query, server->fd, EV_READ);
    server->io.data = server;
    ev_io_start(server->loop, &server->io);
    return 0;
}

void dns_server_close(struct dns_server *server)
{
    while (server->late != NULL)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): discard() has moved `late` on */
        discard(server->late);
    dns_tcp_close(&server->tcp);
    ev_io_stop(server->loop, &server->io);
    close(server->fd);
}
