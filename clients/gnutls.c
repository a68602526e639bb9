/* gnutls.c -- the driver for GnuTLS 3.7 and later.
 *
 * Verification is asked for with the host and the key purpose, as the manual's careful client
 * does; without the purpose, extended key usage goes unchecked.  GnuTLS sends no alert of
 * its own when a chain is refused: that is the application's, and bad_certificate (42) is the
 * only one it knows for it.  Staples are requested and verified, and must-staple is
 * enforced, unless asked otherwise.  A status is a set of bits; outcome_blame picks.
 */
#include "clients/driver.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/ocsp.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/words.h"

#define PRIORITY_TEXT 4096
#define ALPN_NAMES    16

struct profile {
    const struct settings *settings;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    int staple;
    gnutls_datum_t alpn[ALPN_NAMES];
    char alpn_text[ALPN_NAMES][256];
    unsigned alpn_count;
};

struct session {
    struct profile *profile;
    gnutls_session_t tls;
    struct stream *stream;
    struct verdict *verdict;
    char name[256];
    bool refused;            /* by verification, which has said why */
    int bad_at;              /* depth of the first certificate refused, or DEPTH_UNKNOWN */
    enum outcome constraint; /* which one its issuer's constraints were, if they were it */
};

/* --- what the library says, in our words -------------------------------------------------------- */

#define S(symbol, outcome)                                                                         \
    {                                                                                              \
        GNUTLS_CERT_##symbol, "GNUTLS_CERT_" #symbol, OUTCOME_##outcome                            \
    }
static const struct status_row {
    unsigned bit;
    const char *name;
    enum outcome outcome;
} status_rows[] = {
    S(REVOKED, REVOKED),
    S(SIGNER_NOT_FOUND, UNKNOWN_ISSUER),
    S(SIGNER_NOT_CA, NOT_A_CA),
    S(INSECURE_ALGORITHM, WEAK_SIGNATURE),
    S(NOT_ACTIVATED, NOT_YET_VALID),
    S(EXPIRED, EXPIRED),
    S(SIGNATURE_FAILURE, BAD_SIGNATURE),
    S(REVOCATION_DATA_SUPERSEDED, REVOCATION_UNKNOWN),
    S(UNEXPECTED_OWNER, WRONG_NAME),
    S(REVOCATION_DATA_ISSUED_IN_FUTURE, REVOCATION_UNKNOWN),
    S(SIGNER_CONSTRAINTS_FAILURE, NAME_CONSTRAINT),
    S(MISMATCH, OTHER),
    S(PURPOSE_MISMATCH, WRONG_PURPOSE),
    S(MISSING_OCSP_STATUS, STAPLE_MISSING),
    S(INVALID_OCSP_STATUS, REVOCATION_UNKNOWN),
    S(UNKNOWN_CRIT_EXTENSIONS, CRITICAL_EXTENSION),
};
#define STATUS_ROWS (sizeof status_rows / sizeof status_rows[0])

