/* gnutls_priority.c -- GnuTLS is told what to offer by one string of pluses and minuses. */
#include <stdio.h>
#include <string.h>

#include "clients/gnutls_parts.h"

#define PRIORITY_TEXT 4096

/* A suite is a point in GnuTLS's space of key exchange, cipher and MAC. */
/* clang-format off */
static const struct suite {
    const char *openssl;
    const char *iana;     /* after TLS_ */
    const char *exchange; /* NULL: TLS 1.3, where the suite has no say in it */
    const char *cipher;
} suites[] = {
    {"TLS_AES_128_GCM_SHA256",        "AES_128_GCM_SHA256",                        NULL,          "AES-128-GCM"},
    {"TLS_AES_256_GCM_SHA384",        "AES_256_GCM_SHA384",                        NULL,          "AES-256-GCM"},
    {"TLS_CHACHA20_POLY1305_SHA256",  "CHACHA20_POLY1305_SHA256",                  NULL,          "CHACHA20-POLY1305"},
    {"TLS_AES_128_CCM_SHA256",        "AES_128_CCM_SHA256",                        NULL,          "AES-128-CCM"},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",       "ECDHE-ECDSA", "AES-128-GCM"},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",       "ECDHE-ECDSA", "AES-256-GCM"},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA", "CHACHA20-POLY1305"},
    {"ECDHE-ECDSA-AES128-SHA",        "ECDHE_ECDSA_WITH_AES_128_CBC_SHA",          "ECDHE-ECDSA", "AES-128-CBC"},
    {"ECDHE-ECDSA-AES256-SHA",        "ECDHE_ECDSA_WITH_AES_256_CBC_SHA",          "ECDHE-ECDSA", "AES-256-CBC"},
    {"ECDHE-RSA-AES128-GCM-SHA256",   "ECDHE_RSA_WITH_AES_128_GCM_SHA256",         "ECDHE-RSA",   "AES-128-GCM"},
    {"ECDHE-RSA-AES256-GCM-SHA384",   "ECDHE_RSA_WITH_AES_256_GCM_SHA384",         "ECDHE-RSA",   "AES-256-GCM"},
    {"ECDHE-RSA-CHACHA20-POLY1305",   "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",   "ECDHE-RSA",   "CHACHA20-POLY1305"},
    {"ECDHE-RSA-AES128-SHA",          "ECDHE_RSA_WITH_AES_128_CBC_SHA",            "ECDHE-RSA",   "AES-128-CBC"},
    {"ECDHE-RSA-AES256-SHA",          "ECDHE_RSA_WITH_AES_256_CBC_SHA",            "ECDHE-RSA",   "AES-256-CBC"},
    {"DHE-RSA-AES128-GCM-SHA256",     "DHE_RSA_WITH_AES_128_GCM_SHA256",           "DHE-RSA",     "AES-128-GCM"},
    {"DHE-RSA-AES256-GCM-SHA384",     "DHE_RSA_WITH_AES_256_GCM_SHA384",           "DHE-RSA",     "AES-256-GCM"},
    {"AES128-GCM-SHA256",             "RSA_WITH_AES_128_GCM_SHA256",               "RSA",         "AES-128-GCM"},
    {"AES256-GCM-SHA384",             "RSA_WITH_AES_256_GCM_SHA384",               "RSA",         "AES-256-GCM"},
    {"AES128-SHA",                    "RSA_WITH_AES_128_CBC_SHA",                  "RSA",         "AES-128-CBC"},
    {"AES256-SHA",                    "RSA_WITH_AES_256_CBC_SHA",                  "RSA",         "AES-256-CBC"},
    {"DES-CBC3-SHA",                  "RSA_WITH_3DES_EDE_CBC_SHA",                 "RSA",         "3DES-CBC"},
};
/* clang-format on */
#define SUITES (sizeof suites / sizeof suites[0])

/* Of those above, the CBC ones all go with SHA-1. */
static const char *mac_of(const struct suite *suite)
{
    return strstr(suite->cipher, "-CBC") != NULL ? "SHA1" : "AEAD";
}

static bool is_called(const struct suite *suite, const char *name)
{
    return strcmp(suite->openssl, name) == 0 ||
           (strncmp(name, "TLS_", 4) == 0 && strcmp(suite->iana, name + 4) == 0);
}

static const struct suite *suite_named(const char *name)
{
    for (size_t i = 0; i < SUITES; i++)
        if (is_called(&suites[i], name))
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
        if (is_called(suite, item))
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
            mac |= strcmp(mac_of(&suites[j]), mac_of(s)) == 0;
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
        prefer(priority, "+", mac_of(suite));
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

const struct word gnutls_groups[] = {
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

int gnutls_set_priority(struct profile *profile, const struct settings *settings, struct error *e)
{
    struct priority priority = {"NORMAL", sizeof "NORMAL" - 1};
    char text[PRIORITY_TEXT / 2];
    const char *where;

    prefer_versions(&priority, tls_version(settings->min_version, e),
                    tls_version(settings->max_version, e));
    if (settings->ciphers != NULL && prefer_ciphers(&priority, settings->ciphers, e) < 0)
        return -1;
    if (settings->groups != NULL) {
        if (words_join(gnutls_groups, "groups", settings->groups, ":+GROUP-", text, sizeof text,
                       e) < 0)
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
