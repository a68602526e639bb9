/* acme.h -- the client's side of ACME, for one thread: signed requests over a connection that is kept.
 *
 * What a server does against RFC 8555, or what this machine cannot do, ends the program with a word on
 * stderr and status 1.  A connection that fails does not: the call says false, and may be
 * made again.
 *
 * Order of calls: acme_keys once; then acme_open for each client; acme_find, until somebody is
 * there; then the rest.
 */
#ifndef PROGRAMS_ACME_H
#define PROGRAMS_ACME_H

#include <curl/curl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

#define ACME_TEXT 1024

struct acme {
    CURL *curl;
    json_t *directory;
    char base[ACME_TEXT]; /* https://HOST:PORT */
    char nonce[ACME_TEXT];
    /* of the last answer */
    long status;
    char location[ACME_TEXT];
    char *body; /* with a NUL after it */
    size_t length;
};

extern char
    acme_account[ACME_TEXT]; /* its path, the same for all; "": requests bring the key itself */

/* `kind` of the account's key: "p256" or "rsa2048". */
void acme_keys(const char *kind);
/* What is added to a token in answers to http-01. */
const char *acme_thumbprint(void);
/* A request for a certificate for one name, as "csr" has it.  To be freed. */
char *acme_request(const char *name);

void acme_open(struct acme *acme, const char *root_file);
/* Asks for the directory whose URL is the first line of a file, and for a nonce. */
bool acme_find(struct acme *acme, const char *file);
/* The path of an endpoint that the directory names. */
const char *acme_endpoint(const struct acme *acme, const char *name);
/* A signed request; payload "": POST-as-GET.  Said again where the nonce was refused. */
bool acme_post(struct acme *acme, const char *path, const char *payload);

json_t *acme_json(const struct acme *acme, const char *what);
/* A member that must be there, and be a string. */
const char *acme_member(const json_t *object, const char *name);
const char *acme_path(const char *url);

char *text(const char *format, ...) __attribute__((format(printf, 1, 2))); /* to be freed */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static inline void must(bool holds, const char *what)
{
    if (!holds)
        die("%s", what);
}

#endif