static const struct error_row {
    int number;
    enum outcome outcome;
} error_rows[] = {
    {GNUTLS_E_UNSUPPORTED_VERSION_PACKET,      OUTCOME_PROTOCOL_VERSION  },
    {GNUTLS_E_UNKNOWN_CIPHER_SUITE,            OUTCOME_NO_SHARED_CIPHER  },
    {GNUTLS_E_NO_CIPHER_SUITES,                OUTCOME_NO_SHARED_CIPHER  },
    {GNUTLS_E_NO_COMMON_KEY_SHARE,             OUTCOME_NO_SHARED_CIPHER  },
    {GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM, OUTCOME_NO_SHARED_CIPHER  },
    {GNUTLS_E_ECC_UNSUPPORTED_CURVE,           OUTCOME_NO_SHARED_CIPHER  },
    {GNUTLS_E_PK_SIG_VERIFY_FAILED,            OUTCOME_BAD_SIGNATURE     },
    {GNUTLS_E_KEY_USAGE_VIOLATION,             OUTCOME_WRONG_PURPOSE     },
    {GNUTLS_E_DH_PRIME_UNACCEPTABLE,           OUTCOME_WEAK_KEY          },
    {GNUTLS_E_ASN1_ELEMENT_NOT_FOUND,          OUTCOME_MALFORMED         },
    {GNUTLS_E_ASN1_IDENTIFIER_NOT_FOUND,       OUTCOME_MALFORMED         },
    {GNUTLS_E_ASN1_DER_ERROR,                  OUTCOME_MALFORMED         },
    {GNUTLS_E_ASN1_VALUE_NOT_FOUND,            OUTCOME_MALFORMED         },
    {GNUTLS_E_ASN1_GENERIC_ERROR,              OUTCOME_MALFORMED         },
    {GNUTLS_E_ASN1_VALUE_NOT_VALID,            OUTCOME_MALFORMED         },
    {GNUTLS_E_ASN1_TAG_ERROR,                  OUTCOME_MALFORMED         },
    {GNUTLS_E_ASN1_TYPE_ANY_ERROR,             OUTCOME_MALFORMED         },
    {GNUTLS_E_ASN1_SYNTAX_ERROR,               OUTCOME_MALFORMED         },
    {GNUTLS_E_ASN1_DER_OVERFLOW,               OUTCOME_MALFORMED         },
    {GNUTLS_E_ASN1_TIME_ERROR,                 OUTCOME_MALFORMED         },
    {GNUTLS_E_X509_DUPLICATE_EXTENSION,        OUTCOME_MALFORMED         },
    {GNUTLS_E_CERTIFICATE_LIST_UNSORTED,       OUTCOME_MALFORMED         },
    {GNUTLS_E_CERTIFICATE_ERROR,               OUTCOME_MALFORMED         },
    {GNUTLS_E_NO_CERTIFICATE_FOUND,            OUTCOME_MALFORMED         },
    {GNUTLS_E_UNSUPPORTED_CERTIFICATE_TYPE,    OUTCOME_MALFORMED         },
    {GNUTLS_E_X509_UNKNOWN_SAN,                OUTCOME_MALFORMED         },
    {GNUTLS_E_PK_INVALID_PUBKEY,               OUTCOME_MALFORMED         },
    {GNUTLS_E_HANDSHAKE_TOO_LARGE,             OUTCOME_MALFORMED         },
    {GNUTLS_E_UNEXPECTED_PACKET_LENGTH,        OUTCOME_MALFORMED         },
    {GNUTLS_E_OCSP_RESPONSE_ERROR,             OUTCOME_REVOCATION_UNKNOWN},
};

/* Errors that say what is wrong with the peer's bytes, but not with TCP. */
static enum outcome error_outcome(int number)
{
    for (size_t i = 0; i < sizeof error_rows / sizeof error_rows[0]; i++)
        if (error_rows[i].number == number)
            return error_rows[i].outcome;
    return OUTCOME_OTHER;
}

static void blame_error(struct session *session, int number)
{
    struct verdict *verdict = session->verdict;
    enum outcome outcome = error_outcome(number);
    const char *name = gnutls_strerror_name(number);
    const char *words = gnutls_strerror(number);
    char code[96];

    snprintf(code, sizeof code, "%s (%d)", name == NULL ? "GNUTLS_E" : name, number);
    if (verdict->alert_received > 0) {
        outcome = alert_outcome(verdict->alert_received, verdict->cipher[0] != '\0');
        words = gnutls_alert_get_name((gnutls_alert_description_t)verdict->alert_received);
    }
    verdict_set(verdict, outcome, DEPTH_UNKNOWN, code, words);
}

/* --- verification ------------------------------------------------------------------------------- */

static void add_chain(struct session *session)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session->tls, &count);

    for (unsigned i = 0; i < count; i++)
        verdict_add_certificate(session->verdict, chain[i].data, chain[i].size);
}

static void blame_status(struct session *session, unsigned status)
{
    struct verdict *verdict = session->verdict;
    enum outcome outcome = OUTCOME_OTHER;
    gnutls_datum_t words = {NULL, 0};
    char code[96] = "";
    size_t used = 0;

    for (size_t i = 0; i < STATUS_ROWS; i++) {
        if (!(status & status_rows[i].bit))
            continue;
        outcome = outcome_blame(outcome, status_rows[i].outcome);
        if (used < sizeof code)
            used += (size_t)snprintf(code + used, sizeof code - used, "%s%s", used > 0 ? " " : "",
                                     status_rows[i].name);
    }
    if (used < sizeof code)
        snprintf(code + used, sizeof code - used, " (0x%x)", status);
    if (outcome == OUTCOME_NAME_CONSTRAINT)
        outcome = session->constraint;
    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0) < 0)
        words.data = NULL;
    while (words.size > 0 && words.data[words.size - 1] == ' ')
        words.data[--words.size] = '\0';
    verdict_set(verdict, outcome, session->bad_at, code, (const char *)words.data);
    gnutls_free(words.data);
}

static struct session *verifying; /* whose chain on_certificate is told of: it gets no context */

