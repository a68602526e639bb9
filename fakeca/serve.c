#include "fakeca/serve.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fakeca/dns_keep.h"
#include "testbed/wire/moment.h"

#define CROSS_SIGN_LASTS (INT64_C(10) * 365 * 86400)
#define SERIALS_AHEAD    255
#define MEMORY_KEPT      (8 << 20)

static int64_t now(void *context)
{
    const struct serve *serve = context;

    return serve->page == NULL ? time(NULL) : page_now(serve->page) / NANOSECONDS;
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)watcher;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

/* --- opening ------------------------------------------------------------------------------------ */

/* Another root, which signs ours: for the other chains that clients may choose from.  Number 1 has no number. */
static int cross_sign(struct serve *serve, size_t i, struct error *e)
{
    char path[PATH_MAX], name[64], number[24] = "";
    struct authority other;
    int64_t at = now(serve);
    int status;

    if (i > 1)
        snprintf(number, sizeof number, "-%zu", i);
    snprintf(path, sizeof path, "%.3000s/alternate%s", serve->plan->state, number);
    snprintf(name, sizeof name, "Rehearsal Alternate%s", number);
    if (authority_need(path, name, at, e) < 0 || authority_open(path, &other, e) < 0)
        return -1;
    status = authority_cross_sign(&serve->authority, &other, at, at + CROSS_SIGN_LASTS, e);
    authority_close(&other);
    return status;
}

/* Each is made once, and stays for good. */
static int need_alternates(struct serve *serve, struct error *e)
{
    for (size_t i = authority_crosses(&serve->authority); i < serve->plan->alternates; i++)
        if (cross_sign(serve, i + 1, e) < 0)
            return -1;
    return 0;
}

/* How many intermediates stand between the root and what is issued; -1 with *e. */
static int depth_of(struct authority *authority, struct error *e)
{
    const struct signer *signer = authority_signer(authority, authority_issuer(authority), e);
    int depth = 0;

    for (; signer != NULL && authority_number(authority, signer) != 0; depth++)
        signer = authority_signer_of(authority, signer->certificate, e);
    return signer == NULL ? -1 : depth;
}

static int open_policy(struct serve *serve, struct error *e)
{
    const struct words *settings = &serve->plan->settings;

    policy_usual(&serve->policy);
    if (policy_restore(serve->store, &serve->policy, e) < 0)
        return -1;
    for (size_t i = 0; i < settings->count; i++)
        if (policy_set(&serve->policy, settings->items[i], e) < 0)
            return failed_in(e, "--set");
    return 0;
}

static int open_state(struct serve *serve, struct error *e)
{
    const struct serve_plan *plan = serve->plan;

    if (plan->clock != NULL && (serve->page = page_map(plan->clock, e)) == NULL)
        return -1;
    if (authority_need(plan->state, "Rehearsal", now(serve), e) < 0 ||
        authority_open(plan->state, &serve->authority, e) < 0)
        return -1;
    serve->opened = true;
    if (need_alternates(serve, e) < 0)
        return -1;
    serve->depth = depth_of(&serve->authority, e);
    if (serve->depth < 0)
        return -1;
    serve->authority.ahead = SERIALS_AHEAD;
    authority_pause(&serve->authority);
    serve->store = store_open(plan->state, e);
    return serve->store == NULL ? -1 : open_policy(serve, e);
}

/* --- misbehaving before a request is heard ------------------------------------------------------- */

#define DOORS_SECONDS .02

static void mind_door(struct serve *serve, struct http_server *server, const char *port)
{
    struct error e;

    if (server->fd >= 0 &&
        http_server_door(server, !misbehaviour_refuses(serve->misbehaviour, port, now(serve)), &e) <
            0)
        fprintf(stderr, "fakeca: %s\n", e.text);
}

/* A calendar that somebody else moves calls nobody, so it is looked at while a door depends on it. */
static void mind_doors(void *context)
{
    struct serve *serve = context;

    mind_door(serve, &serve->api, "acme");
    mind_door(serve, &serve->http, "http");
    misbehaviour_keep(serve->misbehaviour);
    if (!misbehaviour_watches(serve->misbehaviour))
        ev_timer_stop(serve->loop, &serve->doors);
    else if (!ev_is_active(&serve->doors))
        ev_timer_again(serve->loop, &serve->doors);
}

