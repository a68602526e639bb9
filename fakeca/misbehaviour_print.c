/* The table of misbehaviour, for people and for programs. */
#include <string.h>

#include "fakeca/misbehaviour.h"

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
    "    fakeclock new clock\n"
    "    fakeca serve --state ca --validate-http-port 5002 --clock clock\n"
    "    certbot certonly --standalone --http-01-port 5002 --server "
    "https://127.0.0.1:PORT/directory ...\n"
    "    fakeclock advance clock 61d\n"
    "    fakeclock run clock -- certbot renew --no-random-sleep-on-renew ...\n\n"
    "The authority lives on the clock; so does a client that is started on it, as here to renew "
    "what is due.\n\n"
    "Clients need `https_root`: REQUESTS_CA_BUNDLE for certbot, LEGO_CA_CERTIFICATES for lego,"
    " CURL_OPTS=\"--cacert FILE\"\n"
    "in dehydrated's configuration, SSL_CERT_FILE for acme-tiny; uacme 1.7 reads the system's "
    "bundle"
    " alone, so a mount\n"
    "namespace gives it one. `tests/fakeca/clients.t` runs them all. Without a terminal, `certbot "
    "renew` and `lego renew`"
    " first\n"
    "wait for some minutes, at random: --no-random-sleep-on-renew, --no-random-sleep.\n\n"
    "Every name that its DNS was not told of stands for `--names-address`; `fakeca dns --add"
    " 'shop.test. CAA 0 issue \";\"'`\n"
    "tells it of one, which it then knows over a restart, too.\n\n"
    "## Faults\n\n"
    "    fakeca arm retry-later --state ca --on newOrder --nth 2 --times 3 --after 120\n"
    "    fakeca armed --state ca\n"
    "    fakeca disarm retry-later --state ca\n\n"
    "A fault is armed for an endpoint (`--on`), an account, a name (`--identifier`) or a"
    " certificate (`--serial`); from\n"
    "the nth such request on, so many `--times`, `--from` and `--until` a point on its calendar,"
    " `--for` so long from when it\n"
    "first fires, or for a `--share` of requests drawn by `--seed`. Requests to ACME count once "
    "their"
    " signature was found good.\n"
    "`fakeca armed` tells how often each has fired. One fault hits a request: the one that was "
    "armed first."
    " What is armed, and\n"
    "how often it was met, holds over a restart, and so does what a validation has met that is "
    "under way. "
    "`fakeca disarm`\nends it; what the next start cannot arm any more is told, and is ended like "
    "that, too.\n\n";

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