/* The depth of a certificate, among those received. */
static int depth_of(gnutls_session_t tls, gnutls_x509_crt_t certificate)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls, &count);
    gnutls_datum_t der;
    int depth = DEPTH_UNKNOWN;

    if (gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) < 0)
        return DEPTH_UNKNOWN;
    for (unsigned i = 0; i < count && depth == DEPTH_UNKNOWN; i++)
        if (chain[i].size == der.size && memcmp(chain[i].data, der.data, der.size) == 0)
            depth = (int)i;
    gnutls_free(der.data);
    return depth;
}

/* The library has one word for three constraints of an issuer's; the issuer itself tells which.
 * `below` is how many issuers there are under it (RFC 5280, 4.2.1.9 and 4.2.1.3). */
static enum outcome constraint_of(gnutls_x509_crt_t issuer, int below)
{
    unsigned critical, ca, usage;
    int allowed = -1;

    if (gnutls_x509_crt_get_key_usage(issuer, &usage, &critical) == 0 &&
        !(usage & GNUTLS_KEY_KEY_CERT_SIGN))
        return OUTCOME_NOT_A_CA;
    if (gnutls_x509_crt_get_basic_constraints(issuer, &critical, &ca, &allowed) >= 0 &&
        allowed >= 0 && below > allowed)
        return OUTCOME_PATH_LENGTH;
    return OUTCOME_NAME_CONSTRAINT;
}

/* Called for every certificate as it is judged. */
static int on_certificate(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
                          gnutls_x509_crl_t crl, unsigned status)
{
    int depth = depth_of(verifying->tls, certificate);

    (void)crl;
    if ((status & GNUTLS_CERT_INVALID) && verifying->bad_at == DEPTH_UNKNOWN)
        verifying->bad_at = depth;
    if (depth > 0 && verifying->constraint == OUTCOME_NAME_CONSTRAINT)
        verifying->constraint = constraint_of(certificate, depth - 1);
    if (issuer != NULL && verifying->constraint == OUTCOME_NAME_CONSTRAINT)
        verifying->constraint = constraint_of(issuer, depth);
    return 0;
}

/* What the staple says, and "bad" where the library does not believe that it is good. */
static const char *staple_word(gnutls_session_t tls)
{
    gnutls_datum_t der;
    gnutls_ocsp_resp_t response;
    unsigned said = GNUTLS_OCSP_CERT_GOOD;

    if (gnutls_ocsp_status_request_get2(tls, 0, &der) < 0)
        return "none";
    if (gnutls_ocsp_resp_init(&response) < 0)
        return "bad";
    if (gnutls_ocsp_resp_import2(response, &der, GNUTLS_X509_FMT_DER) == 0)
        gnutls_ocsp_resp_get_single(response, 0, NULL, NULL, NULL, NULL, &said, NULL, NULL, NULL,
                                    NULL);
    gnutls_ocsp_resp_deinit(response);
    if (said != GNUTLS_OCSP_CERT_GOOD)
        return said == GNUTLS_OCSP_CERT_REVOKED ? "revoked" : "unknown";
    return gnutls_ocsp_status_request_is_checked(tls, 0) ? "good" : "bad";
}

/* 0 accepts the chain; anything else ends the handshake with GNUTLS_E_CERTIFICATE_ERROR. */
static int on_chain(gnutls_session_t tls)
{
    struct session *session = gnutls_session_get_ptr(tls);
    struct verdict *verdict = session->verdict;
    gnutls_typed_vdata_st wanted[] = {
        {GNUTLS_DT_DNS_HOSTNAME,    (unsigned char *)session->name,            0},
        {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER, 0},
    };
    unsigned status = 0;
    int result;

    add_chain(session);
    verifying = session;
    result = gnutls_certificate_verify_peers(tls, wanted, 2, &status);
    if (session->profile->staple != STAPLE_IGNORE)
        verdict->staple = staple_word(tls);
    if (session->profile->settings->no_verify)
        return 0;
    if (result < 0)
        blame_error(session, result);
    else if (status != 0)
        blame_status(session, status);
    else if (session->profile->staple == STAPLE_REQUIRE && strcmp(verdict->staple, "none") == 0)
        verdict_set(verdict, OUTCOME_STAPLE_MISSING, 0, "gnutls_ocsp_status_request_is_checked (0)",
                    "no OCSP response was stapled");
    else
        return 0;
    session->refused = true;
    return -1;
}

/* --- priorities --------------------------------------------------------------------------------- */

