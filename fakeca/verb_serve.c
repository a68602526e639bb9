/* fakeca serve */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/serve.h"
#include "fakeca/verbs.h"
#include "faketime/page.h"
#include "testbed/wire/moment.h"

struct serve_arguments {
    const char *state, *clock, *acme, *http, *dns, *names_address, *resolver;
    long http_port, tls_port, seed, perspectives, alternates;
    struct option_list profiles, settings;
    bool dnssec;
};

#define AT(field) offsetof(struct serve_arguments, field)
/* clang-format off */
const struct option_row serve_options[] = {
    {"state", "DIR", "the authority, and what it must remember; made if it is not there", OPTION_TEXT, AT(state)},
    {"clock", "FILE", "the calendar to live on, as `fakeclock` makes it [the real one]", OPTION_TEXT, AT(clock)},
    {"acme", "ADDR:PORT", "where ACME listens, over HTTPS [127.0.0.1:0]", OPTION_TEXT, AT(acme)},
    {"http", "ADDR:PORT", "where OCSP, CRLs and issuers are served [127.0.0.1:0]", OPTION_TEXT, AT(http)},
    {"dns", "ADDR:PORT", "where DNS is served, over UDP and TCP [127.0.0.1:0]", OPTION_TEXT, AT(dns)},
    {"names-address", "ADDR", "what all names stand for that DNS was not told of [127.0.0.1]", OPTION_TEXT, AT(names_address)},
    {"validate-http-port", "N", "the port that http-01 connects to [80]", OPTION_NUMBER, AT(http_port)},
    {"validate-tls-port", "N", "the port that tls-alpn-01 connects to [443]", OPTION_NUMBER, AT(tls_port)},
    {"resolver", "ADDR:PORT", "who is asked about names, when validating [the DNS above]", OPTION_TEXT, AT(resolver)},
    {"perspectives", "N", "so many look at each name, each with a DNS of its own [1]", OPTION_NUMBER, AT(perspectives)},
    {"dnssec", NULL, "DNS is signed, and validation believes nothing else of it", OPTION_FLAG, AT(dnssec)},
    {"seed", "N", "of faults that hit a share of requests [1]", OPTION_NUMBER, AT(seed)},
    {"profile", "NAME=T", "certificates of this profile, a usual one or another, last T (may repeat)", OPTION_LIST, AT(profiles)},
    {"alternate", "N", "offer N chains besides the usual one, each up to another root that cross-signs the first [0]", OPTION_NUMBER, AT(alternates)},
    {"set", "NAME=VALUE", "a setting, as of `fakeca set` (may repeat)", OPTION_LIST, AT(settings)},
    {0},
};
/* clang-format on */
#undef AT

static int port_of(const char *option, long given, unsigned *out, struct error *e)
{
    if (given < 1 || given > 65535)
        return failed(e, "--%s: %ld is not a port, expected 1 to 65535", option, given);
    *out = (unsigned)given;
    return 0;
}

static int endpoint_of(const char *option, const char *text, struct address *out, struct error *e)
{
    return address_parse(text, out, e) < 0 ? failed_in(e, option) : 0;
}

static int take_profile(const char *text, struct profiles *profiles, struct error *e)
{
    char name[PROFILE_NAME];
    int64_t lifetime;

    return profile_parse(text, name, &lifetime, e) < 0 ||
                   profile_give(profiles, name, lifetime, e) < 0
               ? failed_in(e, "--profile")
               : 0;
}

/* Before anything is made or started. */
static int check_settings(const struct words *settings, struct error *e)
{
    struct policy policy;

    policy_usual(&policy);
    for (size_t i = 0; i < settings->count; i++)
        if (policy_set(&policy, settings->items[i], e) < 0)
            return failed_in(e, "--set");
    return 0;
}

static int plan_of(const struct serve_arguments *arguments, struct resolver *resolver,
                   struct serve_plan *plan, struct error *e)
{
    *plan = (struct serve_plan){.state = arguments->state, .clock = arguments->clock};
    plan->names_address = arguments->names_address;
    plan->seed = (unsigned long)arguments->seed;
    plan->dnssec = arguments->dnssec;
    if (require(serve_options, "state", arguments->state, e) < 0 ||
        endpoint_of("--dns", arguments->dns, &plan->dns, e) < 0 ||
        endpoint_of("--acme", arguments->acme, &plan->acme, e) < 0 ||
        endpoint_of("--http", arguments->http, &plan->http, e) < 0 ||
        port_of("validate-http-port", arguments->http_port, &plan->validate_http_port, e) < 0 ||
        port_of("validate-tls-port", arguments->tls_port, &plan->validate_tls_port, e) < 0)
        return -1;
    if (arguments->resolver != NULL) {
        if (endpoint_of("--resolver", arguments->resolver, &resolver->address, e) < 0)
            return -1;
        plan->resolver = resolver;
    }
    if (arguments->perspectives < 1 || arguments->perspectives > PERSPECTIVES_MOST)
        return failed(e, "--perspectives: expected 1 to %d", PERSPECTIVES_MOST);
    plan->perspectives = (size_t)arguments->perspectives;
    if (arguments->alternates > ALTERNATES_MOST)
        return failed(e, "--alternate: expected 0 to %d", ALTERNATES_MOST);
    plan->alternates = (size_t)arguments->alternates;
    plan->settings = words_of(&arguments->settings);
    if (check_settings(&plan->settings, e) < 0)
        return -1;
    profiles_usual(&plan->profiles);
    for (size_t i = 0; i < arguments->profiles.count; i++)
        if (take_profile(arguments->profiles.items[i], &plan->profiles, e) < 0)
            return -1;
    return 0;
}

/* Whoever is not told never finds it. */
static int tell_where(struct serve *serve, struct error *e)
{
    if (serve->remembered > 0)
        fprintf(stderr, "fakeca: faults armed from before: %d; `fakeca armed` lists them\n",
                serve->remembered);
    tell_json(serve_describe(serve));
    return fflush(stdout) == 0 ? 0 : failed(e, "cannot write to stdout: %s", strerror(errno));
}

int verb_serve(int argc, char **argv)
{
    struct serve_arguments arguments = {.acme = "127.0.0.1:0",
                                        .http = "127.0.0.1:0",
                                        .dns = "127.0.0.1:0",
                                        .names_address = "127.0.0.1",
                                        .http_port = 80,
                                        .tls_port = 443,
                                        .perspectives = 1,
                                        .seed = 1};
    struct serve_plan plan;
    struct serve serve = {0};
    struct resolver resolver = {0};
    struct error e;
    int status = STATUS_DONE;

    if (options_for(serve_options, argc, argv, &arguments, NULL, 0, &e) < 0 ||
        plan_of(&arguments, &resolver, &plan, &e) < 0)
        return complain(&e);
    page_guard("fakeca", STATUS_ENVIRONMENT);
    if (serve_open(&serve, &plan, &e) < 0 || tell_where(&serve, &e) < 0)
        status = complain(&e);
    else
        serve_run(&serve);
    serve_close(&serve);
    return status;
}