static void on_doors(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    mind_doors(timer->data);
}

static int open_hole(void *context, struct error *e)
{
    struct serve *serve = context;
    const unsigned ports[HOLE_PORTS] = {serve->plan->validate_http_port,
                                        serve->plan->validate_tls_port};

    return hole_open(&serve->hole, ports, e);
}

/* Other faults are armed than before. */
static void on_change(void *context)
{
    struct serve *serve = context;

    mind_doors(serve);
    if (!misbehaviour_swallows(serve->misbehaviour))
        hole_close(&serve->hole);
}

/* What was armed before the start stays armed, also where others have taken the place meanwhile. */
static void reopen_hole(struct serve *serve)
{
    struct error e;

    if (misbehaviour_swallows(serve->misbehaviour) && open_hole(serve, &e) < 0)
        fprintf(stderr, "fakeca: %s\n", e.text);
}

static struct chosen greet(struct serve *serve, const char *port, struct greeting *greeting)
{
    struct subject subject = {.endpoint = port, .now = now(serve)};
    struct chosen chosen = misbehaviour_choose(serve->misbehaviour, &subject);

    if (chosen.fault != NULL)
        greeting->delivery = chosen.fault->delivery;
    mind_doors(serve); /* the next connection may be the one that is refused */
    return chosen;
}

static void greet_plain(void *context, struct greeting *greeting)
{
    greet(context, "http", greeting);
}

static void greet_acme(void *context, struct greeting *greeting)
{
    struct serve *serve = context;
    struct chosen chosen = greet(serve, "acme", greeting);
    SSL_CTX *broken;
    struct error e;

    if (chosen.fault == NULL || !(chosen.fault->breaks_chain || chosen.fault->shows_nothing))
        return;
    broken = serve_tls_broken(&serve->tls, chosen.chain, chosen.now, &e);
    if (broken == NULL) {
        fprintf(stderr, "fakeca: %s\n", e.text);
        return;
    }
    SSL_CTX_free(serve->broken_tls); /* connections hold on to what they were greeted with */
    greeting->tls = serve->broken_tls = broken;
}

/* --- committing --------------------------------------------------------------------------------- */

/* What nobody waits for waits too: a verdict that a killed process has not committed is found again. */
static void on_turn(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    struct serve *serve = watcher->data;

    (void)loop;
    (void)events;
    while (serve->api.held != NULL) {
        struct error e;
        int status = store_flush(serve->store, &e);

        if (status < 0)
            fprintf(stderr, "fakeca: %s\n", e.text);
        http_server_release(&serve->api, status == 0);
    }
}

/* --- opening, the rest -------------------------------------------------------------------------- */

static struct ledger *ledger_of(void *context, struct error *e)
{
    return plain_ledger(&((struct serve *)context)->plain, e);
}

/* Our own DNS is believed only what it signs, where it does. */
static void name_resolvers(struct serve *serve)
{
    const struct serve_plan *plan = serve->plan;
    const struct dns_trust *trust = serve->signer == NULL ? NULL : &serve->trust;

    if (serve->signer != NULL)
        serve->trust =
            (struct dns_trust){.key = dns_signer_key(serve->signer), .now = now, .context = serve};
    serve->stranger = (struct resolver){serve->detours.stranger_address, trust};
    /* one more than there are, where a detour takes one, sees what the first sees */
    for (size_t i = 0; i < PERSPECTIVES_MOST; i++) {
        const struct dns_view *view = &serve->names.views[i < plan->perspectives ? i : 0];

        serve->resolvers[i] = (struct resolver){view->address, trust};
        serve->validator.resolvers[i] =
            plan->resolver != NULL ? plan->resolver : &serve->resolvers[i];
    }
}