/* A suite is a point in GnuTLS's space of key exchange, cipher and MAC. */
static const struct suite {
    const char *openssl, *iana;
    const char *exchange, *cipher, *mac;
} suites[] = {
    {"TLS_AES_128_GCM_SHA256",        "TLS_AES_128_GCM_SHA256",                        NULL,          "AES-128-GCM",       "AEAD"},
    {"TLS_AES_256_GCM_SHA384",        "TLS_AES_256_GCM_SHA384",                        NULL,          "AES-256-GCM",       "AEAD"},
    {"TLS_CHACHA20_POLY1305_SHA256",  "TLS_CHACHA20_POLY1305_SHA256",                  NULL,          "CHACHA20-POLY1305",
     "AEAD"                                                                                                                      },
    {"TLS_AES_128_CCM_SHA256",        "TLS_AES_128_CCM_SHA256",                        NULL,          "AES-128-CCM",       "AEAD"},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",       "ECDHE-ECDSA",
     "AES-128-GCM",                                                                                                        "AEAD"},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",       "ECDHE-ECDSA",
     "AES-256-GCM",                                                                                                        "AEAD"},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
     "ECDHE-ECDSA",                                                                                   "CHACHA20-POLY1305", "AEAD"},
    {"ECDHE-ECDSA-AES128-SHA",        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",          "ECDHE-ECDSA", "AES-128-CBC",
     "SHA1"                                                                                                                      },
    {"ECDHE-ECDSA-AES256-SHA",        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",          "ECDHE-ECDSA", "AES-256-CBC",
     "SHA1"                                                                                                                      },
    {"ECDHE-RSA-AES128-GCM-SHA256",   "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",         "ECDHE-RSA",
     "AES-128-GCM",                                                                                                        "AEAD"},
    {"ECDHE-RSA-AES256-GCM-SHA384",   "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",         "ECDHE-RSA",
     "AES-256-GCM",                                                                                                        "AEAD"},
    {"ECDHE-RSA-CHACHA20-POLY1305",   "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",   "ECDHE-RSA",
     "CHACHA20-POLY1305",                                                                                                  "AEAD"},
    {"ECDHE-RSA-AES128-SHA",          "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",            "ECDHE-RSA",   "AES-128-CBC",
     "SHA1"                                                                                                                      },
    {"ECDHE-RSA-AES256-SHA",          "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",            "ECDHE-RSA",   "AES-256-CBC",
     "SHA1"                                                                                                                      },
    {"DHE-RSA-AES128-GCM-SHA256",     "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",           "DHE-RSA",     "AES-128-GCM",
     "AEAD"                                                                                                                      },
    {"DHE-RSA-AES256-GCM-SHA384",     "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",           "DHE-RSA",     "AES-256-GCM",
     "AEAD"                                                                                                                      },
    {"AES128-GCM-SHA256",             "TLS_RSA_WITH_AES_128_GCM_SHA256",               "RSA",         "AES-128-GCM",       "AEAD"},
    {"AES256-GCM-SHA384",             "TLS_RSA_WITH_AES_256_GCM_SHA384",               "RSA",         "AES-256-GCM",       "AEAD"},
    {"AES128-SHA",                    "TLS_RSA_WITH_AES_128_CBC_SHA",                  "RSA",         "AES-128-CBC",       "SHA1"},
    {"AES256-SHA",                    "TLS_RSA_WITH_AES_256_CBC_SHA",                  "RSA",         "AES-256-CBC",       "SHA1"},
    {"DES-CBC3-SHA",                  "TLS_RSA_WITH_3DES_EDE_CBC_SHA",                 "RSA",         "3DES-CBC",          "SHA1"},
};
#define SUITES (sizeof suites / sizeof suites[0])

static const struct suite *suite_named(const char *name)
{
    for (size_t i = 0; i < SUITES; i++)
        if (strcmp(suites[i].openssl, name) == 0 || strcmp(suites[i].iana, name) == 0)
            return &suites[i];
    return NULL;
}

struct priority {
    char text[PRIORITY_TEXT];
    size_t used;
};

static void prefer(struct priority *priority, const char *before, const char *word)
{
    int room = (int)(sizeof priority->text - priority->used);
    int put = snprintf(priority->text + priority->used, (size_t)room, ":%s%s", before, word);

    if (put < room)
        priority->used += (size_t)put;
}

static bool listed(const char *list, const struct suite *suite)
{
    char item[128];

    while ((list = list_next(list, ':', item, sizeof item)) != NULL)
        if (strcmp(suite->openssl, item) == 0 || strcmp(suite->iana, item) == 0)
            return true;
    return false;
}

/* The space is a product: naming two suites may let in a third.  That would not be what was
 * asked, so it is refused; ask for them one at a time. */
