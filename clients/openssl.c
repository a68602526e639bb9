/* openssl.c -- the driver for OpenSSL 3.0 and later.
 *
 * Trust, revocation lists and options live in one SSL_CTX a profile: it is costly to make and
 * safe to share.  Must-staple is not enforced and staples are the application's to verify;
 * openssl_staple.c is that application.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/openssl_parts.h"
#include "clients/words.h"

/* --- callbacks ---------------------------------------------------------------------------------- */

struct session *openssl_session(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

void openssl_on_event(const SSL *ssl, int where, int value)
{
    struct verdict *verdict = openssl_session(ssl)->verdict;
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
int openssl_on_chain(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct verdict *verdict = openssl_session(ssl)->verdict;
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
        openssl_blame_verification(verdict, X509_STORE_CTX_get_error(store),
                                   X509_STORE_CTX_get_error_depth(store));
    return good;
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

static const struct word negotiated_groups[] = {
    {"X25519", "x25519"   },
    {"X448",   "x448"     },
    {"P-256",  "secp256r1"},
    {"P-384",  "secp384r1"},
    {"P-521",  "secp521r1"},
    {NULL,     NULL       },
};

/* Until the server changes to it, the suite of TLS 1.2 is a pending one. */
const SSL_CIPHER *openssl_suite(const SSL *ssl)
{
    const SSL_CIPHER *current = SSL_get_current_cipher(ssl);

    return current != NULL ? current : SSL_get_pending_cipher(ssl);
}

/* What was agreed so far; also worth knowing of a handshake that failed later. */
static void note_parameters(struct session *session)
{
    SSL *ssl = session->ssl;
    struct verdict *verdict = session->verdict;
    const SSL_CIPHER *cipher = openssl_suite(ssl);
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
    if (step == STEP_DONE)
        verdict_set(verdict, OUTCOME_CLOSED, DEPTH_UNKNOWN, "SSL_ERROR_ZERO_RETURN (6)",
                    "close_notify");
    else if (verdict->outcome == OUTCOME_OTHER && verdict->code[0] == '\0')
        openssl_blame_queue(session); /* otherwise verification has already said why */
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
    int before = session->verdict->alert_received;
    enum step step;

    ERR_clear_error();
    *received = 0;
    if (SSL_read_ex(session->ssl, bytes, room, received) == 1)
        return STEP_DONE;
    step = waiting(session->ssl, 0);
    if (step == STEP_FAILED && session->verdict->alert_received != before)
        openssl_blame_queue(session);
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
    .prepare = openssl_prepare,
    .forget = openssl_forget,
    .open = open_session,
    .handshake = handshake,
    .send = send_bytes,
    .receive = receive_bytes,
    .finish = finish,
    .close = close_session,
};
