/* gnutls.c -- the driver for GnuTLS 3.7 and later.
 *
 * Verification is asked for with the host and the key purpose, as the manual's careful client
 * does; without the purpose, extended key usage goes unchecked.  GnuTLS sends no alert of
 * its own when a chain is refused: that is the application's, and bad_certificate (42) is the
 * only one it knows for it.  Staples are requested and verified, and must-staple is
 * enforced, unless asked otherwise.  A status is a set of bits; outcome_blame picks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/gnutls_parts.h"

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
    gnutls_session_set_verify_function(tls, gnutls_on_chain);
    gnutls_session_set_verify_output_function(tls, gnutls_on_certificate);
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
                                .constraint = OUTCOME_OTHER};
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
        verdict_text(verdict->group, word_ours(gnutls_groups, group));
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

static void note_alert(struct session *session, int number)
{
    if (number == GNUTLS_E_FATAL_ALERT_RECEIVED || number == GNUTLS_E_WARNING_ALERT_RECEIVED)
        session->verdict->alert_received = (int)gnutls_alert_get(session->tls);
}

/* Nothing is to be said to a peer that has ended the conversation. */
static bool peer_is_gone(int number)
{
    return number == GNUTLS_E_PREMATURE_TERMINATION || number == GNUTLS_E_PUSH_ERROR ||
           number == GNUTLS_E_PULL_ERROR || number == GNUTLS_E_SESSION_EOF ||
           number == GNUTLS_E_FATAL_ALERT_RECEIVED;
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
        gnutls_blame_error(session, result);
    if (!peer_is_gone(result))
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
    note_alert(session, (int)result);
    if (result == GNUTLS_E_FATAL_ALERT_RECEIVED)
        gnutls_blame_error(session, (int)result);
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
    .prepare = gnutls_driver_prepare,
    .forget = gnutls_driver_forget,
    .open = open_session,
    .handshake = handshake,
    .send = send_bytes,
    .receive = receive_bytes,
    .finish = finish,
    .close = close_session,
};
