/* The ways in which an authority that serves can misbehave. */

#include "fakeca/misbehaviour_parts.h"
#include "testbed/wire/nearest.h"

#define DAY  INT64_C(86400)
#define YEAR (365 * DAY)

#define HTML                                                                                       \
    "<html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>\n"
#define SIGNED                                                                                     \
    "newAccount newOrder revokeCert keyChange account orders order authz challenge finalize "      \
    "certificate"
#define BY_ACCOUNT                                                                                 \
    "newOrder revokeCert keyChange account orders order authz challenge finalize certificate"

#define ACME      "directory newNonce " SIGNED " renewalInfo"
#define WITH_BODY "directory " SIGNED " renewalInfo ocsp issuers crls"

/* clang-format off */
static const struct serve_fault own[] = {
    /* connections */
    {"connection-refused", "acme http",
     "nobody listens on the port, from the nth connection on; as nobody sees those that are refused, it takes --for or"
     " --until, and no --times or --share", "",
     "Apple, 2020-11-12: clients bore a responder that was down, and not one that kept silent", .refuses = true},
    {"connection-reset", "acme http", "the connection is reset before a byte is read", "",
     "Blue Coat, 2017-02: a proxy that drops connections it does not understand", .delivery = DELIVER_RESET},
    {"connection-silent", "acme http", "the connection is taken, and nothing comes back", "",
     "Apache, 2017-11 (bug 61818): a responder that hangs fills up all workers", .delivery = DELIVER_SILENCE},
    {"api-expired", "acme", "the ACME server's own certificate ended a day ago", "",
     "Microsoft Teams, 2020-02-03: a certificate for signing in that nobody had renewed", .chain = "expired-leaf",
     .breaks_chain = true},
    {"api-self-signed", "acme", "the ACME server's own certificate is signed with its own key", "",
     "RFC 8555 section 6.1: ACME goes over HTTPS", .chain = "self-signed-leaf",
     .breaks_chain = true},
    {"api-wrong-name", "acme", "the ACME server's own certificate is for elsewhere.test", "",
     "RFC 9110 section 4.3.4: a certificate is for the host that was asked for", .chain = "wrong-name",
     .breaks_chain = true},
    {"api-broken-chain", "acme", "the ACME server's own chain is broken as `fakeca break --fault CHAIN` breaks it",
     "chain",
     "each fault of docs/faults.md that is in the chain, at the CA itself", .breaks_chain = true, .encoded = true},
    {"handshake-failure", "acme", "the TLS handshake ends with that alert", "",
     "Java 8u292, 2021-04: no protocol left that both sides speak", .shows_nothing = true},
    /* transport */
    {"reset", "*", "the connection is reset in place of an answer", "",
     "RFC 9112 section 9.5: a connection may end at any time", .delivery = DELIVER_RESET},
    {"silence", "*", "the request is taken, and nothing comes back", "",
     "Apple, 2020-11-12: slow is worse than down; certbot before 1.4 asked OCSP without a timeout",
     .delivery = DELIVER_SILENCE},
    {"slow", "*", "the answer comes at one byte a second", "",
     "Apple, 2020-11-12: slow is worse than down", .delivery = DELIVER_SLOWLY},
    {"cut", WITH_BODY, "the connection ends in the middle of the answer's body", "",
     "RFC 9112 section 8: an incomplete answer is to be known as one", .delivery = DELIVER_HALF},
    {"chunked", "*", "the right answer in chunks of seven octets", "",
     "RFC 9112 section 7.1: whoever speaks HTTP/1.1 can read chunks", .framing = {.chunked = true}},
    {"http-1.0", "*", "the right answer in HTTP/1.0: its body ends with the connection", "",
     "RFC 9112 section 6.3: without a length, the end of the connection is the end of the body",
     .framing = {.old = true}},
    {"unasked-continue", "*", "a 100 Continue comes before the right answer", "",
     "RFC 9110 section 15.2: clients must bear interim answers that they do not expect", .framing = {.interim = true}},
    {"huge-header", "*", "the right answer with a header field of 70,000 octets", "",
     "RFC 9110 section 5.4: the limits are each client's own", .framing = {.padding = 70000}},
    /* HTTP */
    {"retry-later", "*", "503 with an HTML page; with Retry-After where it is given", "status after after_date",
     "Let's Encrypt, 2026-05-08: two and a half hours of 503", .status = 503, .argument = HTML, .instead = answer_page},
    {"server-error", "*", "500 and serverInternal", "status after after_date",
     "pebble#399: users have asked for it since 2023", .status = 500, .problem = SERVER_INTERNAL,
     .argument = "Internal error", .instead = answer_problem},
    {"not-found", "*", "404 with an HTML page", "status",
     "Let's Encrypt, 2025-08-06: the OCSP responders were switched off", .status = 404, .argument = HTML,
     .instead = answer_page},
    {"redirect", "directory", "302 to where the directory is", "status",
     "RFC 9110 section 15.4: not every client follows", .status = 302, .argument = HTML,
     .field = {"Location", "/directory"}, .instead = answer_page},
    {"empty", WITH_BODY, "the right status, and no body", "",
     "pebble#399: users have asked for it since 2023", .deform = empty_body},
    {"html", "*", "200 and a page for people", "status",
     "mod_md 2.6.1, which came to check the content type", .status = 200, .argument = HTML, .instead = answer_page},
    {"wrong-type", "*", "the right answer, called text/html", "",
     "mod_md 2.6.1, which came to check the content type", .deform = call_it_html},
    {"gzip", WITH_BODY, "the right answer, compressed though nobody asked for that", "",
     "RFC 9110 section 12.5.3: without Accept-Encoding a server may choose; curl without --compressed does not unpack",
     .deform = gzip_body},
    {"retry-after", "*", "the right answer with another Retry-After [-1]", "after after_date",
     "lego 4.32, which came to read both forms; acme.sh#2939, which read none", .after = "-1"},
    {"no-nonce", ACME, "the right answer without a Replay-Nonce", "",
     "uacme before 1.7.6", .argument = "Replay-Nonce", .deform = drop_field},
    {"spent-nonce", ACME, "the right answer with a nonce that will be refused, the same one every time", "",
     "node-acme-client#103: clients that retry with the same nonce never recover",
     .argument = "cmVoZWFyc2VkLXRvby1vZnRlbi1hbHJl", .deform = repeat_nonce},
    {"no-location", "newAccount newOrder finalize order", "the right answer without a Location", "",
     "mod_md 2.4.27, which needed it where others did not", .argument = "Location", .deform = drop_field},
    {"no-link", ACME, "the right answer without any Link", "",
     "RFC 8555 section 7.1: links besides the directory's are for convenience", .argument = "Link",
     .deform = drop_field},
    {"no-alternates", "certificate", "no other chain is offered", "",
     "DST Root CA X3, 2021-09-30: clients that asked for another chain than the usual one", .deform = drop_alternates,
     .needs = CROSSED},
    {"chains-turned", "certificate", "each chain is what the next one was, where there are several", "",
     "Let's Encrypt, 2021-05-04: the usual chain became another, and the old one an alternate", .turns_chains = true,
     .needs = CROSSED},
    /* the directory */
    {"directory-key-missing", "directory", "an entry is missing [renewalInfo]", "key",
     "Let's Encrypt, 2019-03-13: TLS-SNI-01 and ACMEv1 went away", .key = "renewalInfo",
     .keys = "newNonce newAccount newOrder revokeCert keyChange renewalInfo meta", .retell = tell_without},
    {"directory-moved", "directory", "every entry is elsewhere, at each reading; where it was before is 404", "",
     "RFC 8555 section 7.1.1: URLs are the directory's to tell; clients that remember them", .moves = true},
    {"meta-null", "directory", "every entry of \"meta\" is null", "",
     "nginx-acme before 0.3.0", .retell = tell_meta_null},
    {"profiles-unlisted", "directory", "no profiles are offered", "",
     "Let's Encrypt, 2026-07-08: the end of tlsclient", .argument = "profiles", .retell = tell_meta_without},
    /* accounts */
    {"bad-nonce", SIGNED, "badNonce, with a good nonce for the next try", "",
     "node-acme-client#103: nonces behind load balancers; acmetool before 0.2.1", .status = 400, .problem = BAD_NONCE,
     .argument = "JWS has an invalid anti-replay nonce", .instead = answer_problem},
    {"rate-limited", "newAccount newOrder authz challenge finalize renewalInfo", "429 and rateLimited",
     "after after_date",
     "traefik#7952: a container without storage orders again at every start", .status = 429, .problem = RATE_LIMITED,
     .argument = "too many certificates (5) already issued for this exact set of identifiers",
     .instead = answer_problem},
    {"account-forgotten", BY_ACCOUNT, "accountDoesNotExist for an account that was there", "",
     "dehydrated#629, kube-lego#125", .status = 400, .problem = ACCOUNT_DOES_NOT_EXIST,
     .argument = "No account exists with the provided ID", .instead = answer_problem},
    {"account-deactivated", "newAccount " BY_ACCOUNT, "unauthorized: the account is deactivated", "",
     "terraform-provider-acme#332: forbidden for ever", .status = 403, .problem = UNAUTHORIZED,
     .argument = "the account is deactivated", .instead = answer_problem},
    {"eab-required", "newAccount", "externalAccountRequired, of a sudden", "",
     "RFC 8555 section 7.3.4, and clients that were set up without", .status = 403,
     .problem = EXTERNAL_ACCOUNT_REQUIRED,
     .argument = "this server now requires an external account", .instead = answer_problem},
    {"terms-changed", "newAccount newOrder", "userActionRequired: agree to new terms", "",
     "mod_md 2.6.9, for which that is for ever", .status = 403, .problem = USER_ACTION_REQUIRED,
     .argument = "the terms of service have changed", .field = {"Link", "<" NEW_TERMS ">;rel=\"terms-of-service\""},
     .instead = answer_new_terms},
    {"key-change-refused", "keyChange", "409: another account has that key", "",
     "RFC 8555 section 7.3.5", .status = 409, .problem = MALFORMED,
     .argument = "the new key is in use by another account", .instead = answer_problem},
    /* orders */
    {"already-replaced", "newOrder", "alreadyReplaced, where the order says which certificate it is to replace", "",
     "lego before 4.23, which did not expect it; RFC 9773 section 5", .status = 409, .problem = ALREADY_REPLACED,
     .argument = "another order has replaced that certificate", .instead = answer_problem, .needs = REPLACES},
    {"profile-withdrawn", "newOrder finalize", "invalidProfile", "",
     "Let's Encrypt, 2026-07-08: the end of tlsclient", .status = 400, .problem = INVALID_PROFILE,
     .argument = "the profile is no longer offered", .instead = answer_problem},
    {"blocked-name", "newOrder", "rejectedIdentifier", "",
     "RFC 8555 section 6.7: names that a server will not issue for", .status = 400, .problem = REJECTED_IDENTIFIER,
     .argument = "The ACME server refuses to issue a certificate for this domain name,"
                 " because it is forbidden by policy",
     .instead = answer_problem},
    {"request-refused", "finalize", "badCSR", "",
     "Let's Encrypt, 2025-05-07: requests with must-staple fail", .status = 400, .problem = BAD_CSR,
     .argument = "OCSP must-staple extension is no longer available", .instead = answer_problem},
    {"stuck-processing", "finalize order", "the order is told as processing, whatever it is", "after after_date",
     "cert-manager#5062 gives up after five quick polls; dehydrated polls for ever by default",
     .argument = "processing", .retell = tell_status},
    {"stuck-challenge", "challenge", "the challenge is told as processing, whatever it is", "after after_date",
     "RFC 8555 section 7.1.6: a challenge is processing while it is tried", .argument = "processing",
     .retell = tell_status},
    {"stuck-pending", "order authz challenge", "what is asked about is told as pending, whatever it is",
     "after after_date",
     "dehydrated, which waits for ever by default", .argument = "pending", .retell = tell_status},
    {"order-invalid", "finalize order", "the order is told as invalid, after it was ready", "",
     "Let's Encrypt, 2020-02-29: CAA is to be checked again at issuance", .argument = "invalid", .retell = tell_status},
    {"no-certificate-url", "order finalize", "the order is told as valid, without the certificate's URL", "",
     "certbot before 1.28 read the field before the order was valid", .argument = "valid", .retell = tell_status},
    {"order-reused", "newOrder", "the account's last order comes again, whatever has become of it, if there is one", "",
     "Boulder gives open orders again; an authority that was restored from a backup gives old numbers again",
     .reuses_order = true},
    {"expires-past", "newOrder order finalize authz", "what is told ended a day ago", "",
     "RFC 8555 sections 7.1.3 and 7.1.4", .retell = tell_expired},
    {"identifiers-reversed", "newOrder order finalize", "the order's identifiers come in another order", "",
     "lego 1.1 took the order of names for granted", .retell = tell_identifiers_reversed, .needs = SEVERAL},
    {"identifiers-upper", "newOrder order finalize authz", "identifiers come in upper case", "",
     "RFC 4343: names are the same in any case", .retell = tell_identifiers_upper},
    {"identifier-dropped", "newOrder order finalize", "the last of the order's identifiers is missing", "",
     "lego 4.24 came to check for that", .retell = tell_identifier_dropped},
    /* authorizations */
    {"wildcard-unmarked", "authz", "the mark of a wildcard is missing", "",
     "RFC 8555 section 7.1.4: it must be there", .key = "wildcard", .retell = tell_without, .needs = WILD},
    {"no-challenges", "authz", "the list of challenges is empty", "",
     "Let's Encrypt, 2019-03-13: clients whose only challenge went away", .retell = tell_no_challenges},
    {"unknown-challenges", "authz", "no challenge is of a type that anybody knows", "",
     "Let's Encrypt, 2019-03-13: clients whose only challenge went away", .retell = tell_unknown_challenges},
    {"challenge-gone", "authz", "one type of challenge is no longer offered [http-01]", "key",
     "Let's Encrypt, 2019-03-13: the end of TLS-SNI-01", .key = "http-01", .keys = "http-01 dns-01 tls-alpn-01",
     .retell = tell_without_challenge},
    {"token-climbs", "authz challenge", "the token is a path out of the directory of challenges", "",
     "uacme#64: hooks that write a file by the name of a token that nobody looked at",
     .argument = "../../climbed", .retell = tell_token},
    /* validation */
    {"perspectives-disagree", "validation",
     "the perspectives besides the first, or so many of them, ask a name server that does not know the name",
     "perspectives", "Baseline Requirements 3.2.2.9, in force since 2025-03-15", .detour = {.estranged = -1},
     .needs = BY_NAME},
    {"perspectives-late", "validation", "the perspectives besides the first look 4 seconds later", "",
     "Let's Encrypt, 2020-02-19: more than one look, and clients that clear up after the first", .detour = {.late = 4}},
    {"redirect-loop", "validation", "whatever the name stands for redirects to itself, until http-01 gives up", "",
     "Let's Encrypt follows ten, to ports 80 and 443", .detour = {.circles = true}, .needs = OVER_HTTP},
    {"other-source", "validation", "on this machine, the validator's connections come from 127.0.0.66", "",
     "Let's Encrypt's FAQ: its addresses are not told, and change; firewalls that let only some in",
     .detour = {.alien = true}, .needs = CONNECTS},
    /* certificates */
    {"clock-wrong", "finalize ocsp crls", "what is signed is dated by a clock that is ahead, or behind [a day ahead]",
     "skew", "pebble#231: certificates without the dates that they should have, which clients renew again and again",
     .skew = DAY, .replan = plan_by_clock},
    {"broken-chain", "finalize", "what is issued is broken as `fakeca break --fault CHAIN` breaks it", "chain",
     "each fault of docs/faults.md that is in the chain, from the CA itself", .breaks_chain = true, .keyless = true},
    {"wrong-key", "finalize", "the certificate is for another key than the request's", "",
     "HAProxy 3.3 discards such a certificate, and says nothing", .replan = plan_another_key},
    {"no-lifetime", "finalize", "the certificate ends in the second in which it begins", "",
     "RFC 5280 section 4.1.2.5: both ends belong to it; clients that divide what is left by how long it lasts",
     .replan = plan_no_lifetime},
    {"no-ocsp-url", "finalize", "the certificate says of no OCSP responder", "",
     "Let's Encrypt, 2025-05-07: OCSP went away from certificates, and with it what servers staple",
     .replan = plan_no_ocsp},
    {"no-urls", "finalize", "the certificate says of no OCSP responder, no issuer's certificate and no CRL", "",
     "RFC 5280 sections 4.2.1.13 and 4.2.2.1: neither extension must be there", .replan = plan_no_urls},
    {"dead-ocsp-url", "finalize", "nobody answers at the OCSP URL in the certificate", "",
     "Let's Encrypt, 2025-08-06: the OCSP responders were switched off", .replan = plan_dead_ocsp},
    {"dead-issuer-url", "finalize", "nobody answers at the URL of the issuer's certificate", "",
     "RFC 5280 section 4.2.2.1: browsers fetch it, and C libraries do not", .replan = plan_dead_issuers},
    {"dead-crl-url", "finalize", "nobody answers at the URL of the CRL", "",
     "Puppet and OpenVPN 2.4: without a fresh CRL nobody gets in", .replan = plan_dead_crls},
    {"issuer-of-another", "issuers", "the certificate of another issuer", "",
     "a file in another's place, seen by who fetches it: browsers do, and C libraries do not", .turns_issuers = true},
    {"crlf-chain", "certificate", "the lines of the chain end in CR LF", "",
     "certbot before 1.4", .deform = end_lines_twice},
    {"bom-chain", "certificate", "the chain begins with a byte order mark", "",
     "RFC 8555 section 9.1: a chain is nothing but certificates", .argument = "\xef\xbb\xbf", .deform = begin_with},
    {"text-before-chain", "certificate", "a line of text comes before the chain", "",
     "RFC 8555 section 9.1: a chain is nothing but certificates", .argument = "subject=CN = rehearsal\n",
     .deform = begin_with},
    {"huge-chain", "certificate", "the last certificate is sent again and again, 100 KiB of it", "",
     "Let's Encrypt's Gen Y: chains become longer", .deform = lengthen_chain},
    /* renewal information */
    {"window-past", "renewalInfo", "the window was yesterday: renew now", "after after_date",
     "Let's Encrypt, 2026-05-08: the clients concerned were told to renew", .window_from = -2 * DAY, .window_end = -DAY,
     .retell = tell_window},
    {"window-storm", "renewalInfo", "the window is one second, and it is now", "after after_date",
     "DigiCert, 2024-07-29: 83,267 certificates to be replaced in 24 hours", .window_end = 1, .retell = tell_window},
    {"window-inverted", "renewalInfo", "the window ends before it begins", "after after_date",
     "RFC 9773 section 4.2: as good as no answer", .window_from = DAY, .window_end = -DAY, .retell = tell_window},
    {"window-absurd", "renewalInfo", "the window is in ninety years", "after after_date",
     "pebble's set-renewal-info accepts anything, so that clients can be tried", .window_from = 90 * YEAR,
     .window_end = 91 * YEAR, .retell = tell_window},
    {"window-malformed", "renewalInfo", "a window that is not JSON", "after after_date",
     "pebble's set-renewal-info accepts anything, so that clients can be tried", .status = 200,
     .argument = "{\"suggestedWindow\":{\"start\":\"soon\",\"end\":", .instead = answer_as_json},
    {"no-window", "renewalInfo", "404: no renewal information", "after after_date",
     "certbot before 4.2.0 gave up the renewal", .status = 404, .problem = NO_SUCH_THING,
     .argument = "no renewal information", .instead = answer_problem},
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
    *row =
        (struct serve_fault){.takes = "", .on = on, .name = name, .what = what, .replays = replays};
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
    for (size_t i = 0; i < dns_misbehaviour_count; i++) {
        const struct dns_misbehaviour *dns = &dns_misbehaviours[i];
        struct serve_fault *row = next("dns", dns->name, dns->what, dns->replays);

        row->dns = dns;
        row->needs = dns->needs_signer ? SECURED : 0;
    }
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
    size_t length;
    const struct serve_fault *rows = serve_faults(&length);

    return table_find(name, rows, length, sizeof rows[0], "fault", "fakeca faults --serve", e);
}
