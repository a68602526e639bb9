/* wolfssl.c -- the driver for wolfSSL 5.5 and later.
 *
 * One context a connection: a shared one remembers the intermediates it has verified, and the
 * next client would then accept a server that forgot to send them.  The reason for a
 * refusal is the verify callback's *first* error: wolfSSL_get_error says "no signer" for
 * an expired intermediate, a bad signature and a long path alike.
 */
#include "clients/driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wolfssl/options.h>
/* options.h comes first, and one of its names is ours as well */
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "clients/words.h"

#define LIST_TEXT  2048
#define GROUPS_MAX 16
#define CRLS_MAX   64
#define FILE_MAX   (16 * 1024 * 1024)

struct file {
    unsigned char *bytes;
    long size;
};

/* One PEM block of a CRL file, in the bytes of the file. */
struct crl {
    const unsigned char *bytes;
    long size;
};

struct profile {
    const struct settings *settings;
    struct file trust;
    struct file crl_files[OPTION_LIST_MAX];
    struct crl crls[CRLS_MAX];
    size_t crl_count;
    int staple;
    int groups[GROUPS_MAX];
    int group_count;
    char ciphers[LIST_TEXT], sigalgs[LIST_TEXT];
    bool has_old, has_13; /* what the list of ciphers names suites for */
};

struct session {
    struct profile *profile;
    WOLFSSL_CTX *context;
    WOLFSSL *ssl;
    struct stream *stream;
    struct verdict *verdict;
    bool loaded[CRLS_MAX]; /* a list is refused until its issuer is known */
    int first_error;       /* of the verify callback; 0 none */
    int first_depth;
};

/* --- what the library says, in our words -------------------------------------------------------- */

#define E(symbol, outcome)                                                                         \
    {                                                                                              \
        symbol, #symbol, OUTCOME_##outcome                                                         \
    }
