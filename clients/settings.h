/* settings.h -- what may be asked of a connection, once for the command line and the wire.
 *
 * SETTINGS_ROWS is both the option table of the programs and the list of connection fields
 * of the worker protocol: `--min-version 1.2` there is `"min_version": "1.2"` here, and
 * the flag `--no-verify` is `"verify": false`.  Texts are borrowed: from argv, or from the
 * JSON object that fields_read was given.  A field that was not given is NULL or zero, and
 * means "as the library would".
 */
#ifndef CLIENTS_SETTINGS_H
#define CLIENTS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "testbed/wire/options.h"

struct settings {
    const char *connect, *name, *trust;
    const char *clock, *at;
    int64_t skew; /* nanoseconds added to the connection's calendar */
    struct option_list crls;
    const char *staple;
    const char *min_version, *max_version;
    const char *ciphers, *groups, *sigalgs, *alpn;
    const char *cert, *key;
    int64_t timeout; /* nanoseconds */
    const char *say;
    bool no_verify;
};

/* Before the rest is read. */
#define SETTINGS_USUAL                                                                             \
    {                                                                                              \
        .timeout = 5 * INT64_C(1000000000)                                                         \
    }

#define SETTING(field) offsetof(struct settings, field)

/* clang-format off */
#define SETTINGS_ROWS \
    {"connect",     "HOST:PORT", "where to connect to", OPTION_TEXT, SETTING(connect)}, \
    {"name",        "NAME|IP",   "whom to ask for (SNI) and to verify [HOST]", OPTION_TEXT, SETTING(name)}, \
    {"trust",       "FILE",      "trust the roots in FILE (PEM) [the system's]", OPTION_TEXT, SETTING(trust)}, \
    {"at",          "TIME",      "judge as if it were TIME, standing still [now]", OPTION_TEXT, SETTING(at)}, \
    {"clock",       "FILE",      "judge by this clock page (fakeclock) instead", OPTION_TEXT, SETTING(clock)}, \
    {"skew",        "T",         "a client clock that is off by T [0s]", OPTION_DURATION, SETTING(skew)}, \
    {"crl",         "FILE",      "check revocation by the lists in FILE (may repeat)", OPTION_LIST, SETTING(crls)}, \
    {"staple",      "WHAT",      "OCSP staple: ignore, check or require [library's]", OPTION_TEXT, SETTING(staple)}, \
    {"min-version", "V",         "oldest TLS version, 1.0 to 1.3 [library's]", OPTION_TEXT, SETTING(min_version)}, \
    {"max-version", "V",         "newest TLS version [library's]", OPTION_TEXT, SETTING(max_version)}, \
    {"ciphers",     "LIST",      "cipher suites, colons between [library's]", OPTION_TEXT, SETTING(ciphers)}, \
    {"groups",      "LIST",      "key exchange groups: X25519:P-256:... [library's]", OPTION_TEXT, SETTING(groups)}, \
    {"sigalgs",     "LIST",      "signature algorithms, RFC 8446 names [library's]", OPTION_TEXT, SETTING(sigalgs)}, \
    {"alpn",        "LIST",      "application protocols: h2,http/1.1 [none]", OPTION_TEXT, SETTING(alpn)}, \
    {"cert",        "FILE",      "our certificate chain (PEM) [none]", OPTION_TEXT, SETTING(cert)}, \
    {"key",         "FILE",      "its private key (PEM)", OPTION_TEXT, SETTING(key)}, \
    {"timeout",     "T",         "give up after T [5s]", OPTION_DURATION, SETTING(timeout)}, \
    {"say",         "TEXT",      "send TEXT after the handshake, show the reply", OPTION_TEXT, SETTING(say)}, \
    {"no-verify",   NULL,        "look at what is served, whatever it is", OPTION_FLAG, SETTING(no_verify)}
/* clang-format on */

#endif
