/* openssl.c -- the driver for OpenSSL 3.0 and later.
 *
 * Trust, revocation lists and options live in one SSL_CTX a profile: it is costly to make and
 * safe to share.  Must-staple is not enforced and staples are the application's to verify;
 * ocsp() is that application.
 */
#include "clients/driver.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "clients/words.h"

#define LIST_TEXT  2048
#define OCSP_SLACK 300 /* seconds a responder's clock may be ahead, as `openssl ocsp` allows */

struct profile {
    const struct settings *settings;
    SSL_CTX *context;
    int staple;
};

struct session {
    struct profile *profile;
    SSL *ssl;
    struct stream *stream;
    struct verdict *verdict;
};

/* --- what the library says, in our words -------------------------------------------------------- */

struct row {
    int number;
    const char *name;
    enum outcome outcome;
};

#define V(symbol, outcome)                                                                         \
    {                                                                                              \
        X509_V_ERR_##symbol, "X509_V_ERR_" #symbol, OUTCOME_##outcome                              \
    }
static const struct row verify_rows[] = {
    V(CERT_HAS_EXPIRED, EXPIRED),
    V(CERT_NOT_YET_VALID, NOT_YET_VALID),
    V(UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNKNOWN_ISSUER),
    V(UNABLE_TO_GET_ISSUER_CERT, UNKNOWN_ISSUER),
    V(UNABLE_TO_VERIFY_LEAF_SIGNATURE, UNKNOWN_ISSUER),
    V(SELF_SIGNED_CERT_IN_CHAIN, UNKNOWN_ISSUER),
    V(CERT_UNTRUSTED, UNKNOWN_ISSUER),
    V(DEPTH_ZERO_SELF_SIGNED_CERT, SELF_SIGNED),
    V(CERT_SIGNATURE_FAILURE, BAD_SIGNATURE),
    V(UNABLE_TO_DECRYPT_CERT_SIGNATURE, BAD_SIGNATURE),
    V(SIGNATURE_ALGORITHM_MISMATCH, BAD_SIGNATURE),
    V(UNSUPPORTED_SIGNATURE_ALGORITHM, BAD_SIGNATURE),
    V(UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, MALFORMED),
    V(ERROR_IN_CERT_NOT_BEFORE_FIELD, MALFORMED),
    V(ERROR_IN_CERT_NOT_AFTER_FIELD, MALFORMED),
    V(INVALID_EXTENSION, MALFORMED),
    V(CA_MD_TOO_WEAK, WEAK_SIGNATURE),
    V(EE_KEY_TOO_SMALL, WEAK_KEY),
    V(CA_KEY_TOO_SMALL, WEAK_KEY),
    V(HOSTNAME_MISMATCH, WRONG_NAME),
    V(IP_ADDRESS_MISMATCH, WRONG_NAME),
    V(INVALID_PURPOSE, WRONG_PURPOSE),
    V(CERT_REJECTED, WRONG_PURPOSE),
    V(PERMITTED_VIOLATION, NAME_CONSTRAINT),
    V(EXCLUDED_VIOLATION, NAME_CONSTRAINT),
    V(SUBTREE_MINMAX, NAME_CONSTRAINT),
    V(UNSUPPORTED_CONSTRAINT_TYPE, NAME_CONSTRAINT),
    V(UNSUPPORTED_CONSTRAINT_SYNTAX, NAME_CONSTRAINT),
    V(UNSUPPORTED_NAME_SYNTAX, NAME_CONSTRAINT),
    V(PATH_LENGTH_EXCEEDED, PATH_LENGTH),
    V(CERT_CHAIN_TOO_LONG, PATH_LENGTH),
    V(INVALID_CA, NOT_A_CA),
    V(INVALID_NON_CA, NOT_A_CA),
    V(KEYUSAGE_NO_CERTSIGN, NOT_A_CA),
    V(UNHANDLED_CRITICAL_EXTENSION, CRITICAL_EXTENSION),
    V(AKID_SKID_MISMATCH, UNKNOWN_ISSUER),
    V(AKID_ISSUER_SERIAL_MISMATCH, UNKNOWN_ISSUER),
    V(CERT_REVOKED, REVOKED),
    V(UNABLE_TO_GET_CRL, REVOCATION_UNKNOWN),
    V(UNABLE_TO_GET_CRL_ISSUER, REVOCATION_UNKNOWN),
    V(UNABLE_TO_DECRYPT_CRL_SIGNATURE, REVOCATION_UNKNOWN),
    V(CRL_SIGNATURE_FAILURE, REVOCATION_UNKNOWN),
    V(CRL_NOT_YET_VALID, REVOCATION_UNKNOWN),
    V(CRL_HAS_EXPIRED, REVOCATION_UNKNOWN),
    V(ERROR_IN_CRL_LAST_UPDATE_FIELD, REVOCATION_UNKNOWN),
    V(ERROR_IN_CRL_NEXT_UPDATE_FIELD, REVOCATION_UNKNOWN),
    V(KEYUSAGE_NO_CRL_SIGN, REVOCATION_UNKNOWN),
    V(UNHANDLED_CRITICAL_CRL_EXTENSION, REVOCATION_UNKNOWN),
    V(DIFFERENT_CRL_SCOPE, REVOCATION_UNKNOWN),
    V(CRL_PATH_VALIDATION_ERROR, REVOCATION_UNKNOWN),
    V(MISSING_AUTHORITY_KEY_IDENTIFIER, MALFORMED),
    V(MISSING_SUBJECT_KEY_IDENTIFIER, MALFORMED),
    {0, NULL, OUTCOME_OTHER},
};