static int open_acme(struct serve *serve, struct error *e)
{
    const struct serve_plan *plan = serve->plan;
    struct acme_plan acme = {
        .store = serve->store,
        .authority = &serve->authority,
        .validator = &serve->validator,
        .misbehaviour = serve->misbehaviour,
        .policy = &serve->policy,
        .ledger = ledger_of,
        .now = now,
        .context = serve,
        .profiles = &serve->profiles,
        .ocsp = serve->urls[0],
        .ca_issuers = serve->urls[1],
        .crl = serve->urls[2],
    };

    serve->profiles = plan->profiles;
    profiles_restore(serve->store, &serve->profiles);
    serve->validator = (struct validator){
        .loop = serve->loop,
        .perspectives = plan->perspectives,
        .policy = &serve->policy,
        .http_port = plan->validate_http_port,
        .tls_port = plan->validate_tls_port,
        .stranger = &serve->stranger,
        .circle = &serve->detours.circle_address,
        .done = acme_validated,
    };
    name_resolvers(serve);
    if (validator_open(&serve->validator, e) < 0)
        return -1;
    serve->acme = acme_new(&acme, e);
    serve->validator.context = serve->api.context = serve->acme;
    return serve->acme == NULL ? -1 : 0;
}

static int open_listeners(struct serve *serve, struct error *e)
{
    static const char *const paths[] = {"ocsp", "issuers", "crls"};
    const struct serve_plan *plan = serve->plan;

    serve->http = (struct http_server){.loop = serve->loop,
                                       .greet = greet_plain,
                                       .now = now,
                                       .owner = serve,
                                       .answer = plain_answer,
                                       .context = &serve->plain};
    if (http_server_open(&serve->http, &plan->http, e) < 0)
        return failed_in(e, "--http");
    for (int i = 0; i < 3; i++)
        snprintf(serve->urls[i], sizeof serve->urls[i], "http://%s/%s", serve->http.address,
                 paths[i]);
    if (serve_tls_open(&serve->tls, plan->state, plan->acme.host, now(serve), e) < 0)
        return -1;
    serve->api = (struct http_server){.loop = serve->loop,
                                      .tls = serve->tls.context,
                                      .greet = greet_acme,
                                      .now = now,
                                      .owner = serve,
                                      .answer = acme_answer,
                                      .refuse = acme_refuse,
                                      .holds = acme_holds};
    return http_server_open(&serve->api, &plan->acme, e) < 0 ? failed_in(e, "--acme") : 0;
}

static int open_names(struct serve *serve, struct error *e)
{
    const struct serve_plan *plan = serve->plan;
    struct dns_server like = {
        .loop = serve->loop,
        .misbehaviour = serve->misbehaviour,
        .now = now,
        .context = serve,
    };

    if (plan->dnssec) {
        like.signer = serve->signer = dns_signer_open(plan->state, e);
        if (serve->signer == NULL)
            return failed_in(e, "--dnssec");
    }
    if (dns_views_open(&serve->names, plan->perspectives, &like, &plan->dns, plan->names_address,
                       e) < 0)
        return -1;
    dns_keep_restore(serve->store, &serve->names);
    return detours_open(&serve->detours, &like, e);
}

static int open_log(struct serve *serve, struct error *e)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%.3000s/%s", serve->plan->state, FIRED_FILE);
    return misbehaviour_log(serve->misbehaviour, path, e);
}

static int open_services(struct serve *serve, struct error *e)
{
    serve->misbehaviour = misbehaviour_new(serve->plan->seed);
    if (serve->misbehaviour == NULL)
        return failed(e, "out of memory");
    if (open_log(serve, e) < 0)
        return -1;
    serve->plain = (struct plain){.authority = &serve->authority,
                                  .misbehaviour = serve->misbehaviour,
                                  .policy = &serve->policy,
                                  .now = now,
                                  .context = serve};
    if (plain_open(&serve->plain, e) < 0 || open_names(serve, e) < 0)
        return -1;
    serve->manage = (struct manage){.loop = serve->loop,
                                    .misbehaviour = serve->misbehaviour,
                                    .policy = &serve->policy,
                                    .plain = &serve->plain,
                                    .store = serve->store,
                                    .names = &serve->names,
                                    .profiles = &serve->profiles,
                                    .swallow = open_hole,
                                    .changed = on_change,
                                    .context = serve};
    return manage_open(&serve->manage, serve->plan->state, e);
}

/* What one request gave back to the system, the next would ask for again; and each larger piece that is asked for
 * would put all the small ones together first. */
