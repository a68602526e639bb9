#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/wolfssl_parts.h"

static WOLFSSL_CTX *new_context(const struct profile *profile)
{
    WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLS_client_method());

    if (context == NULL)
        return NULL;
    if (profile->trust.bytes == NULL)
        wolfSSL_CTX_load_system_CA_certs(context);
    return context;
}

static int load_trust(const struct profile *profile, WOLFSSL_CTX *context)
{
    if (profile->trust.bytes == NULL)
        return WOLFSSL_SUCCESS;
    return wolfSSL_CTX_load_verify_buffer_ex(context, profile->trust.bytes,
                                             (long)profile->trust.size, WOLFSSL_FILETYPE_PEM, 0,
                                             WOLFSSL_LOAD_VERIFY_DEFAULT_FLAGS);
}

static int split_crls(struct profile *profile, const struct file *file, const char *path,
                      struct error *e)
{
    static const char begin[] = "-----BEGIN X509 CRL-----", end[] = "-----END X509 CRL-----";
    const char *at = (const char *)file->bytes;
    size_t before = profile->crl_count;

    while ((at = strstr(at, begin)) != NULL) {
        const char *last = strstr(at, end);

        if (last == NULL || profile->crl_count == CRLS_MAX)
            break;
        profile->crls[profile->crl_count++] =
            (struct crl){(const unsigned char *)at, (long)(last + sizeof end - 1 - at)};
        at = last;
    }
    return profile->crl_count > before ? 0 : failed(e, "crl: %s: no revocation list found", path);
}

static int read_files(struct profile *profile, struct error *e)
{
    const struct settings *settings = profile->settings;

    if (settings->trust != NULL && file_read("trust", settings->trust, &profile->trust, e) < 0)
        return -1;
    for (size_t i = 0; i < settings->crls.count; i++) {
        struct file *file = &profile->crl_files[i];

        if (file_read("crl", settings->crls.items[i], file, e) < 0 ||
            split_crls(profile, file, settings->crls.items[i], e) < 0)
            return -1;
    }
    return 0;
}

/* --- the profile -------------------------------------------------------------------------------- */

const struct word wolfssl_groups[] = {
    {"X25519",    "X25519"    },
    {"X448",      "X448"      },
    {"P-256",     "SECP256R1" },
    {"P-384",     "SECP384R1" },
    {"P-521",     "SECP521R1" },
    {"ffdhe2048", "FFDHE_2048"},
    {"ffdhe3072", "FFDHE_3072"},
    {"ffdhe4096", NULL        },
    {NULL,        NULL        },
};

static const struct {
    const char *ours;
    int number;
} group_numbers[] = {
    {"X25519",     WOLFSSL_ECC_X25519   },
    {"X448",       WOLFSSL_ECC_X448     },
    {"SECP256R1",  WOLFSSL_ECC_SECP256R1},
    {"SECP384R1",  WOLFSSL_ECC_SECP384R1},
    {"SECP521R1",  WOLFSSL_ECC_SECP521R1},
    {"FFDHE_2048", WOLFSSL_FFDHE_2048   },
    {"FFDHE_3072", WOLFSSL_FFDHE_3072   },
};

static int set_groups(struct profile *profile, const char *list, struct error *e)
{
    char text[LIST_TEXT], item[64];
    const char *at = text + 1;

    if (list == NULL)
        return 0;
    if (words_join(wolfssl_groups, "groups", list, ":", text, sizeof text, e) < 0)
        return -1;
    while ((at = list_next(at, ':', item, sizeof item)) != NULL)
        for (size_t i = 0; i < sizeof group_numbers / sizeof group_numbers[0]; i++)
            if (strcmp(group_numbers[i].ours, item) == 0 && profile->group_count < GROUPS_MAX)
                profile->groups[profile->group_count++] = group_numbers[i].number;
    return 0;
}