static const struct row {
    int number;
    const char *name;
    enum outcome outcome;
} rows[] = {
    /* what the verify callback is told: some of OpenSSL's numbers ... */
    E(X509_V_ERR_CERT_SIGNATURE_FAILURE, BAD_SIGNATURE),
    E(X509_V_ERR_CERT_NOT_YET_VALID, NOT_YET_VALID),
    E(X509_V_ERR_CERT_HAS_EXPIRED, EXPIRED),
    E(X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, NOT_YET_VALID),
    E(X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, EXPIRED),
    E(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, SELF_SIGNED),
    E(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNKNOWN_ISSUER),
    E(X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, UNKNOWN_ISSUER),
    E(X509_V_ERR_CERT_CHAIN_TOO_LONG, PATH_LENGTH),
    E(X509_V_ERR_CERT_REVOKED, REVOKED),
    E(X509_V_ERR_INVALID_CA, NOT_A_CA),
    E(X509_V_ERR_PATH_LENGTH_EXCEEDED, PATH_LENGTH),
    /* ... and its own, there as well as from wolfSSL_get_error */
    E(ASN_BEFORE_DATE_E, NOT_YET_VALID),
    E(ASN_AFTER_DATE_E, EXPIRED),
    E(ASN_NO_SIGNER_E, UNKNOWN_ISSUER),
    E(ASN_SELF_SIGNED_E, SELF_SIGNED),
    E(ASN_SIG_CONFIRM_E, BAD_SIGNATURE),
    E(ASN_SIG_OID_E, BAD_SIGNATURE),
    E(ASN_SIG_HASH_E, WEAK_SIGNATURE),
    E(VERIFY_SIGN_ERROR, BAD_SIGNATURE),
    E(SIG_VERIFY_E, BAD_SIGNATURE),
    E(DOMAIN_NAME_MISMATCH, WRONG_NAME),
    E(IPADDR_MISMATCH, WRONG_NAME),
    E(ASN_NAME_INVALID_E, NAME_CONSTRAINT),
    E(ASN_PATHLEN_SIZE_E, PATH_LENGTH),
    E(ASN_PATHLEN_INV_E, PATH_LENGTH),
    E(MAX_CHAIN_ERROR, PATH_LENGTH),
    E(NOT_CA_ERROR, NOT_A_CA),
    E(ASN_CRIT_EXT_E, CRITICAL_EXTENSION),
    E(KEYUSE_SIGNATURE_E, WRONG_PURPOSE),
    E(KEYUSE_ENCIPHER_E, WRONG_PURPOSE),
    E(EXTKEYUSE_AUTH_E, WRONG_PURPOSE),
    E(RSA_KEY_SIZE_E, WEAK_KEY),
    E(ECC_KEY_SIZE_E, WEAK_KEY),
    E(DH_KEY_SIZE_E, WEAK_KEY),
    E(OCSP_CERT_REVOKED, REVOKED),
    E(CRL_CERT_REVOKED, REVOKED),
    E(CRL_MISSING, REVOCATION_UNKNOWN),
    E(CRL_CERT_DATE_ERR, REVOCATION_UNKNOWN),
    E(ASN_CRL_CONFIRM_E, REVOCATION_UNKNOWN),
    E(ASN_CRL_NO_SIGNER_E, REVOCATION_UNKNOWN),
    E(OCSP_CERT_UNKNOWN, REVOCATION_UNKNOWN),
    E(OCSP_LOOKUP_FAIL, REVOCATION_UNKNOWN),
    E(OCSP_NEED_URL, REVOCATION_UNKNOWN),
    E(OCSP_INVALID_STATUS, REVOCATION_UNKNOWN),
    E(BAD_CERTIFICATE_STATUS_ERROR, REVOCATION_UNKNOWN),
    E(ASN_PARSE_E, MALFORMED),
    E(ASN_VERSION_E, MALFORMED),
    E(ASN_GETINT_E, MALFORMED),
    E(ASN_OBJECT_ID_E, MALFORMED),
    E(ASN_TAG_NULL_E, MALFORMED),
    E(ASN_EXPECT_0_E, MALFORMED),
    E(ASN_BITSTR_E, MALFORMED),
    E(ASN_UNKNOWN_OID_E, MALFORMED),
    E(ASN_DATE_SZ_E, MALFORMED),
    E(ASN_TIME_E, MALFORMED),
    E(ASN_INPUT_E, MALFORMED),
    E(ASN_SIG_KEY_E, MALFORMED),
    E(ASN_ALT_NAME_E, MALFORMED),
    E(ASN_COUNTRY_SIZE_E, MALFORMED),
    E(PEER_KEY_ERROR, MALFORMED),
    E(HANDSHAKE_SIZE_ERROR, MALFORMED),
    E(BUFFER_ERROR, MALFORMED),
    E(BUFFER_E, MALFORMED),
    E(LENGTH_ERROR, MALFORMED),
    E(PARSE_ERROR, MALFORMED),
    E(DECODE_E, MALFORMED),
    E(VERSION_ERROR, PROTOCOL_VERSION),
    E(MATCH_SUITE_ERROR, NO_SHARED_CIPHER),
    E(ECC_CURVE_ERROR, NO_SHARED_CIPHER),
    E(BAD_KEY_SHARE_DATA, NO_SHARED_CIPHER),
    E(FATAL_ERROR, OTHER),
    E(SOCKET_ERROR_E, OTHER),
    E(SOCKET_PEER_CLOSED_E, OTHER),
    E(UNKNOWN_RECORD_TYPE, OTHER),
};

static const struct row *row_numbered(int number)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

static void note_alerts(struct session *session)
{
    struct verdict *verdict = session->verdict;
    WOLFSSL_ALERT_HISTORY history;

    if (wolfSSL_get_alert_history(session->ssl, &history) != WOLFSSL_SUCCESS)
        return;
    if (history.last_rx.code > 0)
        verdict->alert_received = history.last_rx.code;
    /* The first one tells why; a second may follow and say unknown_ca. */
    if (history.last_tx.code > 0 && verdict->alert_sent == ALERT_NONE)
        verdict->alert_sent = history.last_tx.code;
}

