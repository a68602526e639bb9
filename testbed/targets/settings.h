/* settings.h -- what a target-builtin is told to serve, as its JSON file says it.
 *
 *     {"listen": "127.0.0.1:0",
 *      "hosts": [{"name": "shop.test", "chain": "chain.pem", "key": "key.pem", "staple": "staple.der"}],
 *      "min_version": "1.2", "max_version": "1.3",
 *      "ciphers": "ECDHE+AESGCM", "ciphersuites": "TLS_AES_128_GCM_SHA256", "groups": "X25519:P-256",
 *      "alpn": ["h2", "http/1.1"],
 *      "client_ca": "ca.pem", "client_crl": "crl.pem", "client_auth": "none|optional|require",
 *      "exact": false, "log": "handshakes.jsonl", "timeout": "10s"}
 *
 * Only `listen` and `hosts` must be there; null is the same as absent.  The first host also answers
 * clients that name none of them, or none at all; a name may be a wildcard of one label, "*.test".
 * Of several that fit, the one that stands first answers.
 * Paths are used as they stand: relative ones start where the program was started.
 *
 * This half reads no file but the settings themselves; served.h opens what they name.
 */
#ifndef TARGETS_SETTINGS_H
#define TARGETS_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "testbed/wire/error.h"

#define HOSTS_MAX 64

enum client_auth {
    AUTH_NONE,
    AUTH_OPTIONAL, /* no certificate is fine, a bad one is not */
    AUTH_REQUIRE,
};

struct host {
    const char *name;
    const char *chain;
    const char *key;
    const char *staple; /* or NULL */
};

struct alpn {
    unsigned char wire[512]; /* a length byte before each name, RFC 7301 section 3.1 */
    size_t length;
};

struct settings {
    json_t *json; /* ours; the texts below live in it */
    const char *listen;
    const char *log; /* this and the other texts: NULL where absent */
    const char *ciphers, *ciphersuites, *groups;
    const char *client_ca, *client_crl;
    enum client_auth client_auth;
    int min_version; /* as on the wire, 0x0301 to 0x0304; TLS 1.2, or max_version below it */
    int max_version; /* 0: the newest that libssl has */
    struct alpn alpn;
    struct host hosts[HOSTS_MAX];
    size_t host_count;
    bool exact;
    int64_t timeout; /* nanoseconds a client has for its handshake and its request */
};

/* NULL with one line that begins with `path`.  What comes back is freed with settings_free. */
struct settings *settings_read(const char *path, struct error *e);
void settings_free(struct settings *settings);

#endif