static int check_product(const char *list, bool old, bool new, struct error *e)
{
    for (size_t i = 0; i < SUITES; i++) {
        const struct suite *s = &suites[i];
        bool exchange = s->exchange == NULL ? new : false, cipher = false, mac = false;

        for (size_t j = 0; j < SUITES; j++) {
            if (!listed(list, &suites[j]))
                continue;
            exchange |= old && s->exchange != NULL && suites[j].exchange != NULL &&
                        strcmp(suites[j].exchange, s->exchange) == 0;
            cipher |= strcmp(suites[j].cipher, s->cipher) == 0;
            mac |= strcmp(suites[j].mac, s->mac) == 0;
        }
        if (exchange && cipher && mac && !listed(list, s))
            return failed(e, "ciphers: GnuTLS cannot offer just these: %s would be let in too",
                          s->openssl);
    }
    return 0;
}

static int prefer_ciphers(struct priority *priority, const char *list, struct error *e)
{
    const char *at = list;
    char item[128];
    bool old = false, new = false;

    prefer(priority, "-", "CIPHER-ALL:-KX-ALL:-MAC-ALL");
    while ((at = list_next(at, ':', item, sizeof item)) != NULL) {
        const struct suite *suite = suite_named(item);

        if (suite == NULL)
            return failed(e, "ciphers: '%s' is unknown; expected names such as %s or %s", item,
                          suites[0].openssl, suites[4].openssl);
        *(suite->exchange == NULL ? &new : &old) = true;
        if (suite->exchange != NULL)
            prefer(priority, "+", suite->exchange);
        prefer(priority, "+", suite->cipher);
        prefer(priority, "+", suite->mac);
    }
    if (!old) /* else KX-ALL would be missing for TLS 1.3 as well */
        prefer(priority, "+", "ECDHE-ECDSA:+ECDHE-RSA:-VERS-ALL:+VERS-TLS1.3");
    if (!new)
        prefer(priority, "-", "VERS-TLS1.3");
    return check_product(list, old, new, e);
}

static void prefer_versions(struct priority *priority, int min, int max)
{
    static const char *const names[] = {[TLS_1_0] = "VERS-TLS1.0",
                                        [TLS_1_1] = "VERS-TLS1.1",
                                        [TLS_1_2] = "VERS-TLS1.2",
                                        [TLS_1_3] = "VERS-TLS1.3"};

    for (int i = TLS_1_0; i < TLS_VERSIONS; i++)
        if ((min != TLS_AS_LIBRARY && i < min) || (max != TLS_AS_LIBRARY && i > max))
            prefer(priority, "-", names[i]);
}

static const struct word groups[] = {
    {"X25519",    "X25519"   },
    {"X448",      "X448"     },
    {"P-256",     "SECP256R1"},
    {"P-384",     "SECP384R1"},
    {"P-521",     "SECP521R1"},
    {"ffdhe2048", "FFDHE2048"},
    {"ffdhe3072", "FFDHE3072"},
    {"ffdhe4096", "FFDHE4096"},
    {NULL,        NULL       },
};

static const struct word sigalgs[] = {
    {"ecdsa_secp256r1_sha256", "ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA256"},
    {"ecdsa_secp384r1_sha384", "ECDSA-SECP384R1-SHA384:+SIGN-ECDSA-SHA384"},
    {"ecdsa_secp521r1_sha512", "ECDSA-SECP521R1-SHA512:+SIGN-ECDSA-SHA512"},
    {"ed25519",                "EDDSA-ED25519"                            },
    {"ed448",                  "EDDSA-ED448"                              },
    {"rsa_pss_rsae_sha256",    "RSA-PSS-RSAE-SHA256"                      },
    {"rsa_pss_rsae_sha384",    "RSA-PSS-RSAE-SHA384"                      },
    {"rsa_pss_rsae_sha512",    "RSA-PSS-RSAE-SHA512"                      },
    {"rsa_pkcs1_sha256",       "RSA-SHA256"                               },
    {"rsa_pkcs1_sha384",       "RSA-SHA384"                               },
    {"rsa_pkcs1_sha512",       "RSA-SHA512"                               },
    {"ecdsa_sha1",             "ECDSA-SHA1"                               },
    {"rsa_pkcs1_sha1",         "RSA-SHA1"                                 },
    {NULL,                     NULL                                       },
};

static int set_priority(struct profile *profile, const struct settings *settings, struct error *e)
{
    struct priority priority = {"NORMAL", sizeof "NORMAL" - 1};
    char text[PRIORITY_TEXT / 2];
    const char *where;

    prefer_versions(&priority, tls_version(settings->min_version, e),
                    tls_version(settings->max_version, e));
    if (settings->ciphers != NULL && prefer_ciphers(&priority, settings->ciphers, e) < 0)
        return -1;
    if (settings->groups != NULL) {
        if (words_join(groups, "groups", settings->groups, ":+GROUP-", text, sizeof text, e) < 0)
            return -1;
        prefer(&priority, "-GROUP-ALL", text);
    }
    if (settings->sigalgs != NULL) {
        if (words_join(sigalgs, "sigalgs", settings->sigalgs, ":+SIGN-", text, sizeof text, e) < 0)
            return -1;
        prefer(&priority, "-SIGN-ALL", text);
    }
    if (gnutls_priority_init(&profile->priority, priority.text, &where) == 0)
        return 0;
    return failed(e, "GnuTLS cannot offer that: its priority string fails at '%.60s'", where);
}

