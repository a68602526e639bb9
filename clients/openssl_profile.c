#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "clients/file.h"
#include "clients/openssl_parts.h"
#include "clients/words.h"

#define LIST_TEXT 2048

static int because(const char *what, const char *file, struct error *e)
{
    unsigned long error = ERR_peek_error();
    const char *words = ERR_GET_LIB(error) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(error))
                                                          : ERR_reason_error_string(error);

    failed(e, "%s: %s: %s", what, file, words == NULL ? "not usable" : words);
    ERR_clear_error();
    return -1;
}

static int set_trust(SSL_CTX *context, const struct settings *settings, struct error *e)
{
    SSL_CTX_set_verify(context, settings->no_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, openssl_on_chain, NULL);
    if (settings->trust == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1
                   ? 0
                   : because("trust", "the system's roots", e);
    if (file_readable("trust", settings->trust, e) < 0)
        return -1;
    return SSL_CTX_load_verify_locations(context, settings->trust, NULL) == 1
               ? 0
               : because("trust", settings->trust, e);
}

/* Every certificate of the chain must then be on no list, and have one that is current. */
static int set_crls(SSL_CTX *context, const struct option_list *crls, struct error *e)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

    if (crls->count == 0)
        return 0;
    for (size_t i = 0; i < crls->count; i++) {
        if (file_readable("crl", crls->items[i], e) < 0)
            return -1;
        if (X509_load_crl_file(lookup, crls->items[i], X509_FILETYPE_PEM) <= 0)
            return because("crl", crls->items[i], e);
    }
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return 0;
}

static const int protocol[TLS_VERSIONS] = {
    [TLS_1_0] = TLS1_VERSION,
    [TLS_1_1] = TLS1_1_VERSION,
    [TLS_1_2] = TLS1_2_VERSION,
    [TLS_1_3] = TLS1_3_VERSION,
};

/* TLS 1.3 suites and older ones are two lists here; ours is one, and it is complete: a version
 * for which it names nothing is not offered.  IANA names are taken as well as OpenSSL's. */
static int set_ciphers(SSL_CTX *context, const char *list, struct error *e)
{
    char item[128], suites[LIST_TEXT] = "", ciphers[LIST_TEXT] = "";

    if (list == NULL)
        return 0;
    while ((list = list_next(list, ':', item, sizeof item)) != NULL) {
        const char *old = OPENSSL_cipher_name(item);
        bool is_13 = strncmp(item, "TLS_", 4) == 0 && strstr(item, "_WITH_") == NULL;
        char *to = is_13 ? suites : ciphers;

        if (strlen(to) + sizeof item + 2 > LIST_TEXT)
            return failed(e, "ciphers: the list is too long");
        if (*to != '\0')
            strcat(to, ":");
        strcat(to, is_13 || strcmp(old, "(NONE)") == 0 ? item : old);
    }
    if (*suites != '\0' && SSL_CTX_set_ciphersuites(context, suites) != 1)
        return because("ciphers", suites, e);
    if (*ciphers != '\0' && SSL_CTX_set_cipher_list(context, ciphers) != 1)
        return because("ciphers", ciphers, e);
    if (*suites == '\0')
        SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    if (*ciphers == '\0')
        SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    return 0;
}

static int set_versions(SSL_CTX *context, const struct settings *settings, struct error *e)
{
    int min = tls_version(settings->min_version, e);
    int max = tls_version(settings->max_version, e);

    if (min > 0 && SSL_CTX_set_min_proto_version(context, protocol[min]) != 1)
        return because("min version", settings->min_version, e);
    if (max > 0 && SSL_CTX_set_max_proto_version(context, protocol[max]) != 1)
        return because("max version", settings->max_version, e);
    return 0;
}

static const struct word groups[] = {
    {"X25519",    "X25519"   },
    {"X448",      "X448"     },
    {"P-256",     "P-256"    },
    {"P-384",     "P-384"    },
    {"P-521",     "P-521"    },
    {"ffdhe2048", "ffdhe2048"},
    {"ffdhe3072", "ffdhe3072"},
    {"ffdhe4096", "ffdhe4096"},
    {NULL,        NULL       },
};

