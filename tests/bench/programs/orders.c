/* orders FILE ROOT SOCKET CLIENTS SECONDS [KIND]: complete ACME orders, from newOrder to the certificate.
 *
 * FILE holds the URL of an ACME directory, ROOT the certificate to trust for it.  SOCKET is the number
 * of an open descriptor that listens; http-01 is answered there.  CLIENTS threads share one account, whose
 * key is of KIND ("p256", which is usual, or "rsa2048"), and each places one order after the other, over a
 * connection that it keeps, until SECONDS are over or SIGTERM comes.
 *
 * A client whose connection fails reads FILE again until somebody listens there, looks whether
 * all that it was told since the last time still holds, and goes on with its order.  Clients that had to do
 * so look through everything once more at the end.
 *
 * Prints "ORDERS SECONDS RECOVERIES"; a word on stderr and status 1 where a server did not do as RFC 8555
 * has it, or has forgotten something.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/programs/acme.h"

#define PATIENCE 60 /* seconds, for a server that is away */
#define STUCK    8  /* seconds between two looks at an order that does not get on */

/* What a client was told of an order that is done. */
struct told {
    char *order, *certificate; /* paths */
    char *pem;
};

struct client {
    struct acme acme;
    pthread_t thread;
    char *name, *request;
    struct told *told;
    size_t count, checked, room;
    unsigned recoveries;
};