#define R(symbol, outcome)                                                                         \
    {                                                                                              \
        SSL_R_##symbol, "SSL_R_" #symbol, OUTCOME_##outcome                                        \
    }
static const struct row reason_rows[] = {
    R(UNSUPPORTED_PROTOCOL, PROTOCOL_VERSION),
    R(WRONG_SSL_VERSION, PROTOCOL_VERSION),
    R(WRONG_VERSION_NUMBER, PROTOCOL_VERSION),
    R(VERSION_TOO_LOW, PROTOCOL_VERSION),
    R(VERSION_TOO_HIGH, PROTOCOL_VERSION),
    R(NO_PROTOCOLS_AVAILABLE, PROTOCOL_VERSION),
    R(NO_CIPHERS_AVAILABLE, NO_SHARED_CIPHER),
    R(WRONG_CIPHER_RETURNED, NO_SHARED_CIPHER),
    R(NO_SHARED_CIPHER, NO_SHARED_CIPHER),
    R(NO_SUITABLE_KEY_SHARE, NO_SHARED_CIPHER),
    R(NO_SUITABLE_GROUPS, NO_SHARED_CIPHER),
    R(WRONG_CURVE, NO_SHARED_CIPHER),
    R(WRONG_SIGNATURE_TYPE, NO_SHARED_CIPHER),
    R(NO_SUITABLE_SIGNATURE_ALGORITHM, NO_SHARED_CIPHER),
    R(LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED, WEAK_SIGNATURE),
    R(DH_KEY_TOO_SMALL, WEAK_KEY),
    R(BAD_SIGNATURE, BAD_SIGNATURE),
    R(CERT_LENGTH_MISMATCH, MALFORMED),
    R(LENGTH_MISMATCH, MALFORMED),
    R(LENGTH_TOO_SHORT, MALFORMED),
    R(BAD_PACKET, MALFORMED),
    R(EXCESSIVE_MESSAGE_SIZE, MALFORMED),
    {0, NULL, OUTCOME_OTHER},
};

static const struct row *row_numbered(const struct row *rows, int number)
{
    while (rows->name != NULL && rows->number != number)
        rows++;
    return rows;
}