static bool agreed(const struct session *session)
{
    return wolfSSL_get_current_cipher_suite(session->ssl) != 0;
}

static const char *name_of(int number)
{
    const struct row *row = row_numbered(number);

    return row == NULL ? "wolfSSL" : row->name;
}

/* `first` is what the verify callback heard first, and what counts; `last` is what the library
 * returned in the end, and has words for. */
static void blame_certificate(struct session *session, int first, int last)
{
    const struct row *row = row_numbered(first);
    char code[96];

    if (first == last)
        snprintf(code, sizeof code, "%s (%d)", name_of(first), first);
    else
        snprintf(code, sizeof code, "%s (%d), then %d", name_of(first), first, last);
    verdict_set(session->verdict, row == NULL ? OUTCOME_OTHER : row->outcome, session->first_depth,
                code, wolfSSL_ERR_reason_error_string((unsigned long)last));
}

static void blame_error(struct session *session, int number)
{
    struct verdict *verdict = session->verdict;
    const struct row *row = row_numbered(number);
    char code[96];

    note_alerts(session);
    if (session->first_error != 0) {
        blame_certificate(session, session->first_error, number);
        return;
    }
    snprintf(code, sizeof code, "%s (%d)", name_of(number), number);
    verdict_set(verdict, row == NULL ? OUTCOME_OTHER : row->outcome, DEPTH_UNKNOWN, code,
                wolfSSL_ERR_reason_error_string((unsigned long)number));
    if (verdict->alert_received > 0)
        verdict->outcome = alert_outcome(verdict->alert_received, agreed(session));
    else if (number == OCSP_CERT_UNKNOWN && session->profile->staple == STAPLE_REQUIRE)
        verdict->outcome = OUTCOME_STAPLE_MISSING; /* what EnableOCSPMustStaple answers */
}

/* --- verification ------------------------------------------------------------------------------- */

static struct session *judging; /* whose handshake runs: on_missing_crl gets no context */

