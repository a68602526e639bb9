#include "testbed/targets/record.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "testbed/targets/alert.h"
#include "testbed/targets/certificate.h"

static json_t *alpn_of(const SSL *ssl)
{
    const unsigned char *name;
    unsigned length;
    json_t *json;

    SSL_get0_alpn_selected(ssl, &name, &length);
    json = length == 0 ? json_null() : json_stringn((const char *)name, length);
    return json != NULL ? json : json_string("(not UTF-8)");
}

static json_t *client_of(const SSL *ssl)
{
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    char *serial = certificate == NULL ? NULL : serial_text(certificate);
    json_t *json = serial == NULL ? json_null() : json_string(serial);

    free(serial);
    return json;
}

static double monotonic_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What a client sent may be no text; nothing else of it belongs in a log. */
static json_t *text_or_null(const char *text)
{
    json_t *json = text == NULL ? json_null() : json_string(text);

    return json != NULL ? json : json_string("(not UTF-8)");
}

static json_t *describe(const SSL *ssl, const char *host, const struct alerts *alerts,
                        const char *why)
{
    const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    json_t *line =
        json_pack("{s:b, s:s, s:o, s:s?, s:s?, s:o}", "ok", why == NULL, "host", host, "sni",
                  text_or_null(sni), "version", why == NULL ? SSL_get_version(ssl) : NULL, "cipher",
                  why == NULL ? SSL_get_cipher_name(ssl) : NULL, "alpn", alpn_of(ssl));
    json_t *rest = json_pack("{s:b, s:o, s:s?, s:s?, s:s?, s:I, s:f}", "resumed",
                             SSL_session_reused(ssl), "client", client_of(ssl), "alert_received",
                             alert_name(alerts->received), "alert_sent", alert_name(alerts->sent),
                             "why", why, "now", (json_int_t)time(NULL), "ended", monotonic_now());

    if (line == NULL || rest == NULL || json_object_update(line, rest) < 0) {
        json_decref(line);
        line = NULL;
    }
    json_decref(rest);
    return line;
}

int record_handshake(int log, const SSL *ssl, const char *host, const struct alerts *alerts,
                     const char *why)
{
    json_t *json = describe(ssl, host, alerts, why);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
    size_t length = text == NULL ? 0 : strlen(text);
    ssize_t put = -1;

    json_decref(json);
    if (text == NULL) {
        errno = ENOMEM;
        return -1;
    }
    text[length] = '\n'; /* one write, so that lines of several writers never mix */
    do
        put = write(log, text, length + 1);
    while (put < 0 && errno == EINTR);
    free(text);
    return put == (ssize_t)length + 1 ? 0 : -1;
}
