#include "fakeca/serve_tls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fakeca/authority.h"
#include "fakeca/fault.h"
#include "fakeca/openssl_error.h"

#define YEAR  (INT64_C(365) * 86400)
#define SLACK (5 * YEAR)

int authority_need(const char *directory, const char *name, int64_t now, struct error *e)
{
    struct authority_plan plan = {
        .name = name,
        .kind = key_kind_named("p256", e),
        .intermediates = 1,
        .at = now,
        .root_until = now + 30 * YEAR,
        .intermediate_until = now + 20 * YEAR,
        .path_length = -1,
    };
    char file[PATH_MAX];

    snprintf(file, sizeof file, "%s/authority.json", directory);
    if (access(file, F_OK) == 0)
        return 0;
    if (errno == EACCES)
        return failed(e, "%s: cannot look into it: %s", directory, strerror(errno));
    if (authority_create(directory, &plan, e) == 0)
        return 0;
    return errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
               ? failed(e,
                        "%s: is no authority; expected one as `fakeca init` makes it, or nothing",
                        directory)
               : -1;
}

/* It outlives every scenario, both ways, and holds on the real calendar too where the scenario's is
 * not far from it: what a rehearsal is about is what is issued, not this. */
static struct chain *issue(const char *directory, const char *host, int64_t now, struct error *e)
{
    static const char *const purposes[] = {"serverAuth"};
    const char *names[] = {"localhost", "127.0.0.1", "::1", host};
    struct leaf_plan plan = {
        .names = {names,    4},
        .kind = key_kind_named("p256", e),
        .at = now,
        .not_before = now - SLACK,
        .not_after = now + 10 * YEAR,
        .purposes = {purposes, 1},
    };
    struct authority authority;
    struct chain *chain;

    for (size_t i = 0; i < 3; i++)
        if (strcmp(names[i], host) == 0)
            plan.names.count = 3;
    if (authority_open(directory, &authority, e) < 0)
        return NULL;
    chain = authority_issue(&authority, &plan, e);
    authority_close(&authority);
    return chain;
}

static int use_chain(SSL_CTX *tls, const struct chain *chain, struct error *e)
{
    if (SSL_CTX_use_certificate(tls, sk_X509_value(chain->sent, 0)) != 1 ||
        SSL_CTX_use_PrivateKey(tls, chain->key) != 1)
        return openssl_failed(e, "use the server's own certificate");
    for (int i = 1; i < sk_X509_num(chain->sent); i++)
        if (SSL_CTX_add1_chain_cert(tls, sk_X509_value(chain->sent, i)) != 1)
            return openssl_failed(e, "use the server's own chain");
    return 0;
}

/* `chain` NULL: nothing to show. */
static SSL_CTX *context_of(const struct chain *chain, struct error *e)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (tls == NULL)
        return openssl_failed(e, "make a TLS server"), NULL;
    /* of itself libssl ends older ones with an internal_error, where RFC 8446 has protocol_version */
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    if (chain != NULL && use_chain(tls, chain, e) < 0) {
        SSL_CTX_free(tls);
        return NULL;
    }
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(tls, 1); /* a record with one read, not its header first */
    return tls;
}

int serve_tls_open(struct serve_tls *tls, const char *directory, const char *host, int64_t now,
                   struct error *e)
{
    snprintf(tls->path, sizeof tls->path, "%s/https", directory);
    if (authority_need(tls->path, "Rehearsal HTTPS", now - SLACK, e) < 0 ||
        (tls->chain = issue(tls->path, host, now, e)) == NULL)
        return -1;
    tls->context = context_of(tls->chain, e);
    return tls->context == NULL ? -1 : 0;
}

void serve_tls_close(struct serve_tls *tls)
{
    SSL_CTX_free(tls->context);
    chain_free(tls->chain);
}

static struct chain *break_chain(const struct serve_tls *tls, const char *name, int64_t now,
                                 struct error *e)
{
    const struct fault *fault = fault_named(name, e);
    struct authority authority;
    struct chain *chain;

    if (fault == NULL || authority_open(tls->path, &authority, e) < 0)
        return NULL;
    chain = fault_apply(fault, tls->chain, &authority, now, e);
    authority_close(&authority);
    return chain;
}

SSL_CTX *serve_tls_broken(const struct serve_tls *tls, const char *fault, int64_t now,
                          struct error *e)
{
    struct chain *chain = fault == NULL ? NULL : break_chain(tls, fault, now, e);
    SSL_CTX *context = fault == NULL || chain != NULL ? context_of(chain, e) : NULL;

    chain_free(chain);
    return context;
}
