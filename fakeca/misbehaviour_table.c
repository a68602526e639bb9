/* The ways in which an authority that serves can misbehave. */
#include <string.h>

#include "fakeca/misbehaviour.h"
#include "testbed/wire/nearest.h"

#define HOUR INT64_C(3600)
#define DAY  INT64_C(86400)
#define YEAR (365 * DAY)

#define HTML                                                                                       \
    "<html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>\n"

/* clang-format off */
static const struct serve_fault own[] = {
    /* transport */
    {"reset", "*", "the connection is reset in place of an answer", "",
     "load balancers that drop connections",
     .action = ACT_DELIVER, .status = 200, .delivery = DELIVER_RESET},
    {"silence", "*", "the request is taken, and nothing comes back", "",
     "Apple, 2020-11-12: slow is worse than down; certbot before 1.4 asked OCSP without a timeout",
     .action = ACT_DELIVER, .status = 200, .delivery = DELIVER_SILENCE},
    {"slow", "*", "the answer comes at one byte a second", "",
     "clients that limit the time between bytes, not the whole", .action = ACT_DELIVER, .status = 200,
     .delivery = DELIVER_SLOWLY},
    {"cut", "*", "the connection ends in the middle of the answer's body", "",
     "proxies that restart; a chain saved half", .action = ACT_DELIVER, .status = 200,
     .delivery = DELIVER_HALF},
    /* HTTP */
    {"retry-later", "*", "503 with an HTML page; with Retry-After where `after` is given", "status after",
     "Let's Encrypt, 2026-05-08: two and a half hours of 503 in many a renewal window", .action = ACT_ANSWER,
     .status = 503, .body = HTML},
    {"server-error", "*", "500 and serverInternal", "status after", "a CA whose database is away",
     .action = ACT_PROBLEM, .status = 500, .problem = SERVER_INTERNAL, .body = "Error creating new order"},
    {"empty", "*", "the right status, and no body", "", "answers eaten by a middlebox; wanted of pebble since 2023",
     .action = ACT_EMPTY, .status = 200},
    {"html", "*", "200 and a page for people", "status", "captive portals, and CDNs with a page for robots",
     .action = ACT_ANSWER, .status = 200, .body = HTML},
    {"wrong-type", "*", "the right answer, called text/html", "",
     "mod_md checks the content type since 2.6.1", .action = ACT_TYPE, .status = 200},
    {"no-nonce", "*", "the right answer without a Replay-Nonce", "", "uacme before 1.7.6",
     .action = ACT_DROP, .status = 200, .body = "Replay-Nonce"},
    {"no-location", "newAccount newOrder finalize order", "the right answer without a Location", "",
     "mod_md before 2.4.27 needed it where others did not", .action = ACT_DROP, .status = 200, .body = "Location"},
    /* protocol */
    {"bad-nonce", "newAccount newOrder revokeCert keyChange account orders order authz challenge finalize certificate",
     "badNonce, with a good nonce for the next try", "",
     "load-balanced CAs; clients that retry with the same nonce never recover (node-acme-client#103)",
     .action = ACT_PROBLEM, .status = 400,
     .problem = BAD_NONCE, .body = "JWS has an invalid anti-replay nonce"},
    {"rate-limited", "newAccount newOrder authz challenge finalize renewalInfo", "429 and rateLimited", "after",
     "a crash-looping client that orders again and again", .action = ACT_PROBLEM, .status = 429,
     .problem = RATE_LIMITED, .body = "too many certificates (5) already issued for this exact set of identifiers"},
    {"account-forgotten", "newOrder account orders order authz challenge finalize certificate revokeCert keyChange",
     "accountDoesNotExist for an account that was there", "", "staging databases that are wiped; restored backups",
     .action = ACT_PROBLEM, .status = 400, .problem = ACCOUNT_DOES_NOT_EXIST,
     .body = "No account exists with the provided ID"},
    {"account-deactivated", "newAccount newOrder account orders order authz challenge finalize certificate",
     "unauthorized: the account is deactivated", "", "accounts blocked by the CA after abuse",
     .action = ACT_PROBLEM, .status = 403, .problem = UNAUTHORIZED, .body = "the account is deactivated"},
    {"eab-required", "newAccount", "externalAccountRequired, of a sudden", "",
     "a CA that comes to demand a contract, and clients that were set up without one",
     .action = ACT_PROBLEM, .status = 403,
     .problem = EXTERNAL_ACCOUNT_REQUIRED, .body = "this server now requires an external account"},
    {"terms-changed", "newAccount newOrder", "userActionRequired: agree to new terms", "",
     "RFC 8555 section 7.3.3; clients that run unattended", .action = ACT_PROBLEM, .status = 403,
     .problem = USER_ACTION_REQUIRED, .body = "the terms of service have changed"},
    {"profile-withdrawn", "newOrder finalize", "invalidProfile", "",
     "Let's Encrypt's tlsclient profile, which went away", .action = ACT_PROBLEM, .status = 400,
     .problem = INVALID_PROFILE, .body = "the profile is no longer offered"},
    {"blocked-name", "newOrder", "rejectedIdentifier", "", "names on a CA's list of high risks",
     .action = ACT_PROBLEM, .status = 400, .problem = REJECTED_IDENTIFIER,
     .body = "The ACME server refuses to issue a certificate for this domain name, because it is forbidden by policy"},
    {"stuck-processing", "finalize order", "the order is told as processing, whatever it is", "after",
     "cert-manager#5062 gives up after five quick polls; dehydrated polls for ever by default",
     .action = ACT_ORDER, .status = 200,
     .body = "processing"},
    {"stuck-pending", "order authz challenge", "what is asked about is told as pending, whatever it is", "after",
     "validation queues that stand still", .action = ACT_ORDER, .status = 200, .body = "pending"},
    {"order-invalid", "finalize order", "the order is told as invalid, after it was ready", "",
     "Let's Encrypt's CAA bug of 2020-02-29: what must be rechecked at issuance",
     .action = ACT_ORDER, .status = 200, .body = "invalid"},
    {"no-certificate-url", "order finalize", "the order is told as valid, without the certificate's URL", "",
     "certbot before 1.28 read the field before the order was valid", .action = ACT_ORDER, .status = 200,
     .body = "valid"},
    {"identifiers-reversed", "newOrder order finalize", "the order's identifiers come in another order", "",
     "lego 1.1 took the order of names for granted", .action = ACT_ORDER, .status = 200, .body = "reversed"},
    {"identifier-dropped", "newOrder order finalize", "the last of the order's identifiers is missing", "",
     "lego 4.24 came to check for that", .action = ACT_ORDER, .status = 200, .body = "dropped"},
    /* certificates */
    {"broken-chain", "finalize", "what is issued is broken as `fakeca break --fault CHAIN` breaks it", "chain",
     "each fault of docs/faults.md, from the CA itself", .action = ACT_CHAIN, .status = 200},
    {"wrong-key", "finalize", "the certificate is for another key than the request's", "",
     "clients must keep the old certificate; some installed what came", .action = ACT_KEY, .status = 200},
    /* renewal information */
    {"window-past", "renewalInfo", "the window was yesterday: renew now", "after",
     "mass revocations; a CA's way to say so", .action = ACT_WINDOW, .status = 200, .from = -2 * DAY, .until = -DAY},
    {"window-inverted", "renewalInfo", "the window ends before it begins", "after",
     "RFC 9773 section 4.2 leaves clients alone with that", .action = ACT_WINDOW, .status = 200, .from = DAY,
     .until = -DAY},
    {"window-absurd", "renewalInfo", "the window is in ninety years", "after",
     "clients that trust the window more than notAfter", .action = ACT_WINDOW, .status = 200, .from = 90 * YEAR,
     .until = 91 * YEAR},
    {"window-malformed", "renewalInfo", "a window that is not JSON", "after",
     "pebble's set-renewal-info accepts anything for the same reason", .action = ACT_ANSWER, .status = 200,
     .body = "{\"suggestedWindow\":{\"start\":\"soon\",\"end\":"},
    {"no-window", "renewalInfo", "404: no renewal information", "after",
     "RFC 9773 section 4.3: clients must renew by themselves", .action = ACT_PROBLEM, .status = 404,
     .problem = NO_SUCH_THING, .body = "no renewal information"},
};
/* clang-format on */