static const struct word sigalgs[] = {
    {"ecdsa_secp256r1_sha256", "ECDSA+SHA256"  },
    {"ecdsa_secp384r1_sha384", "ECDSA+SHA384"  },
    {"ecdsa_secp521r1_sha512", "ECDSA+SHA512"  },
    {"ed25519",                "ED25519"       },
    {"ed448",                  "ED448"         },
    {"rsa_pss_rsae_sha256",    "RSA-PSS+SHA256"},
    {"rsa_pss_rsae_sha384",    "RSA-PSS+SHA384"},
    {"rsa_pss_rsae_sha512",    "RSA-PSS+SHA512"},
    {"rsa_pkcs1_sha256",       "RSA+SHA256"    },
    {"rsa_pkcs1_sha384",       "RSA+SHA384"    },
    {"rsa_pkcs1_sha512",       "RSA+SHA512"    },
    {"ecdsa_sha1",             "ECDSA+SHA1"    },
    {"rsa_pkcs1_sha1",         "RSA+SHA1"      },
    {NULL,                     NULL            },
};

/* The names that TLS 1.3 suites have here; all others are OpenSSL's or IANA's. */
static const struct word suites[] = {
    {"TLS_AES_128_GCM_SHA256",       "TLS13-AES128-GCM-SHA256"       },
    {"TLS_AES_256_GCM_SHA384",       "TLS13-AES256-GCM-SHA384"       },
    {"TLS_CHACHA20_POLY1305_SHA256", "TLS13-CHACHA20-POLY1305-SHA256"},
    {"TLS_AES_128_CCM_SHA256",       "TLS13-AES128-CCM-SHA256"       },
    {NULL,                           NULL                            },
};

static const char *suite_theirs(const char *name)
{
    for (const struct word *at = suites; at->ours != NULL; at++)
        if (strcmp(at->ours, name) == 0)
            return at->theirs;
    return name;
}

/* wolfSSL skips names it does not know, as long as it knows one; a typo would go unnoticed. */
static int set_ciphers(struct profile *profile, WOLFSSL_CTX *context, const char *list,
                       struct error *e)
{
    char item[128];
    size_t used = 0;

    if (list == NULL)
        return 0;
    while ((list = list_next(list, ':', item, sizeof item)) != NULL) {
        const char *theirs = suite_theirs(item);

        *(strncmp(theirs, "TLS13-", 6) == 0 ? &profile->has_13 : &profile->has_old) = true;
        if (wolfSSL_CTX_set_cipher_list(context, theirs) != WOLFSSL_SUCCESS)
            return failed(e,
                          "ciphers: '%s' is not in this wolfSSL; expected names such as %s or "
                          "ECDHE-ECDSA-AES128-GCM-SHA256",
                          item, suites[0].ours);
        used += (size_t)snprintf(profile->ciphers + used, sizeof profile->ciphers - used, "%s%s",
                                 used > 0 ? ":" : "", theirs);
        if (used >= sizeof profile->ciphers)
            return failed(e, "ciphers: the list is too long");
    }
    return 0;
}

static const int protocol[TLS_VERSIONS] = {
    [TLS_1_0] = TLS1_VERSION,
    [TLS_1_1] = TLS1_1_VERSION,
    [TLS_1_2] = TLS1_2_VERSION,
    [TLS_1_3] = TLS1_3_VERSION,
};

static int set_versions(const struct settings *settings, WOLFSSL_CTX *context, struct error *e)
{
    int min = tls_version(settings->min_version, e);
    int max = tls_version(settings->max_version, e);

    /* No Debian build has TLS 1.0: as a minimum it asks for no more than there is. */
    if (max == TLS_1_0)
        return failed(e, "max version: this wolfSSL has no TLS 1.0");
    if (min > TLS_1_0 &&
        wolfSSL_CTX_set_min_proto_version(context, protocol[min]) != WOLFSSL_SUCCESS)
        return failed(e, "min version: this wolfSSL has no TLS %s", settings->min_version);
    if (max > 0 && wolfSSL_CTX_set_max_proto_version(context, protocol[max]) != WOLFSSL_SUCCESS)
        return failed(e, "max version: this wolfSSL has no TLS %s", settings->max_version);
    return 0;
}

