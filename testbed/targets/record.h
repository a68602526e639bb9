/* record.h -- the server's side of a handshake, as one JSON line in the log.
 *
 *     {"ok": true, "host": "shop.test", "sni": "shop.test", "version": "TLSv1.3",
 *      "cipher": "TLS_AES_256_GCM_SHA384", "alpn": null, "resumed": false, "client": "0a1b2c",
 *      "alert_received": null, "alert_sent": null, "why": null, "now": 1793836800, "ended": 5123.25}
 *
 * `client` is the serial of the certificate the client showed, `why` one line where `ok` is false,
 * `now` the calendar the target lives on, `ended` seconds of CLOCK_MONOTONIC.
 * What a client says after its handshake, such as an alert that comes late, is not in the line.
 */
#ifndef TARGETS_RECORD_H
#define TARGETS_RECORD_H

#include <openssl/ssl.h>

/* What the handshake's callbacks saw; -1 is no alert. */
struct alerts {
    int received, sent;
};

/* Appends one line to `log`; -1 with errno where it could not be written whole.  `host` is the one
 * that answered; `why` is NULL for a handshake that succeeded. */
int record_handshake(int log, const SSL *ssl, const char *host, const struct alerts *alerts,
                     const char *why);

#endif
