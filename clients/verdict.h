/* verdict.h -- what one connection came to, in the words of its library.
 *
 * A verdict starts at verdict_begin, is written by a driver (driver.h) as it learns, is
 * read by whoever reports, and ends at verdict_free.  Text is copied, never borrowed.
 */
#ifndef CLIENTS_VERDICT_H
#define CLIENTS_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/outcome.h"

#define DEPTH_UNKNOWN (-1) /* the library did not say, or no certificate is to blame */
#define SERIAL_MAX    64   /* bytes of a serial that are told; RFC 5280 allows 20 */
#define CHAIN_MAX     128  /* certificates remembered of one chain */
#define UNTIL_UNKNOWN INT64_MIN

struct verdict {
    enum outcome outcome;
    int depth;       /* which certificate: 0 the server's own, 1 its issuer ... */
    char code[96];   /* the library's own: "X509_V_ERR_CERT_HAS_EXPIRED (10)"; "" none */
    char words[256]; /* and its own words */
    int alert_sent;  /* RFC 8446 numbers, or ALERT_NONE */
    int alert_received;
    char version[16]; /* "TLSv1.3"; "" where the handshake did not come so far */
    char cipher[64];  /* IANA name: "TLS_AES_256_GCM_SHA384" */
    char group[32];   /* "X25519", "P-256" */
    char alpn[64];    /* chosen application protocol, or "" */
    bool resumed;
    const char *staple; /* static: "none", "good", "revoked", "unknown", "bad" or "ignored" */
    char **chain;       /* serials in lower-case hex, in the order received */
    size_t chain_count;
    int64_t until; /* notAfter of the first of them, Unix seconds; UNTIL_UNKNOWN */
};

void verdict_begin(struct verdict *verdict);
void verdict_free(struct verdict *verdict);

/* Sets outcome, depth, code and words in one go; code and words may be NULL. */
void verdict_set(struct verdict *verdict, enum outcome outcome, int depth, const char *code,
                 const char *words);
/* Copies text into one of the fixed fields; NULL is "". */
#define verdict_text(field, text) verdict_copy((field), sizeof(field), (text))
void verdict_copy(char *field, size_t size, const char *text);

/* Remembers the serial of the next certificate received, given as DER (RFC 5280 section
 * 4.1), and of the first its end.  Bytes that hold no readable serial are remembered as "?", and
 * one that is too long with "..." at its end. */
void verdict_add_certificate(struct verdict *verdict, const unsigned char *der, size_t length);

#endif