static const char *directory_file;
static double first_wait; /* before asking again: longer, the more there are who ask */
static double deadline;
static volatile sig_atomic_t ended; /* by SIGTERM */

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void pause_for(double seconds)
{
    struct timespec time = {.tv_sec = (time_t)seconds,
                            .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

    nanosleep(&time, NULL);
}

/* --- a server that comes back ------------------------------------------------------------------- */

static void wait_for_server(struct client *c)
{
    double until = now() + PATIENCE;

    while (!acme_find(&c->acme, directory_file)) {
        must(now() < until, "no server");
        pause_for(.005);
    }
}

static void forgotten(const struct client *c, const char *path, const char *what)
{
    die("forgotten: %s was %s; now it is %ld %.300s", path, what, c->acme.status, c->acme.body);
}

/* Whether the server was there to say so. */
static bool still_told(struct client *c, const struct told *told)
{
    json_t *order;

    if (!acme_post(&c->acme, told->order, ""))
        return false;
    if (c->acme.status != 200)
        forgotten(c, told->order, "an order");
    order = acme_json(&c->acme, told->order);
    if (strcmp(acme_member(order, "status"), "valid") != 0 ||
        strcmp(acme_path(acme_member(order, "certificate")), told->certificate) != 0)
        forgotten(c, told->order, "valid");
    json_decref(order);
    if (!acme_post(&c->acme, told->certificate, ""))
        return false;
    if (c->acme.status != 200 || strcmp(c->acme.body, told->pem) != 0)
        forgotten(c, told->certificate, "another certificate");
    return true;
}

static void look_back(struct client *c)
{
    while (c->checked < c->count)
        if (still_told(c, &c->told[c->checked]))
            c->checked++;
        else
            wait_for_server(c);
}

static void post(struct client *c, const char *path, const char *payload)
{
    char *mine = strdup(path); /* it may be in the directory, which is read anew */

    while (!acme_post(&c->acme, mine, payload)) {
        c->recoveries++;
        wait_for_server(c);
        look_back(c);
    }
    free(mine);
}

/* The same where only one status is right. */
static void post_for(struct client *c, const char *path, const char *payload, long status)
{
    post(c, path, payload);
    if (c->acme.status != status)
        die("%s: %ld, expected %ld: %.300s", path, c->acme.status, status, c->acme.body);
}

/* --- orders ------------------------------------------------------------------------------------- */

static json_t *ask(struct client *c, const char *path)
{
    post_for(c, path, "", 200);
    return acme_json(&c->acme, path);
}

/* A new order; its path goes to `*path`. */
static json_t *place(struct client *c, char **path)
{
    char *payload = text("{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]}", c->name);

    post_for(c, acme_endpoint(&c->acme, "newOrder"), payload, 201);
    free(payload);
    *path = strdup(acme_path(c->acme.location));
    return acme_json(&c->acme, *path);
}

/* Tells the server to look, where it has not looked yet. */
static void prove(struct client *c, const json_t *order)
{
    json_t *urls = json_object_get(order, "authorizations"), *authorization, *one;
    const char *url = json_string_value(json_array_get(urls, 0));
    size_t i;

    must(url != NULL, "an order without authorizations");
    authorization = ask(c, acme_path(url));
    json_array_foreach (json_object_get(authorization, "challenges"), i, one) {
        if (strcmp(acme_member(one, "type"), "http-01") == 0 &&
            strcmp(acme_member(authorization, "status"), "pending") == 0 &&
            strcmp(acme_member(one, "status"), "pending") == 0)
            post_for(c, acme_path(acme_member(one, "url")), "{}", 200);
    }
    json_decref(authorization);
}

/* The order as it is then; or NULL, where a server that was away has done it before. */
static json_t *finalize(struct client *c, const json_t *order)
{
    char *payload = text("{\"csr\":\"%s\"}", c->request);
    const char *path = acme_path(acme_member(order, "finalize"));
    json_t *then = NULL;

    post(c, path, payload);
    if (c->acme.status == 200)
        then = acme_json(&c->acme, path);
    else if (c->recoveries == 0 || strstr(c->acme.body, ":orderNotReady") == NULL)
        die("%s: %ld %.300s", path, c->acme.status, c->acme.body);
    free(payload);
    return then;
}

enum { PENDING, READY, PROCESSING, VALID, RANKS };

/* How far an order is on its way; it never goes back. */
static int rank(const json_t *order)
{
    static const char *const ranks[RANKS] = {"pending", "ready", "processing", "valid"};
    const char *status = acme_member(order, "status");

    for (int i = 0; i < RANKS; i++)
        if (strcmp(ranks[i], status) == 0)
            return i;
    die("an order is %s", status);
}

/* Whatever comes next, until the order is valid: the path of its certificate.  Takes `order` over. */
static char *carry_through(struct client *c, const char *path, json_t *order)
{
    json_t *next;
    double wait = first_wait;
    int before = PENDING, is;
    unsigned proved = c->recoveries - 1; /* to the server as it is since then */
    char *certificate;

    for (; (is = rank(order)) != VALID; before = is) {
        if (is < before)
            forgotten(c, path, "further than that");
        next = is == READY ? finalize(c, order) : NULL;
        if (is == PENDING && proved != c->recoveries) {
            prove(c, order);
            proved = c->recoveries;
        }
        if (next == NULL) {
            if (wait > STUCK)
                die("%s is still %s", path, acme_member(order, "status"));
            pause_for(wait);
            wait *= 2;
            next = ask(c, path);
        }
        json_decref(order);
        order = next;
    }
    certificate = strdup(acme_path(acme_member(order, "certificate")));
    json_decref(order);
    return certificate;
}

static void keep(struct client *c, char *order, char *certificate)
{
    if (c->count == c->room) {
        c->room = c->room * 2 + 64;
        c->told = realloc(c->told, c->room * sizeof *c->told);
        must(c->told != NULL, "out of memory");
    }
    c->told[c->count++] = (struct told){order, certificate, strdup(c->acme.body)};
}

static void *run(void *context)
{
    struct client *c = context;

    wait_for_server(c);
    while (!ended && now() < deadline) {
        char *path, *certificate;
        json_t *order = place(c, &path);

        certificate = carry_through(c, path, order);
        post_for(c, certificate, "", 200);
        must(strstr(c->acme.body, "BEGIN CERTIFICATE") != NULL, "a certificate that is none");
        keep(c, path, certificate);
    }
    if (c->recoveries > 0) {
        c->checked = 0;
        look_back(c);
    }
    return NULL;
}

/* --- http-01 ------------------------------------------------------------------------------------ */

static void answer(int connection)
{
    static const char prefix[] = "/.well-known/acme-challenge/";
    const struct timeval patience = {.tv_sec = 2}; /* there is one of us, and others wait */
    char request[8192] = "", *token;
    size_t got = 0;
    ssize_t more;

    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (got < sizeof request - 1 && strstr(request, "\r\n\r\n") == NULL &&
           (more = read(connection, request + got, sizeof request - 1 - got)) > 0)
        request[got += (size_t)more] = '\0';
    token = strstr(request, prefix);
    if (token != NULL) {
        token += strlen(prefix);
        token[strcspn(token, " \r\n")] = '\0';
        dprintf(connection,
                "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s.%s",
                strlen(token) + 1 + strlen(acme_thumbprint()), token, acme_thumbprint());
    }
    close(connection);
}

static void *answer_all(void *context)
{
    int listener = *(int *)context, connection;

    while ((connection = accept(listener, NULL, NULL)) >= 0)
        answer(connection);
    return NULL;
}

/* --- around them -------------------------------------------------------------------------------- */

static void register_account(struct client *c)
{
    wait_for_server(c);
    post(c, acme_endpoint(&c->acme, "newAccount"), "{\"termsOfServiceAgreed\":true}");
    if (c->acme.status != 201 && c->acme.status != 200)
        die("no account: %ld %.300s", c->acme.status, c->acme.body);
    snprintf(acme_account, sizeof acme_account, "%s", acme_path(c->acme.location));
}

static void on_term(int signal)
{
    (void)signal;
    ended = 1;
}

static struct client *make_clients(unsigned count, const char *root_file)
{
    struct client *clients = calloc(count, sizeof *clients);

    must(clients != NULL, "out of memory");
    for (unsigned i = 0; i < count; i++) {
        clients[i].name = text("w%u.shop.test", i);
        clients[i].request = acme_request(clients[i].name);
        acme_open(&clients[i].acme, root_file);
    }
    return clients;
}

int main(int argc, char **argv)
{
    unsigned count = argc == 6 || argc == 7 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
    unsigned orders = 0, recoveries = 0;
    struct client *clients;
    pthread_t answerer;
    double began;
    int listener;

    must(count > 0, "usage: orders FILE ROOT SOCKET CLIENTS SECONDS [KIND]");
    directory_file = argv[1];
    first_wait = .002 * count;
    listener = (int)strtol(argv[3], NULL, 10);
    signal(SIGTERM, on_term);
    acme_keys(argc == 7 ? argv[6] : "p256");
    pthread_create(&answerer, NULL, answer_all, &listener);
    clients = make_clients(count, argv[2]);
    register_account(&clients[0]);
    began = now();
    deadline = began + strtod(argv[5], NULL);
    for (unsigned i = 0; i < count; i++)
        pthread_create(&clients[i].thread, NULL, run, &clients[i]);
    for (unsigned i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
        orders += (unsigned)clients[i].count;
        recoveries += clients[i].recoveries;
    }
    printf("%u %.3f %u\n", orders, now() - began, recoveries);
    return 0;
}
