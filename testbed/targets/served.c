#include "testbed/targets/served.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "testbed/targets/admission.h"
#include "testbed/targets/crypto_error.h"
#include "testbed/targets/identity.h"

struct served {
    unsigned holders;
    struct settings *settings;
    SSL_CTX *contexts[HOSTS_MAX]; /* as settings->hosts */
    struct identity identities[HOSTS_MAX];
    int log;
};

/* --- choosing a host ---------------------------------------------------------------------------- */

/* RFC 6125 section 6.4: a wildcard stands for one whole label, the first. */
static bool name_matches(const char *pattern, const char *name)
{
    const char *dot = strchr(name, '.');

    if (strncmp(pattern, "*.", 2) == 0)
        return dot != NULL && dot != name && strcasecmp(pattern + 1, dot) == 0;
    return strcasecmp(pattern, name) == 0;
}

static size_t host_index(const struct served *served, const char *name)
{
    for (size_t i = 0; name != NULL && i < served->settings->host_count; i++)
        if (name_matches(served->settings->hosts[i].name, name))
            return i;
    return 0;
}

static size_t index_of(const struct served *served, const SSL *ssl)
{
    const SSL_CTX *context = SSL_get_SSL_CTX(ssl);
    size_t i = served->settings->host_count - 1;

    while (i > 0 && served->contexts[i] != context)
        i--;
    return i;
}

const struct host *served_host(const struct served *served, const SSL *ssl)
{
    return &served->settings->hosts[index_of(served, ssl)];
}

static int choose_host(SSL *ssl, int *alert, void *argument)
{
    const struct served *served = argument;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    if (name == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_SSL_CTX(ssl, served->contexts[host_index(served, name)]);
    return SSL_TLSEXT_ERR_OK;
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *length,
                       const unsigned char *offered, unsigned offered_length, void *argument)
{
    const struct alpn *ours = argument;
    unsigned char *chosen;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, length, ours->wire, (unsigned)ours->length, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 section 3.2 */
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int staple(SSL *ssl, void *argument)
{
    const struct served *served = argument;
    const struct identity *identity = &served->identities[index_of(served, ssl)];
    unsigned char *copy;

    if (identity->staple == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    copy = OPENSSL_memdup(identity->staple, identity->staple_length);
    if (copy == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)identity->staple_length); /* takes it over */
    return SSL_TLSEXT_ERR_OK;
}

/* --- one host's SSL_CTX ------------------------------------------------------------------------- */

static int set_versions(SSL_CTX *context, const struct settings *settings, struct error *e)
{
    /* Byte for byte means any key and any signature; TLS 1.0 and 1.1 sign with SHA-1 and MD5.
     * libssl's level 0 allows both. */
    if (settings->exact || settings->min_version < TLS1_2_VERSION)
        SSL_CTX_set_security_level(context, 0);
    if (SSL_CTX_set_min_proto_version(context, settings->min_version) != 1)
        return failed(e, "min_version: this libssl does not have it");
    if (SSL_CTX_set_max_proto_version(context, settings->max_version) != 1)
        return failed(e, "max_version: this libssl does not have it");
    return 0;
}

static int set_algorithms(SSL_CTX *context, const struct settings *settings, struct error *e)
{
    if (settings->ciphers != NULL && SSL_CTX_set_cipher_list(context, settings->ciphers) != 1)
        return failed(e, "ciphers: '%s': %s", settings->ciphers, crypto_reason());
    if (settings->ciphersuites != NULL &&
        SSL_CTX_set_ciphersuites(context, settings->ciphersuites) != 1)
        return failed(e, "ciphersuites: '%s': %s", settings->ciphersuites, crypto_reason());
    if (settings->groups != NULL && SSL_CTX_set1_groups_list(context, settings->groups) != 1)
        return failed(e, "groups: '%s': expected names such as X25519:P-256", settings->groups);
    SSL_CTX_set_dh_auto(context, 1);
    return 0;
}

static void set_callbacks(SSL_CTX *context, struct served *served)
{
    SSL_CTX_set_tlsext_servername_callback(context, choose_host);
    SSL_CTX_set_tlsext_servername_arg(context, served);
    SSL_CTX_set_tlsext_status_cb(context, staple);
    SSL_CTX_set_tlsext_status_arg(context, served);
    if (served->settings->alpn.length > 0)
        SSL_CTX_set_alpn_select_cb(context, choose_alpn, &served->settings->alpn);
}

static SSL_CTX *new_context(struct served *served, struct error *e)
{
    static const unsigned char session_context[] = "target-builtin";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL)
        return failed(e, "cannot make a TLS context: %s", crypto_reason()), NULL;
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    /* A chain is served as it stands in its file, never completed from the client CAs. */
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS |
                                  SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
    set_callbacks(context, served);
    if (set_versions(context, served->settings, e) == 0 &&
        set_algorithms(context, served->settings, e) == 0 &&
        admission_load(served->settings, context, e) == 0)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* --- all or nothing ----------------------------------------------------------------------------- */

static int open_log(struct served *served, struct error *e)
{
    const char *path = served->settings->log;

    if (path == NULL)
        return 0;
    served->log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
    if (served->log < 0)
        return failed(e, "log: %s: cannot open: %s", path, strerror(errno));
    return 0;
}

static int load_into(struct served *served, struct error *e)
{
    for (size_t i = 0; i < served->settings->host_count; i++) {
        const struct host *host = &served->settings->hosts[i];

        served->contexts[i] = new_context(served, e);
        if (served->contexts[i] == NULL)
            return -1;
        if (identity_load(host, served->settings->exact, served->contexts[i],
                          &served->identities[i], e) < 0)
            return failed_in(e, host->name);
    }
    return open_log(served, e);
}

struct served *served_load(struct settings *settings, struct error *e)
{
    struct served *served = calloc(1, sizeof *served);

    if (served == NULL) {
        settings_free(settings);
        return failed(e, "out of memory"), NULL;
    }
    *served = (struct served){.holders = 1, .settings = settings, .log = -1};
    ERR_clear_error();
    if (load_into(served, e) == 0)
        return served;
    served_release(served);
    return NULL;
}

struct served *served_hold(struct served *served)
{
    served->holders++;
    return served;
}

void served_release(struct served *served)
{
    if (served == NULL || --served->holders > 0)
        return;
    for (size_t i = 0; i < served->settings->host_count; i++) {
        SSL_CTX_free(served->contexts[i]);
        identity_free(&served->identities[i]);
    }
    if (served->log >= 0)
        close(served->log);
    settings_free(served->settings);
    free(served);
}

const struct settings *served_settings(const struct served *served)
{
    return served->settings;
}

const char *served_serial(const struct served *served)
{
    return served->identities[0].serial;
}

int served_log(const struct served *served)
{
    return served->log;
}

SSL *served_connection(struct served *served, int fd)
{
    SSL *ssl = SSL_new(served->contexts[0]);

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return ssl;
}
