/* wolfssl_parts.h -- what the wolfSSL driver's own files know of each other.
 *
 *     wolfssl.c           sessions, and the driver itself
 *     wolfssl_profile.c   settings into a WOLFSSL_CTX, again for every connection
 *     wolfssl_blame.c     errors into outcomes
 */
#ifndef CLIENTS_WOLFSSL_PARTS_H
#define CLIENTS_WOLFSSL_PARTS_H

#include <wolfssl/options.h>
/* options.h comes first: it says how the library was built */
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "clients/driver.h"
#include "clients/file.h"
#include "clients/words.h"

#define LIST_TEXT  2048
#define GROUPS_MAX 16
#define CRLS_MAX   64

/* One PEM block of a CRL file, in the bytes of the file. */
struct crl {
    const unsigned char *bytes;
    long size;
};

struct profile {
    const struct settings *settings;
    struct file trust;
    struct file crl_files[OPTION_LIST_MAX];
    struct crl crls[CRLS_MAX];
    size_t crl_count;
    int staple;
    int groups[GROUPS_MAX];
    int group_count;
    char ciphers[LIST_TEXT], sigalgs[LIST_TEXT];
    bool has_old, has_13; /* what the list of ciphers names suites for */
};

struct session {
    struct profile *profile;
    WOLFSSL_CTX *context;
    WOLFSSL *ssl;
    struct stream *stream;
    struct verdict *verdict;
    bool loaded[CRLS_MAX]; /* a list is refused until its issuer is known */
    int first_error;       /* of the verify callback; 0 none */
    int first_depth;
};

/* Our words for groups, and wolfSSL's. */
extern const struct word wolfssl_groups[];

/* The driver's prepare and forget. */
struct profile *wolfssl_prepare(const struct settings *settings, struct error *e);
void wolfssl_forget(struct profile *profile);
/* A context for one connection, with the profile's roots and settings; NULL with *e. */
WOLFSSL_CTX *wolfssl_context(struct profile *profile, struct error *e);

/* The verify callback. */
int wolfssl_on_certificate(int good, WOLFSSL_X509_STORE_CTX *store);
/* Writes into the verdict what wolfSSL_get_error's number means, or what came before it. */
void wolfssl_blame(struct session *session, int number);
void wolfssl_note_alerts(struct session *session);
/* The ServerHello has come. */
bool wolfssl_agreed(const struct session *session);

#endif