#define OWN (sizeof own / sizeof own[0])

static struct serve_fault all[OWN + SERVICE_FAULTS_MOST];
static size_t count;

static struct serve_fault *next(const char *on, const char *name, const char *what,
                                const char *replays)
{
    struct serve_fault *row = &all[count];

    if (count == sizeof all / sizeof all[0])
        return row - 1;
    count++;
    *row = (struct serve_fault){.action = ACT_SERVICE,
                                .status = 200,
                                .takes = "",
                                .on = on,
                                .name = name,
                                .what = what,
                                .replays = replays};
    return row;
}

/* What the answers of each service can do wrong is the business of their own tables. */
static void fill(void)
{
    for (size_t i = 0; i < OWN; i++)
        all[count++] = own[i];
    for (size_t i = 0; i < ocsp_misbehaviour_count; i++)
        next("ocsp", ocsp_misbehaviours[i].name, ocsp_misbehaviours[i].what,
             ocsp_misbehaviours[i].replays)
            ->ocsp = &ocsp_misbehaviours[i];
    for (size_t i = 0; i < crl_misbehaviour_count; i++)
        next("crls", crl_misbehaviours[i].name, crl_misbehaviours[i].what,
             crl_misbehaviours[i].replays)
            ->crl = &crl_misbehaviours[i];
    for (size_t i = 0; i < dns_misbehaviour_count; i++)
        next("dns", dns_misbehaviours[i].name, dns_misbehaviours[i].what,
             dns_misbehaviours[i].replays)
            ->dns = &dns_misbehaviours[i];
}

