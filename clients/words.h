/* words.h -- the words of settings, the same for every library.
 *
 * Scenarios say "X25519:P-256" and "ecdsa_secp256r1_sha256" whatever the library; a driver
 * keeps a table from these words to its library's own, and translates with words_join.
 */
#ifndef CLIENTS_WORDS_H
#define CLIENTS_WORDS_H

#include "clients/settings.h"
#include "testbed/wire/error.h"

enum staple_wish { STAPLE_AS_LIBRARY, STAPLE_IGNORE, STAPLE_CHECK, STAPLE_REQUIRE };
enum tls_version { TLS_AS_LIBRARY, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, TLS_VERSIONS };

/* NULL is ..._AS_LIBRARY.  -1 with *e where the word is unknown. */
int staple_wish(const char *word, struct error *e);
int tls_version(const char *word, struct error *e);
/* Every word that needs no library to judge: staple and versions, and their order. */
int settings_words(const struct settings *settings, struct error *e);

struct word {
    const char *ours;   /* NULL ends a table */
    const char *theirs; /* NULL: this library does not have it */
};

/* Our word for one of theirs (case ignored), or theirs where the table lacks it. */
const char *word_ours(const struct word *words, const char *theirs);

/* Translates a list with colons between into theirs, each after `before`, into out.
 * `what` ("groups") is for the error, which names the nearest word. */
int words_join(const struct word *words, const char *what, const char *list, const char *before,
               char *out, size_t size, struct error *e);

/* Copies the next item of a list into `item` and returns what follows it; NULL at the end. */
const char *list_next(const char *list, char between, char *item, size_t size);

/* "h2,http/1.1" as ALPN puts it on the wire (RFC 7301 section 3.1): each name after its
 * length.  Returns the bytes written, or -1 with *e. */
int alpn_bytes(const char *list, unsigned char *out, size_t size, struct error *e);

/* True where `name` is an IP address: it is verified, but never asked for (RFC 6066
 * section 3 knows no addresses). */
bool name_is_address(const char *name);

#endif