static void load_crls(struct session *session)
{
    struct profile *profile = session->profile;

    for (size_t i = 0; i < profile->crl_count; i++)
        if (!session->loaded[i])
            session->loaded[i] = wolfSSL_CTX_LoadCRLBuffer(session->context, profile->crls[i].bytes,
                                                           profile->crls[i].size,
                                                           WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS;
}

/* wolfSSL asks for a list that it lacks, and then looks again.  A list of an intermediate's is
 * refused until that intermediate is known, and it is known only once it was received and
 * verified, which by now it is: those refused before are tried again. */
static int on_missing_crl(WOLFSSL_CRL *crl, const char *url, int length)
{
    (void)crl;
    (void)url;
    (void)length;
    load_crls(judging);
    return 0;
}

/* Called for every certificate, good or bad, the highest first.  The verdict stays wolfSSL's. */
static int on_certificate(int good, WOLFSSL_X509_STORE_CTX *store)
{
    struct session *session = store->userCtx;

    if (session->verdict->chain_count == 0)
        for (int i = 0; i < store->totalCerts; i++)
            verdict_add_certificate(session->verdict, store->certs[i].buffer,
                                    store->certs[i].length);
    if (!good && session->first_error == 0) {
        session->first_error = store->error;
        session->first_depth = store->error_depth;
    }
    return session->profile->settings->no_verify ? 1 : good;
}

/* --- files -------------------------------------------------------------------------------------- */

static int read_file(const char *what, const char *path, struct file *file, struct error *e)
{
    FILE *in = fopen(path, "re");
    long size = -1;

    if (in == NULL)
        return failed(e, "%s: %s: %s", what, path, strerror(errno));
    if (fseek(in, 0, SEEK_END) == 0)
        size = ftell(in);
    if (size < 0 || size > FILE_MAX) {
        fclose(in);
        return failed(e, "%s: %s: is not a file of certificates", what, path);
    }
    rewind(in);
    file->bytes = malloc((size_t)size + 1);
    if (file->bytes != NULL) {
        file->size = (long)fread(file->bytes, 1, (size_t)size, in);
        file->bytes[file->size] = '\0';
    }
    fclose(in);
    return file->bytes != NULL ? 0 : failed(e, "out of memory");
}

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
    return wolfSSL_CTX_load_verify_buffer_ex(context, profile->trust.bytes, profile->trust.size,
                                             WOLFSSL_FILETYPE_PEM, 0,
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

    if (settings->trust != NULL && read_file("trust", settings->trust, &profile->trust, e) < 0)
        return -1;
    for (size_t i = 0; i < settings->crls.count; i++) {
        struct file *file = &profile->crl_files[i];

        if (read_file("crl", settings->crls.items[i], file, e) < 0 ||
            split_crls(profile, file, settings->crls.items[i], e) < 0)
            return -1;
    }
    return 0;
}

/* --- the profile -------------------------------------------------------------------------------- */

static const struct word groups[] = {
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
    if (words_join(groups, "groups", list, ":", text, sizeof text, e) < 0)
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
    struct file file = {NULL, 0};

    if (settings->cert == NULL)
        return 0;
    if (read_file("cert", settings->cert, &file, e) < 0)
        return -1;
    free(file.bytes);
    if (wolfSSL_CTX_use_certificate_chain_file(context, settings->cert) != WOLFSSL_SUCCESS)
        return failed(e, "cert: %s: no certificate that wolfSSL can use", settings->cert);
    if (read_file("key", settings->key, &file, e) < 0)
        return -1;
    free(file.bytes);
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

    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, on_certificate);
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

static void forget(struct profile *profile)
{
    for (size_t i = 0; i < OPTION_LIST_MAX; i++)
        free(profile->crl_files[i].bytes);
    free(profile->trust.bytes);
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

static struct profile *prepare(const struct settings *settings, struct error *e)
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
    forget(profile);
    return NULL;
}

/* --- bytes -------------------------------------------------------------------------------------- */

static int on_read(WOLFSSL *ssl, char *bytes, int room, void *pointer)
{
    struct session *session = pointer;
    ssize_t got = stream_receive(session->stream, bytes, (size_t)room);

    (void)ssl;
    if (got > 0)
        return (int)got;
    if (got == 0)
        return WOLFSSL_CBIO_ERR_CONN_CLOSE;
    if (errno == EAGAIN || errno == EINTR)
        return WOLFSSL_CBIO_ERR_WANT_READ;
    return errno == ECONNRESET ? WOLFSSL_CBIO_ERR_CONN_RST : WOLFSSL_CBIO_ERR_GENERAL;
}

static int on_write(WOLFSSL *ssl, char *bytes, int length, void *pointer)
{
    struct session *session = pointer;
    ssize_t put = stream_send(session->stream, bytes, (size_t)length);

    (void)ssl;
    note_alerts(session);
    if (put >= 0)
        return (int)put;
    if (errno == EAGAIN || errno == EINTR)
        return WOLFSSL_CBIO_ERR_WANT_WRITE;
    return errno == EPIPE || errno == ECONNRESET ? WOLFSSL_CBIO_ERR_CONN_RST
                                                 : WOLFSSL_CBIO_ERR_GENERAL;
}

/* --- sessions ----------------------------------------------------------------------------------- */

static void close_session(struct session *session)
{
    wolfSSL_free(session->ssl);
    wolfSSL_CTX_free(session->context);
    free(session);
}

static int set_staple(struct session *session)
{
    int wish = session->profile->staple;

    if (wish != STAPLE_CHECK && wish != STAPLE_REQUIRE) {
        session->verdict->staple = "ignored";
        return WOLFSSL_SUCCESS;
    }
    if (wolfSSL_CTX_EnableOCSPStapling(session->context) != WOLFSSL_SUCCESS)
        return WOLFSSL_FAILURE;
    if (wish == STAPLE_REQUIRE &&
        wolfSSL_CTX_EnableOCSPMustStaple(session->context) != WOLFSSL_SUCCESS)
        return WOLFSSL_FAILURE;
    return wolfSSL_UseOCSPStapling(session->ssl, WOLFSSL_CSR_OCSP, 0);
}

static int set_up(struct session *session, const char *name)
{
    const struct profile *profile = session->profile;
    const char *alpn = profile->settings->alpn;
    char copy[LIST_TEXT];
    WOLFSSL *ssl = session->ssl;

    wolfSSL_SetCertCbCtx(ssl, session);
    wolfSSL_SSLSetIORecv(ssl, on_read);
    wolfSSL_SSLSetIOSend(ssl, on_write);
    wolfSSL_SetIOReadCtx(ssl, session);
    wolfSSL_SetIOWriteCtx(ssl, session);
    if (!profile->settings->no_verify && wolfSSL_check_domain_name(ssl, name) != WOLFSSL_SUCCESS)
        return -1;
    if (!name_is_address(name) && wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, name,
                                                 (unsigned short)strlen(name)) != WOLFSSL_SUCCESS)
        return -1;
    if (profile->group_count > 0 &&
        wolfSSL_UseKeyShare(ssl, (word16)profile->groups[0]) != WOLFSSL_SUCCESS)
        return -1;
    verdict_text(copy, alpn);
    if (alpn != NULL && wolfSSL_UseALPN(ssl, copy, (unsigned)strlen(copy),
                                        WOLFSSL_ALPN_CONTINUE_ON_MISMATCH) != WOLFSSL_SUCCESS)
        return -1;
    return set_staple(session) == WOLFSSL_SUCCESS ? 0 : -1;
}