/* The first error in this thread's queue: what made the rest fail. */
static void blame_queue(struct session *session)
{
    struct verdict *verdict = session->verdict;
    unsigned long error = ERR_peek_error();
    int reason = ERR_GET_REASON(error);
    const struct row *row = row_numbered(reason_rows, reason);
    const char *words = ERR_reason_error_string(error);
    enum outcome outcome = row->outcome;
    char code[96] = "";

    if (error != 0 && ERR_GET_LIB(error) == ERR_LIB_SSL)
        snprintf(code, sizeof code, "%s (%d)", row->name == NULL ? "SSL_R" : row->name, reason);
    else if (error != 0)
        snprintf(code, sizeof code, "error:%08lX", error);
    if (ERR_GET_LIB(error) == ERR_LIB_ASN1 || ERR_GET_LIB(error) == ERR_LIB_X509V3)
        outcome = OUTCOME_MALFORMED;
    else if (ERR_GET_LIB(error) != ERR_LIB_SSL)
        outcome = OUTCOME_OTHER;
    if (verdict->alert_received > 0)
        outcome =
            alert_outcome(verdict->alert_received, SSL_get_current_cipher(session->ssl) != NULL);
    if (error == 0 && session->stream->error != 0)
        words = strerror(session->stream->error);
    verdict_set(verdict, outcome, DEPTH_UNKNOWN, code, words);
}

static void blame_verification(struct verdict *verdict, int number, int depth)
{
    const struct row *row = row_numbered(verify_rows, number);
    char code[96];

    snprintf(code, sizeof code, "%s (%d)", row->name == NULL ? "X509_V_ERR" : row->name, number);
    verdict_set(verdict, row->outcome, depth, code, X509_verify_cert_error_string(number));
}

/* --- callbacks ---------------------------------------------------------------------------------- */

static struct session *session_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

static void on_event(const SSL *ssl, int where, int value)
{
    struct verdict *verdict = session_of(ssl)->verdict;
    int alert = value & 0xff;

    if (!(where & SSL_CB_ALERT) || alert == SSL_AD_CLOSE_NOTIFY)
        return;
    if (where & SSL_CB_READ)
        verdict->alert_received = alert;
    else
        verdict->alert_sent = alert;
}

/* Verification itself is the library's; we only look at the chain as it came, which is gone once
 * it is refused, and at the depth. */
static int on_chain(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct verdict *verdict = session_of(ssl)->verdict;
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);
    int good;

    (void)unused;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        unsigned char *der = NULL;
        int length = i2d_X509(sk_X509_value(chain, i), &der);

        if (length > 0)
            verdict_add_certificate(verdict, der, (size_t)length);
        OPENSSL_free(der);
    }
    good = X509_verify_cert(store);
    if (good <= 0)
        blame_verification(verdict, X509_STORE_CTX_get_error(store),
                           X509_STORE_CTX_get_error_depth(store));
    return good;
}

/* --- the staple --------------------------------------------------------------------------------- */

static bool staple_refused(struct verdict *verdict, enum outcome outcome, const char *word,
                           const char *code, const char *words)
{
    verdict->staple = word;
    verdict_set(verdict, outcome, 0, code, words);
    return false;
}

/* What the response says of this certificate, once it is known to be authentic. */
static bool staple_status(struct verdict *verdict, OCSP_BASICRESP *basic, OCSP_CERTID *id)
{
    int status, reason;
    ASN1_GENERALIZEDTIME *revoked, *from, *until;

    if (OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &from, &until) != 1)
        return staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "bad", "OCSP_resp_find_status",
                              "the staple is about another certificate");
    if (OCSP_check_validity(from, until, OCSP_SLACK, -1) != 1)
        return staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "bad", "OCSP_check_validity",
                              ERR_reason_error_string(ERR_peek_last_error()));
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        return staple_refused(verdict, OUTCOME_REVOKED, "revoked", "V_OCSP_CERTSTATUS_REVOKED (1)",
                              "certificate revoked");
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "unknown",
                              "V_OCSP_CERTSTATUS_UNKNOWN (2)",
                              "the responder does not know the certificate");
    verdict->staple = "good";
    return true;
}

static bool staple_verify(SSL *ssl, OCSP_BASICRESP *basic)
{
    struct verdict *verdict = session_of(ssl)->verdict;
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
    OCSP_CERTID *id;
    bool good;

    if (sk_X509_num(chain) < 1)
        return staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "bad", NULL,
                              "no verified chain to check the staple with");
    if (OCSP_basic_verify(basic, chain, store, 0) <= 0)
        return staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "bad", "OCSP_basic_verify",
                              ERR_reason_error_string(ERR_peek_last_error()));
    /* A certificate that is itself the trust anchor is its own issuer. */
    id = OCSP_cert_to_id(NULL, sk_X509_value(chain, 0),
                         sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0));
    good = id != NULL && staple_status(verdict, basic, id);
    OCSP_CERTID_free(id);
    return good;
}