/* --- the profile -------------------------------------------------------------------------------- */

static int because(const char *what, const char *file, int number, struct error *e)
{
    return failed(e, "%s: %s: %s", what, file, gnutls_strerror(number));
}

/* The library's own message for a missing file is "Error while reading file." */
static int readable(const char *what, const char *file, struct error *e)
{
    FILE *in = fopen(file, "re");

    if (in == NULL)
        return failed(e, "%s: %s: %s", what, file, strerror(errno));
    fclose(in);
    return 0;
}

static int set_trust(struct profile *profile, const struct settings *settings, struct error *e)
{
    int count;

    if (settings->trust == NULL) {
        count = gnutls_certificate_set_x509_system_trust(profile->credentials);
        return count < 0 ? because("trust", "the system's roots", count, e) : 0;
    }
    if (readable("trust", settings->trust, e) < 0)
        return -1;
    count = gnutls_certificate_set_x509_trust_file(profile->credentials, settings->trust,
                                                   GNUTLS_X509_FMT_PEM);
    if (count < 0)
        return because("trust", settings->trust, count, e);
    return count > 0 ? 0 : failed(e, "trust: %s: no certificate found", settings->trust);
}

static int set_crls(struct profile *profile, const struct option_list *crls, struct error *e)
{
    for (size_t i = 0; i < crls->count; i++) {
        const char *file = crls->items[i];
        int count = readable("crl", file, e);

        if (count == 0)
            count = gnutls_certificate_set_x509_crl_file(profile->credentials, file,
                                                         GNUTLS_X509_FMT_PEM);
        else
            return -1;
        if (count <= 0)
            return because("crl", file, count == 0 ? GNUTLS_E_BASE64_DECODING_ERROR : count, e);
    }
    return 0;
}

static int set_identity(struct profile *profile, const struct settings *settings, struct error *e)
{
    int result;

    if (settings->cert == NULL)
        return 0;
    if (readable("cert", settings->cert, e) < 0 || readable("key", settings->key, e) < 0)
        return -1;
    result = gnutls_certificate_set_x509_key_file(profile->credentials, settings->cert,
                                                  settings->key, GNUTLS_X509_FMT_PEM);
    return result < 0 ? because("cert, key", settings->cert, result, e) : 0;
}

static int set_alpn(struct profile *profile, const char *list, struct error *e)
{
    unsigned char checked[2048];

    if (list == NULL)
        return 0;
    if (alpn_bytes(list, checked, sizeof checked, e) < 0)
        return -1;
    while (profile->alpn_count < ALPN_NAMES &&
           (list = list_next(list, ',', profile->alpn_text[profile->alpn_count],
                             sizeof profile->alpn_text[0])) != NULL) {
        char *text = profile->alpn_text[profile->alpn_count];

        profile->alpn[profile->alpn_count++] =
            (gnutls_datum_t){(unsigned char *)text, (unsigned)strlen(text)};
    }
    return 0;
}

static void forget(struct profile *profile)
{
    if (profile->priority != NULL)
        gnutls_priority_deinit(profile->priority);
    if (profile->credentials != NULL)
        gnutls_certificate_free_credentials(profile->credentials);
    free(profile);
}

static struct profile *prepare(const struct settings *settings, struct error *e)
{
    struct profile *profile = calloc(1, sizeof *profile);

    if (profile == NULL)
        return failed(e, "out of memory"), NULL;
    profile->settings = settings;
    profile->staple = staple_wish(settings->staple, e);
    if (gnutls_certificate_allocate_credentials(&profile->credentials) < 0) {
        failed(e, "out of memory");
    } else if (set_trust(profile, settings, e) == 0 && set_crls(profile, &settings->crls, e) == 0 &&
               set_identity(profile, settings, e) == 0 &&
               set_alpn(profile, settings->alpn, e) == 0 &&
               set_priority(profile, settings, e) == 0) {
        return profile;
    }
    forget(profile);
    return NULL;
}

/* --- bytes -------------------------------------------------------------------------------------- */