static void spare_malloc(void)
{
    mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT);
    mallopt(M_MXFAST, 0);
}

int serve_open(struct serve *serve, const struct serve_plan *plan, struct error *e)
{
    serve->plan = plan;
    serve->http.fd = serve->api.fd = -1;
    serve->manage.fd = -1;
    spare_malloc();
    signal(SIGPIPE, SIG_IGN); /* a peer that has gone is an error, not the end */
    serve->loop = ev_default_loop(0);
    if (serve->loop == NULL)
        return failed(e, "no event loop");
    if (open_state(serve, e) < 0 || open_services(serve, e) < 0 || open_listeners(serve, e) < 0 ||
        open_acme(serve, e) < 0)
        return -1;
    misbehaviour_know(serve->misbehaviour, serve->depth, sk_X509_num(serve->tls.chain->sent) - 1,
                      serve->signer != NULL);
    serve->remembered = misbehaviour_remember(serve->misbehaviour, serve->store);
    ev_timer_init(&serve->doors, on_doors, DOORS_SECONDS, DOORS_SECONDS);
    serve->doors.data = serve;
    mind_doors(serve);
    reopen_hole(serve);
    ev_prepare_init(&serve->turn, on_turn);
    serve->turn.data = serve;
    ev_prepare_start(serve->loop, &serve->turn);
    ev_signal_init(&serve->terminated, on_signal, SIGTERM);
    ev_signal_init(&serve->interrupted, on_signal, SIGINT);
    ev_signal_start(serve->loop, &serve->terminated);
    ev_signal_start(serve->loop, &serve->interrupted);
    acme_resume(serve->acme);
    return 0;
}

/* --- telling ------------------------------------------------------------------------------------ */

static json_t *path_json(const struct serve *serve, const char *file)
{
    char path[PATH_MAX], full[PATH_MAX];

    snprintf(path, sizeof path, "%.3000s/%s", serve->plan->state, file);
    return json_string(realpath(path, full) != NULL ? full : path);
}

/* The roots of what is issued: ours, and those that have cross-signed it. */
static json_t *roots_json(const struct serve *serve)
{
    json_t *roots = json_pack("[o]", path_json(serve, "root.pem"));
    size_t count = authority_crosses(&serve->authority);
    char name[64];

    for (size_t i = 1; i <= count; i++)
        json_array_append_new(roots, path_json(serve, authority_cross_root(i, name)));
    return roots;
}

json_t *serve_describe(struct serve *serve)
{
    char directory[URL_ROOM];

    snprintf(directory, sizeof directory, "https://%s/directory", serve->api.address);
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:o*, s:o, s:i, s:i}", "event", "listening",
        "directory", directory, "https_root", path_json(serve, "https/root.pem"), "roots",
        roots_json(serve), "ocsp", serve->urls[0], "issuers", serve->urls[1], "crls",
        serve->urls[2], "dns", serve->names.views[0].server.address, "dns_anchor",
        serve->signer == NULL ? NULL : path_json(serve, DNS_ANCHOR_FILE), "manage",
        path_json(serve, MANAGE_SOCKET), "armed", serve->remembered, "pid", (int)getpid());
}

void serve_run(struct serve *serve)
{
    ev_run(serve->loop, 0);
}

void serve_close(struct serve *serve)
{
    if (serve->api.fd >= 0)
        http_server_close(&serve->api);
    if (serve->http.fd >= 0)
        http_server_close(&serve->http);
    if (serve->manage.fd >= 0)
        manage_close(&serve->manage);
    detours_close(&serve->detours);
    hole_close(&serve->hole);
    dns_views_close(&serve->names);
    dns_signer_free(serve->signer);
    plain_close(&serve->plain);
    if (serve->validator.loop != NULL)
        validator_close(&serve->validator);
    acme_free(serve->acme);
    misbehaviour_free(serve->misbehaviour);
    SSL_CTX_free(serve->broken_tls);
    serve_tls_close(&serve->tls);
    store_close(serve->store);
    if (serve->opened)
        authority_close(&serve->authority);
    if (serve->page != NULL)
        page_unmap(serve->page);
    if (serve->loop != NULL)
        ev_loop_destroy(serve->loop);
}