static bool staple_read(SSL *ssl, const unsigned char *der, long length)
{
    struct verdict *verdict = session_of(ssl)->verdict;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &der, length);
    OCSP_BASICRESP *basic = NULL;
    bool good;

    if (response != NULL && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
        basic = OCSP_response_get1_basic(response);
    if (basic != NULL)
        good = staple_verify(ssl, basic);
    else
        good = staple_refused(verdict, OUTCOME_REVOCATION_UNKNOWN, "bad",
                              response == NULL ? "d2i_OCSP_RESPONSE" : "OCSP_response_status",
                              response == NULL
                                  ? "the staple cannot be read"
                                  : OCSP_response_status_str(OCSP_response_status(response)));
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return good;
}

/* 1 go on; 0 refuse, with the alert bad_certificate_status_response. */
static int on_staple(SSL *ssl, void *unused)
{
    struct session *session = session_of(ssl);
    const unsigned char *der;
    long length = SSL_get_tlsext_status_ocsp_resp(ssl, &der);

    (void)unused;
    if (length <= 0) {
        session->verdict->staple = "none";
        if (session->profile->staple != STAPLE_REQUIRE || session->profile->settings->no_verify)
            return 1;
        return staple_refused(session->verdict, OUTCOME_STAPLE_MISSING, "none", NULL,
                              "no OCSP response was stapled");
    }
    return staple_read(ssl, der, length) || session->profile->settings->no_verify;
}

/* --- the profile -------------------------------------------------------------------------------- */

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
    SSL_CTX_set_cert_verify_callback(context, on_chain, NULL);
    if (settings->trust == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1
                   ? 0
                   : because("trust", "the system's roots", e);
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
    for (size_t i = 0; i < crls->count; i++)
        if (X509_load_crl_file(lookup, crls->items[i], X509_FILETYPE_PEM) <= 0)
            return because("crl", crls->items[i], e);
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

static const struct word negotiated_groups[] = {
    {"X25519", "x25519"   },
    {"X448",   "x448"     },
    {"P-256",  "secp256r1"},
    {"P-384",  "secp384r1"},
    {"P-521",  "secp521r1"},
    {NULL,     NULL       },
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
    if (SSL_CTX_use_certificate_chain_file(context, settings->cert) != 1)
        return because("cert", settings->cert, e);
    if (SSL_CTX_use_PrivateKey_file(context, settings->key, SSL_FILETYPE_PEM) != 1)
        return because("key", settings->key, e);
    return 0;
}

static void forget(struct profile *profile)
{
    SSL_CTX_free(profile->context);
    free(profile);
}

static struct profile *prepare(const struct settings *settings, struct error *e)
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
    SSL_CTX_set_info_callback(context, on_event);
    SSL_CTX_set_tlsext_status_cb(context, on_staple);
    if (set_trust(context, settings, e) < 0 || set_crls(context, &settings->crls, e) < 0 ||
        set_ciphers(context, settings->ciphers, e) < 0 || set_versions(context, settings, e) < 0 ||
        set_lists(context, settings, e) < 0 || set_identity(context, settings, e) < 0) {
        forget(profile);
        return NULL;
    }
    return profile;
}

/* --- bytes -------------------------------------------------------------------------------------- */

static int bio_read(BIO *bio, char *bytes, int room)
{
    ssize_t got = stream_receive(BIO_get_data(bio), bytes, (size_t)room);

    BIO_clear_retry_flags(bio);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)got;
}

static int bio_write(BIO *bio, const char *bytes, int length)
{
    ssize_t put = stream_send(BIO_get_data(bio), bytes, (size_t)length);

    BIO_clear_retry_flags(bio);
    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)put;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    struct stream *stream = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return stream->ended;
    return command == BIO_CTRL_FLUSH;
}