static ssize_t pull(gnutls_transport_ptr_t pointer, void *bytes, size_t room)
{
    struct session *session = pointer;
    ssize_t got = stream_receive(session->stream, bytes, room);

    if (got < 0)
        gnutls_transport_set_errno(session->tls, errno);
    return got;
}

static ssize_t push(gnutls_transport_ptr_t pointer, const void *bytes, size_t length)
{
    struct session *session = pointer;
    ssize_t put = stream_send(session->stream, bytes, length);

    if (put < 0)
        gnutls_transport_set_errno(session->tls, errno);
    return put;
}

/* Only asked where the library itself would wait, which it never does with no timeout set. */
static int pull_timeout(gnutls_transport_ptr_t pointer, unsigned milliseconds)
{
    (void)pointer;
    (void)milliseconds;
    return 1;
}

/* --- sessions ----------------------------------------------------------------------------------- */

static void close_session(struct session *session)
{
    gnutls_deinit(session->tls);
    free(session);
}

/* GnuTLS leaves out of "TLS_RSA_WITH_AES_128_GCM_SHA256" what IANA puts into it. */
static void suite_iana(const char *name, char *out, size_t size)
{
    static const char *const exchanges[] = {"TLS_ECDHE_ECDSA_", "TLS_ECDHE_RSA_", "TLS_DHE_RSA_",
                                            "TLS_RSA_"};

    for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++) {
        size_t length = strlen(exchanges[i]);

        if (strncmp(name, exchanges[i], length) == 0) {
            snprintf(out, size, "%sWITH_%s", exchanges[i], name + length);
            return;
        }
    }
    snprintf(out, size, "%s", name);
}

/* The library tells the suite only once the handshake is done; of one that fails, the
 * ServerHello tells (RFC 8446 section 4.1.3: version, random, session id, suite). */
static int on_server_hello(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                           const gnutls_datum_t *message)
{
    struct session *session = gnutls_session_get_ptr(tls);
    const unsigned char *bytes = message->data;
    size_t at = 2 + 32;
    unsigned char id[2];
    const char *name;

    (void)type;
    (void)when;
    if (!incoming || message->size <= at || message->size < at + 1 + bytes[at] + 2)
        return 0;
    at += 1 + bytes[at];
    for (size_t i = 0; (name = gnutls_cipher_suite_info(i, id, NULL, NULL, NULL, NULL)); i++)
        if (id[0] == bytes[at] && id[1] == bytes[at + 1])
            suite_iana(name, session->verdict->cipher, sizeof session->verdict->cipher);
    return 0;
}

static int set_up(struct session *session)
{
    struct profile *profile = session->profile;
    gnutls_session_t tls = session->tls;
    const char *name = session->name;

    gnutls_session_set_ptr(tls, session);
    gnutls_transport_set_ptr(tls, session);
    gnutls_transport_set_pull_function(tls, pull);
    gnutls_transport_set_push_function(tls, push);
    gnutls_transport_set_pull_timeout_function(tls, pull_timeout);
    gnutls_handshake_set_timeout(tls, GNUTLS_INDEFINITE_TIMEOUT);
    gnutls_handshake_set_hook_function(tls, GNUTLS_HANDSHAKE_SERVER_HELLO, GNUTLS_HOOK_POST,
                                       on_server_hello);
    gnutls_session_set_verify_function(tls, on_chain);
    gnutls_session_set_verify_output_function(tls, on_certificate);
    if (gnutls_priority_set(tls, profile->priority) < 0 ||
        gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, profile->credentials) < 0)
        return -1;
    if (!name_is_address(name) &&
        gnutls_server_name_set(tls, GNUTLS_NAME_DNS, name, strlen(name)) < 0)
        return -1;
    if (profile->alpn_count > 0 &&
        gnutls_alpn_set_protocols(tls, profile->alpn, profile->alpn_count, 0) < 0)
        return -1;
    return 0;
}

static struct session *open_session(struct profile *profile, const char *name,
                                    struct stream *stream, struct verdict *verdict, struct error *e)
{
    /* The default extensions are session tickets and the staple request. */
    unsigned flags = GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_FORCE_CLIENT_CERT |
                     (profile->staple == STAPLE_IGNORE ? GNUTLS_NO_EXTENSIONS : 0u);
    struct session *session = calloc(1, sizeof *session);

    if (session == NULL)
        return failed(e, "out of memory"), NULL;
    *session = (struct session){.profile = profile,
                                .stream = stream,
                                .verdict = verdict,
                                .bad_at = DEPTH_UNKNOWN,
                                .constraint = OUTCOME_NAME_CONSTRAINT};
    verdict_text(session->name, name);
    if (gnutls_init(&session->tls, flags) < 0) {
        free(session);
        return failed(e, "out of memory"), NULL;
    }
    if (set_up(session) < 0) {
        close_session(session);
        return failed(e, "GnuTLS could not make a session for '%s'", name), NULL;
    }
    if (profile->staple == STAPLE_IGNORE)
        verdict->staple = "ignored";
    return session;
}