static struct session *open_session(struct profile *profile, const char *name,
                                    struct stream *stream, struct verdict *verdict, struct error *e)
{
    struct session *session = calloc(1, sizeof *session);
    WOLFSSL_CTX *context = session == NULL ? NULL : new_context(profile);

    if (context == NULL || load_trust(profile, context) != WOLFSSL_SUCCESS ||
        set_context(profile, context, e) < 0) {
        wolfSSL_CTX_free(context);
        free(session);
        return failed(e, "wolfSSL could not make a context"), NULL;
    }
    *session = (struct session){
        .profile = profile, .context = context, .stream = stream, .verdict = verdict};
    if (profile->crl_count > 0) {
        wolfSSL_CTX_EnableCRL(context, WOLFSSL_CRL_CHECKALL);
        wolfSSL_CTX_SetCRL_IOCb(context, on_missing_crl);
        load_crls(session);
    }
    session->ssl = wolfSSL_new(context);
    if (session->ssl == NULL || set_up(session, name) < 0) {
        close_session(session);
        return failed(e, "wolfSSL could not make a session for '%s'", name), NULL;
    }
    return session;
}

static void note_parameters(struct session *session)
{
    WOLFSSL *ssl = session->ssl;
    struct verdict *verdict = session->verdict;
    const char *group = wolfSSL_get_curve_name(ssl);
    int suite = wolfSSL_get_current_cipher_suite(ssl);
    char *alpn = NULL;
    unsigned short length = 0;

    if (!agreed(session))
        return;
    verdict_text(verdict->version, wolfSSL_get_version(ssl));
    verdict_text(verdict->cipher, wolfSSL_get_cipher_name_iana_from_suite(
                                      (unsigned char)(suite >> 8), (unsigned char)suite));
    if (group != NULL)
        verdict_text(verdict->group, word_ours(groups, group));
    if (wolfSSL_ALPN_GetProtocol(ssl, &alpn, &length) == WOLFSSL_SUCCESS)
        snprintf(verdict->alpn, sizeof verdict->alpn, "%.*s", (int)length, alpn);
    verdict->resumed = wolfSSL_session_reused(ssl) == 1;
}