static BIO *bio_on(struct stream *stream)
{
    static BIO_METHOD *method;
    BIO *bio;

    if (method == NULL) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
        if (method == NULL)
            return NULL;
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_control);
    }
    bio = BIO_new(method);
    if (bio != NULL) {
        BIO_set_data(bio, stream);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* --- sessions ----------------------------------------------------------------------------------- */

static void close_session(struct session *session)
{
    SSL_free(session->ssl);
    free(session);
    ERR_clear_error();
}

static int set_name(SSL *ssl, const char *name)
{
    if (name_is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static struct session *open_session(struct profile *profile, const char *name,
                                    struct stream *stream, struct verdict *verdict, struct error *e)
{
    struct session *session = calloc(1, sizeof *session);
    SSL *ssl = SSL_new(profile->context);
    BIO *bio = bio_on(stream);

    if (session == NULL || ssl == NULL || bio == NULL || set_name(ssl, name) != 1) {
        BIO_free(bio);
        SSL_free(ssl);
        free(session);
        return failed(e, "OpenSSL could not make a session for '%s'", name), NULL;
    }
    *session = (struct session){profile, ssl, stream, verdict};
    SSL_set_app_data(ssl, session);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_connect_state(ssl);
    if (profile->staple == STAPLE_CHECK || profile->staple == STAPLE_REQUIRE)
        SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
    else
        verdict->staple = "ignored";
    return session;
}

/* What was agreed so far; also worth knowing of a handshake that failed later. */
static void note_parameters(struct session *session)
{
    SSL *ssl = session->ssl;
    struct verdict *verdict = session->verdict;
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    const unsigned char *alpn;
    unsigned length;
    const char *group;

    if (cipher == NULL)
        return;
    verdict_text(verdict->version, SSL_get_version(ssl));
    verdict_text(verdict->cipher, SSL_CIPHER_standard_name(cipher));
    group = SSL_group_to_name(ssl, (int)SSL_get_negotiated_group(ssl));
    if (group != NULL)
        verdict_text(verdict->group, word_ours(negotiated_groups, group));
    SSL_get0_alpn_selected(ssl, &alpn, &length);
    snprintf(verdict->alpn, sizeof verdict->alpn, "%.*s", (int)length, (const char *)alpn);
    verdict->resumed = SSL_session_reused(ssl) == 1;
}

static enum step waiting(const SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return STEP_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return STEP_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return STEP_DONE;
    default:
        return STEP_FAILED;
    }
}

static enum step handshake(struct session *session)
{
    struct verdict *verdict = session->verdict;
    int result;
    enum step step;

    ERR_clear_error();
    result = SSL_do_handshake(session->ssl);
    step = result == 1 ? STEP_DONE : waiting(session->ssl, result);
    if (step == STEP_WANT_READ || step == STEP_WANT_WRITE)
        return step;
    note_parameters(session);
    if (result == 1) {
        verdict_set(verdict, OUTCOME_OK, DEPTH_UNKNOWN, NULL, NULL);
        return STEP_DONE;
    }
    if (verdict->outcome == OUTCOME_OTHER && verdict->code[0] == '\0')
        blame_queue(session); /* otherwise verification has already said why */
    return STEP_FAILED;
}

static enum step send_bytes(struct session *session, const char *bytes, size_t length, size_t *sent)
{
    int result;

    ERR_clear_error();
    result = SSL_write_ex(session->ssl, bytes, length, sent);
    return result == 1 ? STEP_DONE : waiting(session->ssl, result);
}

static enum step receive_bytes(struct session *session, char *bytes, size_t room, size_t *received)
{
    enum step step;

    ERR_clear_error();
    *received = 0;
    if (SSL_read_ex(session->ssl, bytes, room, received) == 1)
        return STEP_DONE;
    step = waiting(session->ssl, 0);
    if (step == STEP_FAILED && session->verdict->alert_received > 0)
        blame_queue(session);
    else if (step == STEP_FAILED && session->stream->ended)
        return STEP_DONE; /* hung up without a close_notify */
    return step;
}

static void finish(struct session *session)
{
    ERR_clear_error();
    SSL_shutdown(session->ssl);
}

static const char *version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static const char *const features[] = {"probe", "fleet",  "alpn",    "crl", "staple",
                                       "cert",  "groups", "sigalgs", NULL};

const struct driver driver = {
    .library = "openssl",
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