static void note_parameters(struct session *session)
{
    struct verdict *verdict = session->verdict;
    gnutls_session_t tls = session->tls;
    const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(tls));
    const char *group = gnutls_group_get_name(gnutls_group_get(tls));
    gnutls_datum_t alpn;

    if (verdict->cipher[0] == '\0' || version == NULL)
        return;
    snprintf(verdict->version, sizeof verdict->version, "TLSv%s", version + strlen("TLS"));
    if (group != NULL)
        verdict_text(verdict->group, word_ours(groups, group));
    if (gnutls_alpn_get_selected_protocol(tls, &alpn) == 0)
        snprintf(verdict->alpn, sizeof verdict->alpn, "%.*s", (int)alpn.size, (char *)alpn.data);
    verdict->resumed = gnutls_session_is_resumed(tls) != 0;
}

static bool try_again(int number)
{
    return number == GNUTLS_E_AGAIN || number == GNUTLS_E_INTERRUPTED;
}

static enum step waiting(const struct session *session)
{
    return gnutls_record_get_direction(session->tls) == 1 ? STEP_WANT_WRITE : STEP_WANT_READ;
}

static bool note_alert(struct session *session, int number)
{
    if (number != GNUTLS_E_FATAL_ALERT_RECEIVED && number != GNUTLS_E_WARNING_ALERT_RECEIVED)
        return false;
    session->verdict->alert_received = (int)gnutls_alert_get(session->tls);
    return true;
}

/* Nothing is to be said to a peer that has ended the conversation. */
static bool peer_is_gone(int number)
{
    return number == GNUTLS_E_PREMATURE_TERMINATION || number == GNUTLS_E_PUSH_ERROR ||
           number == GNUTLS_E_PULL_ERROR;
}

static void send_alert(struct session *session, int number)
{
    int level;
    int alert = gnutls_error_to_alert(number, &level);

    if (gnutls_alert_send_appropriate(session->tls, number) == 0)
        session->verdict->alert_sent = alert;
}

static enum step handshake(struct session *session)
{
    int result;

    do {
        result = gnutls_handshake(session->tls);
        if (try_again(result))
            return waiting(session);
        note_alert(session, result);
    } while (result < 0 && !gnutls_error_is_fatal(result));
    note_parameters(session);
    if (result == 0) {
        verdict_set(session->verdict, OUTCOME_OK, DEPTH_UNKNOWN, NULL, NULL);
        return STEP_DONE;
    }
    if (!session->refused)
        blame_error(session, result);
    if (session->verdict->alert_received == ALERT_NONE && !peer_is_gone(result))
        send_alert(session, result);
    return STEP_FAILED;
}

static enum step send_bytes(struct session *session, const char *bytes, size_t length, size_t *sent)
{
    ssize_t result = gnutls_record_send(session->tls, bytes, length);

    if (result >= 0) {
        *sent = (size_t)result;
        return STEP_DONE;
    }
    return try_again((int)result) ? waiting(session) : STEP_FAILED;
}

static enum step receive_bytes(struct session *session, char *bytes, size_t room, size_t *received)
{
    ssize_t result = gnutls_record_recv(session->tls, bytes, room);

    *received = result > 0 ? (size_t)result : 0;
    if (result >= 0)
        return STEP_DONE;
    if (try_again((int)result))
        return waiting(session);
    if (note_alert(session, (int)result)) {
        blame_error(session, (int)result);
        return STEP_FAILED;
    }
    if (result == GNUTLS_E_PREMATURE_TERMINATION)
        return STEP_DONE; /* hung up without a close_notify */
    return gnutls_error_is_fatal((int)result) ? STEP_FAILED : STEP_WANT_READ;
}

static void finish(struct session *session)
{
    gnutls_bye(session->tls, GNUTLS_SHUT_WR);
}

static const char *version(void)
{
    return gnutls_check_version(NULL);
}

static const char *const features[] = {"probe", "fleet",  "alpn",    "crl", "staple",
                                       "cert",  "groups", "sigalgs", NULL};

const struct driver driver = {
    .library = "gnutls",
    .features = features,
    .version = version,
    .prepare = prepare,
    .forget = forget,
    .open = open_session,
    .handshake = handshake,
    .send = send_bytes,
    .receive = receive_bytes,
    .finish = finish,
    .close = close_session,
};