static const struct word sigalgs[] = {
    {"ecdsa_secp256r1_sha256", "ecdsa_secp256r1_sha256"},
    {"ecdsa_secp384r1_sha384", "ecdsa_secp384r1_sha384"},
    {"ecdsa_secp521r1_sha512", "ecdsa_secp521r1_sha512"},
    {"ed25519",                "ed25519"               },
    {"ed448",                  "ed448"                 },
    {"rsa_pss_rsae_sha256",    "rsa_pss_rsae_sha256"   },
    {"rsa_pss_rsae_sha384",    "rsa_pss_rsae_sha384"   },
    {"rsa_pss_rsae_sha512",    "rsa_pss_rsae_sha512"   },
    {"rsa_pkcs1_sha256",       "rsa_pkcs1_sha256"      },
    {"rsa_pkcs1_sha384",       "rsa_pkcs1_sha384"      },
    {"rsa_pkcs1_sha512",       "rsa_pkcs1_sha512"      },
    {"ecdsa_sha1",             "ecdsa_sha1"            },
    {"rsa_pkcs1_sha1",         "rsa_pkcs1_sha1"        },
    {NULL,                     NULL                    },
};

static int set_lists(SSL_CTX *context, const struct settings *settings, struct error *e)
{
    char text[LIST_TEXT];
    unsigned char names[LIST_TEXT];
    int length;

    if (settings->groups != NULL) {
        if (words_join(groups, "groups", settings->groups, ":", text, sizeof text, e) < 0)
            return -1;
        if (SSL_CTX_set1_groups_list(context, text + 1) != 1)
            return because("groups", settings->groups, e);
    }
    if (settings->sigalgs != NULL) {
        if (words_join(sigalgs, "sigalgs", settings->sigalgs, ":", text, sizeof text, e) < 0)
            return -1;
        if (SSL_CTX_set1_sigalgs_list(context, text + 1) != 1)
            return because("sigalgs", settings->sigalgs, e);
    }
    if (settings->alpn != NULL) {
        length = alpn_bytes(settings->alpn, names, sizeof names, e);
        if (length < 0 || SSL_CTX_set_alpn_protos(context, names, (unsigned)length) != 0)
            return -1;
    }
    return 0;
}

static int set_identity(SSL_CTX *context, const struct settings *settings, struct error *e)
{
    if (settings->cert == NULL)
        return 0;
    if (file_readable("cert", settings->cert, e) < 0 || file_readable("key", settings->key, e) < 0)
        return -1;
    if (SSL_CTX_use_certificate_chain_file(context, settings->cert) != 1)
        return because("cert", settings->cert, e);
    if (SSL_CTX_use_PrivateKey_file(context, settings->key, SSL_FILETYPE_PEM) != 1)
        return because("key", settings->key, e);
    return 0;
}

void openssl_forget(struct profile *profile)
{
    SSL_CTX_free(profile->context);
    free(profile);
}

struct profile *openssl_prepare(const struct settings *settings, struct error *e)
{
    struct profile *profile = calloc(1, sizeof *profile);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    ERR_clear_error();
    if (profile == NULL || context == NULL) {
        SSL_CTX_free(context);
        free(profile);
        return failed(e, "out of memory"), NULL;
    }
    *profile = (struct profile){settings, context, staple_wish(settings->staple, e)};
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_info_callback(context, openssl_on_event);
    SSL_CTX_set_tlsext_status_cb(context, openssl_on_staple);
    if (set_trust(context, settings, e) < 0 || set_crls(context, &settings->crls, e) < 0 ||
        set_ciphers(context, settings->ciphers, e) < 0 || set_versions(context, settings, e) < 0 ||
        set_lists(context, settings, e) < 0 || set_identity(context, settings, e) < 0) {
        openssl_forget(profile);
        return NULL;
    }
    return profile;
}