static int set_identity(const struct settings *settings, WOLFSSL_CTX *context, struct error *e)
{
    if (settings->cert == NULL)
        return 0;
    if (file_readable("cert", settings->cert, e) < 0 || file_readable("key", settings->key, e) < 0)
        return -1;
    if (wolfSSL_CTX_use_certificate_chain_file(context, settings->cert) != WOLFSSL_SUCCESS)
        return failed(e, "cert: %s: no certificate that wolfSSL can use", settings->cert);
    if (wolfSSL_CTX_use_PrivateKey_file(context, settings->key, WOLFSSL_FILETYPE_PEM) !=
        WOLFSSL_SUCCESS)
        return failed(e, "key: %s: no key that fits %s", settings->key, settings->cert);
    return 0;
}

/* Everything in the settings that a context holds.  What could be wrong with it was found by
 * prepare, which does the same on a context of its own. */
static int set_context(struct profile *profile, WOLFSSL_CTX *context, struct error *e)
{
    const struct settings *settings = profile->settings;

    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, wolfssl_on_certificate);
    if (profile->ciphers[0] != '\0' &&
        wolfSSL_CTX_set_cipher_list(context, profile->ciphers) != WOLFSSL_SUCCESS)
        return failed(e, "ciphers: wolfSSL refuses the list");
    if (profile->sigalgs[0] != '\0' &&
        wolfSSL_CTX_set1_sigalgs_list(context, profile->sigalgs + 1) != WOLFSSL_SUCCESS)
        return failed(e, "sigalgs: wolfSSL refuses '%s'", settings->sigalgs);
    if (profile->group_count > 0 &&
        wolfSSL_CTX_set_groups(context, profile->groups, profile->group_count) != WOLFSSL_SUCCESS)
        return failed(e, "groups: wolfSSL refuses '%s'", settings->groups);
    /* A version for which the list names nothing is not offered. */
    if (profile->has_old && !profile->has_13)
        wolfSSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    if (profile->has_13 && !profile->has_old)
        wolfSSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    if (set_versions(settings, context, e) < 0)
        return -1;
    return set_identity(settings, context, e);
}

void wolfssl_forget(struct profile *profile)
{
    for (size_t i = 0; i < OPTION_LIST_MAX; i++)
        file_free(&profile->crl_files[i]);
    file_free(&profile->trust);
    free(profile);
}

static int check(struct profile *profile, WOLFSSL_CTX *context, struct error *e)
{
    const struct settings *settings = profile->settings;
    unsigned char names[LIST_TEXT];

    if (read_files(profile, e) < 0 || set_ciphers(profile, context, settings->ciphers, e) < 0 ||
        set_groups(profile, settings->groups, e) < 0)
        return -1;
    if (settings->sigalgs != NULL && words_join(sigalgs, "sigalgs", settings->sigalgs, ":",
                                                profile->sigalgs, sizeof profile->sigalgs, e) < 0)
        return -1;
    if (settings->alpn != NULL && alpn_bytes(settings->alpn, names, sizeof names, e) < 0)
        return -1;
    if (load_trust(profile, context) != WOLFSSL_SUCCESS)
        return failed(e, "trust: %s: no certificate that wolfSSL can use", settings->trust);
    return set_context(profile, context, e);
}

struct profile *wolfssl_prepare(const struct settings *settings, struct error *e)
{
    static bool begun;
    struct profile *profile = calloc(1, sizeof *profile);
    WOLFSSL_CTX *context = NULL;
    int good = -1;

    if (!begun)
        begun = wolfSSL_Init() == WOLFSSL_SUCCESS;
    if (profile != NULL)
        context = wolfSSL_CTX_new(wolfTLS_client_method());
    if (context == NULL) {
        free(profile);
        return failed(e, "out of memory"), NULL;
    }
    profile->settings = settings;
    profile->staple = staple_wish(settings->staple, e);
    good = check(profile, context, e);
    wolfSSL_CTX_free(context);
    if (good == 0)
        return profile;
    wolfssl_forget(profile);
    return NULL;
}

WOLFSSL_CTX *wolfssl_context(struct profile *profile, struct error *e)
{
    WOLFSSL_CTX *context = new_context(profile);

    if (context == NULL)
        return failed(e, "out of memory"), NULL;
    if (load_trust(profile, context) == WOLFSSL_SUCCESS && set_context(profile, context, e) == 0)
        return context;
    wolfSSL_CTX_free(context);
    return failed(e, "wolfSSL could not make a context again"), NULL;
}