/* Where the callback saw nothing (a certificate that cannot be read), the session may have. */
static void note_chain(struct session *session)
{
    WOLFSSL_X509_CHAIN *chain = wolfSSL_get_peer_chain(session->ssl);
    int count = chain == NULL ? 0 : wolfSSL_get_chain_count(chain);

    for (int i = 0; i < count && session->verdict->chain_count < (size_t)count; i++)
        verdict_add_certificate(session->verdict, wolfSSL_get_chain_cert(chain, i),
                                (size_t)wolfSSL_get_chain_length(chain, i));
}

/* The library keeps no staple to look at; it tells by its error, or by the date it noted. */
static void note_staple(struct session *session, int error)
{
    byte produced[64];
    int format;

    if (session->profile->staple == STAPLE_AS_LIBRARY || session->profile->staple == STAPLE_IGNORE)
        return;
    if (error == OCSP_CERT_REVOKED)
        session->verdict->staple = "revoked";
    else if (error == BAD_CERTIFICATE_STATUS_ERROR || error == OCSP_INVALID_STATUS)
        session->verdict->staple = "bad";
    else if (wolfSSL_get_ocsp_producedDate(session->ssl, produced, sizeof produced, &format) == 0)
        session->verdict->staple = "good";
}

static enum step handshake(struct session *session)
{
    int result, error;

    judging = session;
    result = wolfSSL_connect(session->ssl);
    error = wolfSSL_get_error(session->ssl, result);
    if (result != WOLFSSL_SUCCESS && error == WOLFSSL_ERROR_WANT_READ)
        return STEP_WANT_READ;
    if (result != WOLFSSL_SUCCESS && error == WOLFSSL_ERROR_WANT_WRITE)
        return STEP_WANT_WRITE;
    note_parameters(session);
    note_staple(session, result == WOLFSSL_SUCCESS ? 0 : error);
    if (session->verdict->chain_count == 0)
        note_chain(session);
    if (result == WOLFSSL_SUCCESS) {
        verdict_set(session->verdict, OUTCOME_OK, DEPTH_UNKNOWN, NULL, NULL);
        return STEP_DONE;
    }
    blame_error(session, error);
    return STEP_FAILED;
}

static enum step waiting(const struct session *session, int result)
{
    switch (wolfSSL_get_error(session->ssl, result)) {
    case WOLFSSL_ERROR_WANT_READ:
        return STEP_WANT_READ;
    case WOLFSSL_ERROR_WANT_WRITE:
        return STEP_WANT_WRITE;
    case WOLFSSL_ERROR_ZERO_RETURN:
        return STEP_DONE;
    default:
        return STEP_FAILED;
    }
}

static enum step send_bytes(struct session *session, const char *bytes, size_t length, size_t *sent)
{
    int result = wolfSSL_write(session->ssl, bytes, (int)length);

    if (result <= 0)
        return waiting(session, result);
    *sent = (size_t)result;
    return STEP_DONE;
}

static enum step receive_bytes(struct session *session, char *bytes, size_t room, size_t *received)
{
    int result = wolfSSL_read(session->ssl, bytes, (int)room);
    enum step step;

    *received = result > 0 ? (size_t)result : 0;
    if (result > 0)
        return STEP_DONE;
    step = waiting(session, result);
    if (step != STEP_FAILED)
        return step;
    note_alerts(session);
    if (session->verdict->alert_received > 0)
        blame_error(session, wolfSSL_get_error(session->ssl, result));
    else if (session->stream->ended)
        return STEP_DONE; /* hung up without a close_notify */
    return STEP_FAILED;
}

static void finish(struct session *session)
{
    wolfSSL_shutdown(session->ssl);
}

static const char *version(void)
{
    return wolfSSL_lib_version();
}

static const char *const features[] = {"probe", "fleet",  "alpn",    "crl", "staple",
                                       "cert",  "groups", "sigalgs", NULL};

const struct driver driver = {
    .library = "wolfssl",
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
