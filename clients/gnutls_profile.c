#include <stdlib.h>
#include <string.h>

#include "clients/file.h"
#include "clients/gnutls_parts.h"

static int because(const char *what, const char *file, int number, struct error *e)
{
    return failed(e, "%s: %s: %s", what, file, gnutls_strerror(number));
}

static int set_trust(struct profile *profile, const struct settings *settings, struct error *e)
{
    int count;

    if (settings->trust == NULL) {
        count = gnutls_certificate_set_x509_system_trust(profile->credentials);
        return count < 0 ? because("trust", "the system's roots", count, e) : 0;
    }
    if (file_readable("trust", settings->trust, e) < 0)
        return -1;
    count = gnutls_certificate_set_x509_trust_file(profile->credentials, settings->trust,
                                                   GNUTLS_X509_FMT_PEM);
    if (count < 0)
        return because("trust", settings->trust, count, e);
    return count > 0 ? 0 : failed(e, "trust: %s: no certificate found", settings->trust);
}

static int set_crls(struct profile *profile, const struct option_list *crls, struct error *e)
{
    for (size_t i = 0; i < crls->count; i++) {
        const char *file = crls->items[i];
        int count = file_readable("crl", file, e);

        if (count == 0)
            count = gnutls_certificate_set_x509_crl_file(profile->credentials, file,
                                                         GNUTLS_X509_FMT_PEM);
        else
            return -1;
        if (count <= 0)
            return because("crl", file, count == 0 ? GNUTLS_E_BASE64_DECODING_ERROR : count, e);
    }
    return 0;
}

static int set_identity(struct profile *profile, const struct settings *settings, struct error *e)
{
    int result;

    if (settings->cert == NULL)
        return 0;
    if (file_readable("cert", settings->cert, e) < 0 || file_readable("key", settings->key, e) < 0)
        return -1;
    result = gnutls_certificate_set_x509_key_file(profile->credentials, settings->cert,
                                                  settings->key, GNUTLS_X509_FMT_PEM);
    return result < 0 ? because("cert, key", settings->cert, result, e) : 0;
}

static int set_alpn(struct profile *profile, const char *list, struct error *e)
{
    unsigned char checked[2048];

    if (list == NULL)
        return 0;
    if (alpn_bytes(list, checked, sizeof checked, e) < 0)
        return -1;
    while (profile->alpn_count < ALPN_NAMES &&
           (list = list_next(list, ',', profile->alpn_text[profile->alpn_count],
                             sizeof profile->alpn_text[0])) != NULL) {
        char *text = profile->alpn_text[profile->alpn_count];

        profile->alpn[profile->alpn_count++] =
            (gnutls_datum_t){(unsigned char *)text, (unsigned)strlen(text)};
    }
    return 0;
}

void gnutls_driver_forget(struct profile *profile)
{
    if (profile->priority != NULL)
        gnutls_priority_deinit(profile->priority);
    if (profile->credentials != NULL)
        gnutls_certificate_free_credentials(profile->credentials);
    free(profile);
}

struct profile *gnutls_driver_prepare(const struct settings *settings, struct error *e)
{
    struct profile *profile = calloc(1, sizeof *profile);

    if (profile == NULL)
        return failed(e, "out of memory"), NULL;
    profile->settings = settings;
    profile->staple = staple_wish(settings->staple, e);
    if (gnutls_certificate_allocate_credentials(&profile->credentials) < 0) {
        failed(e, "out of memory");
    } else if (set_trust(profile, settings, e) == 0 && set_crls(profile, &settings->crls, e) == 0 &&
               set_identity(profile, settings, e) == 0 &&
               set_alpn(profile, settings->alpn, e) == 0 &&
               gnutls_set_priority(profile, settings, e) == 0) {
        return profile;
    }
    gnutls_driver_forget(profile);
    return NULL;
}