const struct serve_fault *serve_faults(size_t *out)
{
    if (count == 0)
        fill();
    *out = count;
    return all;
}

const struct serve_fault *serve_fault_named(const char *name, struct error *e)
{
    const char *names[OWN + SERVICE_FAULTS_MOST];
    const char *near;
    size_t length;
    const struct serve_fault *rows = serve_faults(&length);

    for (size_t i = 0; i < length; i++) {
        names[i] = rows[i].name;
        if (strcmp(names[i], name) == 0)
            return &rows[i];
    }
    near = nearest(name, names, length);
    if (near != NULL)
        return failed(e, "unknown fault '%s'; did you mean %s?", name, near), NULL;
    return failed(e, "unknown fault '%s'; `fakeca faults --serve` lists them", name), NULL;
}

json_t *serve_faults_describe(void)
{
    json_t *list = json_array();
    size_t length;
    const struct serve_fault *rows = serve_faults(&length);

    for (size_t i = 0; i < length; i++) {
        const struct serve_fault *fault = &rows[i];

        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", fault->name,
                                              "on", fault->on, "what", fault->what, "takes",
                                              fault->takes, "replays", fault->replays));
    }
    return list;
}

void serve_faults_print(FILE *out)
{
    size_t length;
    const struct serve_fault *rows = serve_faults(&length);

    for (size_t i = 0; i < length; i++)
        fprintf(out, "  %-22s  %s\n", rows[i].name, rows[i].what);
}

static const char preface[] =
    "# The authority\n\n"
    "<!-- Made by `fakeca faults --serve --markdown` from the table in"
    " fakeca/misbehaviour_table.c. -->\n\n"
    "`fakeca serve --state DIR` is an authority that unmodified ACME clients obtain from and renew"
    " at. When all of\n"
    "it listens it prints one line of JSON: the ACME directory, the root to trust for that"
    " (`https_root`), the roots\n"
    "of what it issues, where OCSP, issuers' certificates, CRLs and DNS are served, the socket"
    " that commands go to, and its\n"
    "process id. SIGTERM ends it. What a client was told outlives a kill at any moment.\n\n"
    "    fakeca serve --state ca --validate-http-port 5002 --clock clock\n"
    "    certbot certonly --standalone --http-01-port 5002 --server "
    "https://127.0.0.1:PORT/directory ...\n\n"
    "Clients need `https_root`: REQUESTS_CA_BUNDLE for certbot, LEGO_CA_CERTIFICATES for lego,"
    " CURL_OPTS=\"--cacert FILE\"\n"
    "in dehydrated's configuration, SSL_CERT_FILE for acme-tiny; uacme 1.7 reads the system's "
    "bundle"
    " alone, so a mount\n"
    "namespace gives it one. `tests/fakeca/clients.t` runs them all.\n\n"
    "Every name that its DNS was not told of stands for `--names-address`; `fakeca dns --add"
    " 'shop.test. CAA 0 issue \";\"'`\n"
    "tells it of one.\n\n"
    "## Faults\n\n"
    "    fakeca arm retry-later --state ca --on newOrder --nth 2 --times 3 --after 120\n"
    "    fakeca armed --state ca\n"
    "    fakeca disarm retry-later --state ca\n\n"
    "A fault is armed for an endpoint (`--on`), an account, a name (`--identifier`) or a"
    " certificate (`--serial`); from\n"
    "the nth such request on, so many `--times`, `--from` and `--until` a point on its calendar,"
    " or for a `--share` of\n"
    "requests drawn by `--seed`. Requests to ACME count once their signature was found good."
    " `fakeca armed` tells how\n"
    "often each has fired. One fault hits a request: the one that was armed first.\n\n";

void serve_faults_markdown(FILE *out)
{
    size_t length;
    const struct serve_fault *rows = serve_faults(&length);

    fputs(preface, out);
    fputs("| fault | on | what happens | takes | replays |\n|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < length; i++) {
        const struct serve_fault *fault = &rows[i];

        fprintf(out, "| `%s` | %s | %s | %s | %s |\n", fault->name,
                strcmp(fault->on, "*") == 0 ? "everything" : fault->on, fault->what, fault->takes,
                fault->replays);
    }
}
