/* wolfssl.c -- the driver for wolfSSL 5.5 and later.
 *
 * One context a connection: a shared one remembers the intermediates it has verified, and the
 * next client would then accept a server that forgot to send them.  The reason for a
 * refusal is the verify callback's *first* error: wolfSSL_get_error says "no signer" for
 * an expired intermediate, a bad signature and a long path alike.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/wolfssl_parts.h"

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
int wolfssl_on_certificate(int good, WOLFSSL_X509_STORE_CTX *store)
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
    return stream_was_reset(session->stream) ? WOLFSSL_CBIO_ERR_CONN_RST : WOLFSSL_CBIO_ERR_GENERAL;
}

static int on_write(WOLFSSL *ssl, char *bytes, int length, void *pointer)
{
    struct session *session = pointer;
    ssize_t put = stream_send(session->stream, bytes, (size_t)length);

    (void)ssl;
    wolfssl_note_alerts(session);
    if (put >= 0)
        return (int)put;
    if (errno == EAGAIN || errno == EINTR)
        return WOLFSSL_CBIO_ERR_WANT_WRITE;
    return WOLFSSL_CBIO_ERR_GENERAL;
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
    WOLFSSL_CTX *context = wolfssl_context(profile, e);

    if (session == NULL || context == NULL) {
        wolfSSL_CTX_free(context);
        free(session);
        return session == NULL ? (failed(e, "out of memory"), NULL) : NULL;
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

    if (!wolfssl_agreed(session))
        return;
    verdict_text(verdict->version, wolfSSL_get_version(ssl));
    verdict_text(verdict->cipher, wolfSSL_get_cipher_name_iana_from_suite(
                                      (unsigned char)(suite >> 8), (unsigned char)suite));
    if (group != NULL)
        verdict_text(verdict->group, word_ours(wolfssl_groups, group));
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
    else if (error == BAD_CERTIFICATE_STATUS_ERROR)
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
    wolfssl_blame(session, error);
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
    int before = session->verdict->alert_received;
    int result = wolfSSL_read(session->ssl, bytes, (int)room);
    enum step step;

    *received = result > 0 ? (size_t)result : 0;
    if (result > 0)
        return STEP_DONE;
    step = waiting(session, result);
    if (step != STEP_FAILED)
        return step;
    wolfssl_note_alerts(session);
    if (session->verdict->alert_received != before)
        wolfssl_blame(session, wolfSSL_get_error(session->ssl, result));
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
    .prepare = wolfssl_prepare,
    .forget = wolfssl_forget,
    .open = open_session,
    .handshake = handshake,
    .send = send_bytes,
    .receive = receive_bytes,
    .finish = finish,
    .close = close_session,
};
